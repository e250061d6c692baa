"""kill -9 while exhibits are refiled: each is in one case, whole, under that case's key, and the same call again ends well."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_server.app.parts import Box
from deedbox_server.audit import Report, Sources, audit
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.people.principal import Principal
from kit import refile_process as program
from kit.open_box import office, reopened

pytestmark = [pytest.mark.crash, pytest.mark.anyio]

CONTENT = b"filed under the wrong matter"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    found: str = request.getfixturevalue("postgres_url")
    return found


async def made(folder: Path, url: str | None) -> tuple[tuple[UUID, UUID], list[UUID]]:
    async with office(folder, url) as bureau:
        items = [bureau.desk.item(f"{name}.txt", CONTENT + name.encode()) for name in "ab"]
        await bureau.box.intake.batch(bureau.desk.sender(bureau.owner.id), items, wait=0)
        exhibits = [one.id for one in await bureau.box.exhibits.page(bureau.principal)]
        for exhibit in exhibits:
            await bureau.box.deriver.add_derived(exhibit, [DerivedDraft("text", "text/plain", b"read", "tests 1")])
        other = await bureau.box.cases.open(bureau.principal, "2026-0002", "Doe v. Roe")
        return (other.id, bureau.case.id), exhibits


def killed(folder: Path, url: str | None, cases: tuple[UUID, UUID], exhibits: list[UUID], seconds: float) -> None:
    """The process, killed some time after its first answer."""
    promises = folder / "promises"
    length = promises.stat().st_size if promises.exists() else 0
    arguments = [str(folder), url or "", *map(str, (*cases, *exhibits))]
    environment = {**os.environ, "PYTHONPATH": str(Path(program.__file__).parents[1])}
    process = subprocess.Popen([sys.executable, str(program.__file__), *arguments], env=environment)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if promises.exists() and promises.stat().st_size > length:
            break
        time.sleep(0.001)
    time.sleep(seconds)
    assert process.poll() is None, "it ended by itself"
    process.send_signal(signal.SIGKILL)
    process.wait()


async def whole(box: Box, exhibits: list[UUID]) -> None:
    assert await box.keys.moving() == {}
    for exhibit in exhibits:
        row = await box.database.fetch_one("SELECT case_id, blob FROM exhibit WHERE id = {}", exhibit)
        assert row is not None
        derived = await box.database.fetch("SELECT blob FROM derived WHERE exhibit = {}", exhibit)
        blobs = [row["blob"], *(one["blob"] for one in derived)]
        keys = await box.keys.part_keys(blobs)
        wrapping = {key.case_key for parts in keys.values() for key in parts.values()}
        assert {(await box.keys.find_case_key(one)).case_id for one in wrapping} == {row["case_id"]}
        with closing(await box.vault.open(row["blob"])) as reader:
            assert reader.read_at(0, reader.size).startswith(CONTENT)


async def told_rightly(box: Box) -> None:
    while await box.sequencer.step():
        pass
    report = Report()
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    assert report.findings == []


async def checked(folder: Path, url: str | None, cases: tuple[UUID, UUID], exhibits: list[UUID]) -> None:
    async with reopened(folder, url) as box:
        await whole(box, exhibits)
        owner = (await box.database.fetch("SELECT id, name, role FROM account"))[0]
        principal = Principal("account", owner["id"], None, owner["name"], "tests", owner["role"])
        for exhibit in exhibits:
            done = await box.refiling.refile(principal, exhibit, cases[0], None)
            assert done.exhibits[0].case == cases[0]
        await whole(box, exhibits)
        await told_rightly(box)


async def test_killed_anywhere_an_exhibit_is_in_one_case_and_can_be_refiled_again(
    tmp_path: Path, url: str | None, rng: random.Random, rounds: int
) -> None:
    cases, exhibits = await made(tmp_path, url)
    for _ in range(max(3, rounds // 3)):
        await asyncio.to_thread(killed, tmp_path, url, cases, exhibits, rng.uniform(0, 0.3))
        await checked(tmp_path, url, cases, exhibits)
