"""A disk that fills up at any byte, and one that says so too late: an error that says it, and nothing durable is lost."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbox_server.errors import DiskFull
from deedbox_sync.tink_stream import HEADER, SEGMENT, TAG
from nonce_ledger import NonceLedger
from small_disk import SmallDisk
from vault_box import CASE, VaultBox

FIRST, LATER = SEGMENT - HEADER - TAG, SEGMENT - TAG
TEXT = random.Random(3).randbytes(FIRST + 5 * LATER + 777)
KEPT = FIRST + LATER + 10


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SmallDisk:
    disk = SmallDisk()
    disk.install(monkeypatch.setattr)
    return disk


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NonceLedger]:
    ledger = NonceLedger(tmp_path / "ledger")
    ledger.install(monkeypatch.setattr)
    yield ledger
    ledger.close()


@pytest.mark.parametrize(
    "room", [0, 1, 39, 40, 1000, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 4 * SEGMENT, 4 * SEGMENT + 800]
)
@pytest.mark.parametrize("ending", ["durable", "finish"])
async def test_full_at_any_byte_nothing_durable_is_lost_and_it_goes_on_when_there_is_room(
    box: VaultBox, disk: SmallDisk, ledger: NonceLedger, room: int, ending: str
) -> None:
    writer = await box.begin()
    await writer.write(TEXT[:KEPT])
    await writer.durable()
    disk.room = room
    with pytest.raises(DiskFull):
        await writer.write(TEXT[KEPT:])
        await (writer.durable() if ending == "durable" else writer.finish())
    assert writer.durable_offset == KEPT
    with pytest.raises(DiskFull):
        await writer.write(b"more")
    disk.mend()
    reached = await writer.roll_back()
    assert reached == KEPT
    await writer.write(TEXT[reached:])
    stored = await writer.finish()
    await box.insert([stored])
    assert await box.read(stored.blob) == TEXT
    ledger.check()


async def test_full_between_the_tail_record_and_the_last_segment_everything_is_durable_already(
    box: VaultBox, disk: SmallDisk, ledger: NonceLedger
) -> None:
    writer = await box.begin()
    await writer.write(TEXT[:KEPT])
    await writer.durable()
    await writer.write(TEXT[KEPT:])
    disk.room = 4 * SEGMENT + 1000
    with pytest.raises(DiskFull):
        await writer.finish()
    with pytest.raises(DiskFull):
        await writer.roll_back()  # even closing the part needs room
    disk.mend()
    assert await writer.roll_back() == len(TEXT)
    await box.insert([await writer.finish()])
    assert await box.read(writer.blob) == TEXT
    ledger.check()


@pytest.mark.parametrize("call", ["fsync", "fdatasync", "replace"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("way", ["roll back", "resume"])
async def test_a_point_that_is_reported_as_failed_counts_if_it_is_on_the_disk(
    box: VaultBox, disk: SmallDisk, ledger: NonceLedger, call: str, late: bool, way: str
) -> None:
    """Which of two durable points holds is what the disk says: acting on the wrong one would use a nonce for two texts."""
    writer = await box.begin()
    await writer.write(TEXT[:KEPT])
    await writer.durable()
    await writer.write(TEXT[KEPT : KEPT + 100])
    disk.fail(call, late=late)
    with pytest.raises(DiskFull):
        await writer.durable()
    disk.mend()
    if way == "resume":
        await writer.abandon()
        writer = await box.begin(writer.blob)
        reached = writer.offset
    else:
        reached = await writer.roll_back()
    assert reached in (KEPT, KEPT + 100)
    await writer.write(TEXT[reached:])
    stored = await writer.finish()
    await box.insert([stored])
    assert await box.read(stored.blob) == TEXT
    ledger.check()


async def test_rolling_back_on_a_full_disk_can_be_tried_again(box: VaultBox, disk: SmallDisk) -> None:
    writer = await box.begin()
    await writer.write(TEXT[:KEPT])
    await writer.durable()
    disk.room = 0
    for _ in range(2):
        with pytest.raises(DiskFull):
            await writer.roll_back()
    disk.mend()
    assert await writer.roll_back() == KEPT


async def test_a_pack_that_does_not_fit_leaves_nothing(box: VaultBox, disk: SmallDisk) -> None:
    await box.keys.case_key(CASE)
    disk.room = 100_000
    with pytest.raises(DiskFull):
        await box.vault.write_pack(CASE, [bytes(60_000), bytes(60_000)])
    disk.mend()
    assert box.files("packs") == []


async def test_on_a_file_system_that_is_really_full(box: VaultBox, tmp_path: Path) -> None:
    volume = tmp_path / "blobs"
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(volume)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("mounting a small volume needs root")
    try:
        writer = await box.begin()
        await writer.write(TEXT[:KEPT])
        await writer.durable()
        with pytest.raises(DiskFull):
            await writer.write(TEXT[KEPT:])
            await writer.finish()
        assert await writer.roll_back() == KEPT
        await writer.write(TEXT[KEPT : KEPT + 1000])
        stored = await writer.finish()
        await box.insert([stored])
        assert await box.read(stored.blob) == TEXT[: KEPT + 1000]
    finally:
        subprocess.run(["umount", "--lazy", str(volume)], check=True)
