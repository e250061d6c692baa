"""kill -9 at each step of a disposal: the same disposal, run again, ends well, once, and takes nothing else."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_server.audit import Report, Sources, audit
from deedbox_server.errors import Conflict, NotFound
from deedbox_server.people.principal import SYSTEM, Principal
from kit import disposal_process
from kit.open_box import office, reopened
from kit.retention_office import SECRET, colleague, received, strong

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Asked:
    """A box at rest in which the disposal of `going` is asked for."""

    data: Path
    going: UUID
    staying: UUID


async def _asked(data: Path, url: str | None = None) -> Asked:
    async with office(data, url) as made:
        await colleague(made)
        going, staying = await received(made, b"going" * 1000, b"staying" * 1000)
        await made.box.disposals.ask(strong(made), made.case.id, [going], "old")
        await made.settle()
    return Asked(data, going, staying)


@pytest.fixture(scope="module")
def asked_once(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Made once; each test works on a copy."""
    return asyncio.run(_asked(tmp_path_factory.mktemp("asked")))


def killed(data: Path, url: str | None, point: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(disposal_process.__file__), str(data), url or "-", point]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL


async def ends_well(asked: Asked, url: str | None = None) -> None:
    async with reopened(asked.data, url) as box:
        await box.carrying_out.resume()
        await box.carrying_out.resume()
        while await box.sequencer.step():
            pass
        assert [row["state"] for row in await box.database.fetch("SELECT state FROM disposal")] == ["done"]
        assert [row["object"] for row in await box.database.fetch("SELECT object FROM tombstone")] == [asked.going]
        assert [one.objects for one in await box.erasures_list.read()] == [(asked.going,)]
        assert [one.id for one in await box.exhibits.page(SYSTEM)] == [asked.staying]
        assert await box.index.exhibits() == {asked.staying}
        assert (await box.search.find(SYSTEM, SECRET)).count.exhibits == 1
        report = Report()
        await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
        assert report.findings == []


@pytest.mark.parametrize("point", disposal_process.POINTS)
async def test_a_disposal_killed_anywhere_ends_well_when_it_is_run_again(
    asked_once: Asked, tmp_path: Path, point: str
) -> None:
    shutil.copytree(asked_once.data, tmp_path / "copy")
    copy = Asked(tmp_path / "copy", asked_once.going, asked_once.staying)
    killed(copy.data, None, point)
    await ends_well(copy)


async def test_a_disposal_killed_between_keys_and_rows_ends_well_on_postgres(postgres_url: str, tmp_path: Path) -> None:
    asked = await _asked(tmp_path, postgres_url)
    killed(asked.data, postgres_url, "after:erase_keys")
    await ends_well(asked, postgres_url)


async def test_a_box_killed_after_the_mark_takes_no_hold_and_shows_no_bytes(asked_once: Asked, tmp_path: Path) -> None:
    shutil.copytree(asked_once.data, tmp_path / "copy")
    killed(tmp_path / "copy", None, "before:erase_keys")
    async with reopened(tmp_path / "copy") as box:
        [row] = await box.database.fetch("SELECT id, name, role FROM account WHERE name = 'Olivia Owner'")
        owner = Principal("account", row["id"], None, row["name"], "test", row["role"], strong=True)
        exhibit = await box.exhibits.get(owner, asked_once.going)
        with pytest.raises(Conflict, match="too late"):
            await box.holds.place(owner, exhibit.case, "exhibit", exhibit.id, "litigation")
        with pytest.raises(NotFound):
            await box.vault.open(exhibit.blob)
