"""One flipped bit, anywhere in what a box keeps: the audit ends with status 1 and names the place."""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_disk.sealed_pages import PAGE
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_sync.transfer import Closing
from kit.open_box import Office, office

SAMPLES = 4  # of each kind of file, each another bit
WAL_HEADER, FRAME_HEADER = 32, 24  # sqlite.org/fileformat2.html, 4.1 and 4.2
_MIB = 1 << 20


@dataclass(frozen=True)
class Stored:
    """Some bytes of a file, and the exhibit that they belong to."""

    file: str
    offset: int
    length: int
    exhibit: UUID


@dataclass(frozen=True)
class Honest:
    """A box at rest, what its files hold, and the same box as a kill left it, with its write-ahead logs."""

    folder: Path
    killed: Path
    stored: tuple[Stored, ...]

    def copy(self, folder: Path, *, killed: bool = False) -> Path:
        return Path(shutil.copytree(self.killed if killed else self.folder, folder, dirs_exist_ok=True))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Honest:
    folder, killed = tmp_path_factory.mktemp("honest"), tmp_path_factory.mktemp("killed")

    async def make() -> tuple[Stored, ...]:
        async with office(folder) as made:
            await fill(made)
            shutil.copytree(folder, killed, dirs_exist_ok=True)
            rows = await made.box.database.fetch(
                "SELECT part.file, part.file_offset, part.cipher_length, exhibit.id AS exhibit FROM blob_part AS part"
                " JOIN exhibit ON exhibit.blob = part.blob"
            )
            return tuple(Stored(row["file"], row["file_offset"], row["cipher_length"], row["exhibit"]) for row in rows)

    return Honest(folder, killed, asyncio.run(make()))


async def fill(made: Office) -> None:
    """Exhibits in packs, one in two parts of its own, and a derived document."""
    box, desk, sender = made.box, made.desk, made.desk.sender(made.owner.id)
    items = [desk.item(f"{number}.txt", os.urandom(700 * number)) for number in range(30)]
    await box.intake.batch(sender, items, wait=0)
    upload, content = os.urandom(16).hex(), os.urandom(5 * _MIB // 2)
    await box.intake.create_upload(sender, upload, made.case.id, len(content))
    half = len(content) // 2
    await box.intake.put(sender, upload, 0, once(content[:half]))
    await box.uploads.let_go(upload)  # what comes after begins a new part
    await box.intake.put(sender, upload, half, once(content[half:]))
    await box.intake.close(sender, [Closing(desk.capture("large.bin", content), upload)])
    exhibits = await box.exhibits.page(made.principal)
    await box.deriver.add_derived(exhibits[0].id, [DerivedDraft("text", "application/json", b"{}", "tests 1")])
    await made.settle()


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
def box(honest: Honest, tmp_path: Path) -> Path:
    """A copy of the honest box, to be spoiled."""
    return honest.copy(tmp_path / "site")


def audit(site: Path) -> tuple[int, list[str]]:
    """The command's exit status, and what it found."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "deedbox_server"),
            *("--data", str(site / "box"), "--key-file", str(site / "key"), "audit", "--json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, [f"{one['where']}: {one['what']}" for one in json.loads(done.stdout)["findings"]]


def flip(path: Path, place: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))


def assert_named(site: Path, *wanted: str) -> None:
    status, findings = audit(site)
    assert status == 1
    for words in wanted:
        assert any(words in finding for finding in findings), f"{words!r} is not in {findings}"


def test_an_honest_box_audits_clean_at_rest_and_after_a_kill(honest: Honest, tmp_path: Path) -> None:
    assert audit(honest.copy(tmp_path / "rest")) == (0, [])
    assert audit(honest.copy(tmp_path / "killed", killed=True)) == (0, [])


def test_in_stored_bytes_the_exhibit_is_named(honest: Honest, tmp_path: Path, rng: random.Random) -> None:
    packed = [one for one in honest.stored if one.file.startswith("packs/") and one.length > 100]
    alone = [one for one in honest.stored if one.file.startswith("blobs/")]
    assert len(alone) > 1
    for number in range(SAMPLES):
        site = honest.copy(tmp_path / str(number))
        spoiled = [rng.choice(packed), rng.choice(alone)]
        for one in spoiled:
            flip(site / "box" / one.file, one.offset + rng.randrange(one.length), rng.randrange(8))
        assert_named(site, *(f"exhibit {one.exhibit}" for one in spoiled))


@pytest.mark.parametrize("name", ["db/box.db", "keys/keys.db", "db/index.db"])
def test_in_a_database_the_page_is_named(honest: Honest, name: str, tmp_path: Path, rng: random.Random) -> None:
    for number in range(SAMPLES):
        site = honest.copy(tmp_path / str(number))
        path = site / "box" / name
        place = rng.randrange(16, path.stat().st_size)
        flip(path, place, rng.randrange(8))
        assert_named(site, f"{path.name}: page {place // PAGE + 1}:")


@pytest.mark.parametrize("name", ["db/box.db", "keys/keys.db"])
def test_in_a_write_ahead_log_the_frame_is_named(honest: Honest, name: str, tmp_path: Path, rng: random.Random) -> None:
    site = honest.copy(tmp_path / "site", killed=True)
    path = site / "box" / f"{name}-wal"
    frames = (path.stat().st_size - WAL_HEADER) // (FRAME_HEADER + PAGE)
    frame = rng.randrange(frames - 1)  # the last one may be a torn write, which a power cut leaves
    flip(path, WAL_HEADER + frame * (FRAME_HEADER + PAGE) + FRAME_HEADER + rng.randrange(PAGE), rng.randrange(8))
    assert_named(site, f"{path.name}: frame {frame + 1}:")


def test_in_a_database_s_first_bytes_no_page_holds(box: Path, rng: random.Random) -> None:
    flip(box / "box/db/box.db", rng.randrange(16), rng.randrange(8))  # the salt of all its keys
    assert_named(box, "box.db: page 1:", "box.db: page 2:")


def test_in_the_file_of_keys_that_file_is_named(honest: Honest, tmp_path: Path, rng: random.Random) -> None:
    for number in range(SAMPLES):
        site = honest.copy(tmp_path / str(number))
        path = site / "box/keys/root.json"
        flip(path, rng.randrange(path.stat().st_size), rng.randrange(8))
        assert_named(site, "root.json")


@pytest.mark.parametrize("name", ["db/box.db", "keys/keys.db", "keys/root.json"])
@pytest.mark.parametrize("left", [0, None], ids=["empty", "gone"])
def test_a_file_that_is_empty_or_gone_is_named(box: Path, name: str, left: int | None) -> None:
    path = box / "box" / name
    if left is None:
        path.unlink()
    else:
        path.write_bytes(b"")
    assert_named(box, path.name)


def test_a_database_that_was_cut_short_is_named(box: Path) -> None:
    path = box / "box/db/box.db"
    os.truncate(path, path.stat().st_size // PAGE // 2 * PAGE)
    assert_named(box, "cannot be")  # opened, or read: whichever page is missed first
