"""Writing a blob: exact to the byte at every length, whatever dies, fails or is taken back on the way."""

import asyncio
import hashlib
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deedbox_server.errors import Conflict
from deedbox_server.vault.errors import BlobDamaged, BlobInUse, MissingKey
from deedbox_sync import uuid7
from deedbox_sync.tink_stream import HEADER, SEGMENT, TAG
from vault_box import CASE, VaultBox

FIRST, LATER = SEGMENT - HEADER - TAG, SEGMENT - TAG
BLOCK = FIRST + 3 * LATER
TEXT = random.Random(1).randbytes(BLOCK + 5 * LATER)
LENGTHS = [0, 1, 1000, FIRST - 1, FIRST, FIRST + 1, FIRST + LATER, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 4 * LATER + 1]


@pytest.mark.parametrize("length", LENGTHS)
async def test_what_was_written_is_read_with_its_digest_and_size(box: VaultBox, length: int) -> None:
    stored = await box.store(TEXT[:length])
    assert (stored.size, stored.sha256) == (length, hashlib.sha256(TEXT[:length]).digest())
    assert await box.read(stored.blob) == TEXT[:length]
    assert await box.vault.verify_blob(stored.blob) == (stored.sha256, length)


@pytest.mark.parametrize("step", [1 << 10, 65_537, 1 << 20, len(TEXT)])
async def test_pieces_of_any_size_come_to_the_same(box: VaultBox, step: int) -> None:
    writer = await box.begin()
    for start in range(0, len(TEXT), step):
        await writer.write(memoryview(TEXT)[start : start + step])
    stored = await writer.finish()
    await box.insert([stored])
    assert len(stored.parts) == 1
    assert await box.read(stored.blob) == TEXT


async def test_the_callers_buffer_may_be_used_again_at_once(box: VaultBox) -> None:
    writer, buffer = await box.begin(), bytearray(300_000)
    for number in range(40):
        buffer[:] = bytes([number]) * len(buffer)
        await writer.write(buffer)
    stored = await writer.finish()
    assert stored.sha256 == hashlib.sha256(b"".join(bytes([n]) * len(buffer) for n in range(40))).digest()


@pytest.mark.parametrize("durable", [0, 1, FIRST, FIRST + 1, FIRST + LATER + 5, BLOCK, BLOCK + 1, BLOCK + LATER])
@pytest.mark.parametrize("lost", [0, 1, LATER, BLOCK])
async def test_after_a_crash_it_goes_on_at_the_last_durable_byte(box: VaultBox, durable: int, lost: int) -> None:
    writer = await box.begin()
    await writer.write(TEXT[:durable])
    assert await writer.durable() == durable
    await writer.write(os.urandom(lost))
    await writer.abandon()  # its threads are quiet, and nothing of it is tidied

    after = await box.die()
    writer = await after.begin(writer.blob)
    assert (writer.offset, writer.durable_offset) == (durable, durable)
    assert writer.head(100) == TEXT[: min(durable, 100)]
    await writer.write(TEXT[durable : BLOCK + LATER])
    stored = await writer.finish()
    await after.insert([stored])
    assert await after.read(stored.blob) == TEXT[: BLOCK + LATER]
    assert stored.sha256 == hashlib.sha256(TEXT[: BLOCK + LATER]).digest()
    assert [part.number for part in stored.parts] == list(range(len(stored.parts)))
    await after.close()


async def test_without_a_durable_point_it_begins_anew_and_the_lost_keys_are_gone(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(TEXT)
    await writer.abandon()
    assert writer.blob in await box.keys.part_keys([writer.blob])
    after = await box.die()
    writer = await after.begin(writer.blob)
    assert writer.offset == 0
    assert await after.keys.part_keys([writer.blob]) == {}
    assert after.files("blobs") == []
    await after.close()


async def test_finished_but_not_recorded_it_is_finished_again_with_the_same_outcome(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(TEXT)
    await writer.durable()
    stored = await writer.finish()
    before = [path.read_bytes() for path in box.files("blobs")]
    after = await box.die()
    again = await after.begin(writer.blob)
    assert again.offset == len(TEXT)
    assert await again.finish() == stored
    assert [path.read_bytes() for path in after.files("blobs")] == before
    await after.insert([stored])
    assert await after.read(stored.blob) == TEXT
    await after.close()


async def test_finishing_twice_gives_the_same(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(b"deed")
    assert await writer.finish() == await writer.finish()
    with pytest.raises(Conflict):
        await writer.write(b"more")


async def test_bytes_of_a_refused_checksum_are_taken_back(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(TEXT[: FIRST + 7])
    await writer.durable()
    await writer.write(b"wrong" * 300_000)
    assert await writer.roll_back() == FIRST + 7
    assert await writer.roll_back() == FIRST + 7
    await writer.write(TEXT[FIRST + 7 :])
    await writer.durable()
    await writer.write(b"wrong again")
    assert await writer.roll_back() == len(TEXT)
    stored = await writer.finish()
    await box.insert([stored])
    assert await box.read(stored.blob) == TEXT


async def test_taken_back_before_anything_was_durable_nothing_is_left(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(TEXT)
    assert await writer.roll_back() == 0
    assert box.files("blobs") == []
    assert await box.keys.part_keys([writer.blob]) == {}
    await writer.write(b"right")
    stored = await writer.finish()
    assert stored.sha256 == hashlib.sha256(b"right").digest()
    assert len(stored.parts) == 1


async def test_a_cancelled_writer_takes_nothing_until_it_is_rolled_back(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(TEXT[:FIRST])
    await writer.durable()
    task = asyncio.create_task(writer.write(TEXT * 8))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(Conflict, match="roll it back"):
        await writer.write(b"more")
    assert await writer.roll_back() == FIRST
    await writer.write(TEXT[FIRST:])
    assert (await writer.finish()).sha256 == hashlib.sha256(TEXT).digest()


async def test_a_blob_has_one_writer_until_it_is_recorded_or_given_up(box: VaultBox) -> None:
    writer = await box.begin()
    with pytest.raises(BlobInUse):
        await box.begin(writer.blob)
    await writer.write(b"deed")
    stored = await writer.finish()
    with pytest.raises(BlobInUse):
        await box.begin(writer.blob)
    await box.insert([stored])
    with pytest.raises(Conflict, match="stored already"):
        await box.begin(writer.blob)
    with pytest.raises(Conflict):
        await box.vault.forget(writer.blob)

    other = await box.begin()
    await other.write(b"deed")
    await other.abandon()
    assert (await box.begin(other.blob)).offset == 0


async def test_rows_that_were_not_committed_leave_the_upload_as_it_was(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(b"deed")
    await writer.durable()
    stored = await writer.finish()
    with pytest.raises(RuntimeError):
        async with box.database.transaction():
            box.vault.record_rows([stored])
            raise RuntimeError("the transaction fails")
    assert len(box.files("uploads")) == 1
    await box.insert([await writer.finish()])
    await box.vault.close()
    assert await asyncio.to_thread(_eventually_empty, box)


async def test_rows_are_for_a_transaction(box: VaultBox) -> None:
    writer = await box.begin()
    stored = await writer.finish()
    with pytest.raises(ValueError, match="transaction"):
        box.vault.record_rows([stored])


async def test_an_upload_of_another_case_is_not_taken_up(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(b"deed")
    await writer.durable()
    await writer.abandon()
    with pytest.raises(Conflict, match="another case"):
        await box.vault.resume(uuid7.new(), writer.blob)
    assert (await box.vault.resume(CASE, writer.blob)).offset == 4


async def test_forgotten_bytes_are_gone_with_their_keys(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(TEXT)
    await writer.durable()
    with pytest.raises(BlobInUse):
        await box.vault.forget(writer.blob)
    await writer.abandon()
    await box.vault.forget(writer.blob)
    await box.vault.forget(writer.blob)
    assert box.files("blobs") == box.files("uploads") == []
    assert await box.keys.part_keys([writer.blob]) == {}


async def test_an_upload_whose_keys_are_gone_begins_anew(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(TEXT)
    await writer.durable()
    await writer.abandon()
    await box.keys.forget_parts([writer.blob])  # what a crash in the middle of forgetting leaves
    writer = await box.begin(writer.blob)
    assert writer.offset == 0
    assert box.files("uploads") == []


async def test_an_upload_that_lost_one_of_its_keys_says_so(box: VaultBox) -> None:
    writer = await box.begin()
    for _ in range(2):
        await writer.write(b"deed")
        await writer.durable()
        await writer.abandon()
        writer = await box.begin(writer.blob)
    await writer.abandon()
    await box.keys.forget_parts([writer.blob], first=1)
    with pytest.raises(MissingKey, match="part 1"):
        await box.begin(writer.blob)


@pytest.mark.parametrize("damaged", ["segment", "tail", "closed part"])
async def test_durable_bytes_that_do_not_hold_are_named_when_an_upload_is_taken_up(box: VaultBox, damaged: str) -> None:
    writer = await box.begin()
    await writer.write(TEXT[:BLOCK])
    await writer.durable()
    if damaged == "closed part":
        await writer.roll_back()
        await writer.write(b"next part")
        await writer.durable()
    await writer.abandon()
    (path,) = box.files("uploads") if damaged == "tail" else box.files("blobs")[:1]
    flip(path, path.stat().st_size - 5 if damaged != "segment" else SEGMENT + 5)
    with pytest.raises(BlobDamaged) as caught:
        await box.begin(writer.blob)
    assert (caught.value.part, caught.value.segment) == (0, {"segment": 1, "tail": 3, "closed part": 3}[damaged])


async def test_files_are_for_their_owner_alone_and_show_nothing(box: VaultBox) -> None:
    marked = b"the late Mr. Venn's will " * 100_000
    writer = await box.begin()
    await writer.write(marked)
    await writer.durable()
    await writer.roll_back()
    await writer.write(marked)
    await box.insert([await writer.finish()])
    await box.insert_pack(await box.vault.write_pack(CASE, [b"the late Mr. Venn's will"]))
    paths = [path for path in box.folder.rglob("*") if path.is_file()]
    assert len(paths) > 5
    for path in paths:
        assert b"Venn" not in path.read_bytes(), path
    for path in box.files("blobs") + box.files("packs") + box.files("uploads"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_memory_does_not_grow_with_the_blob(tmp_path: Path) -> None:
    program = Path(__file__).parents[2] / "kit" / "vault_writer_process.py"
    peak = {}
    for mebibytes in (16, 192):
        folder = tmp_path / str(mebibytes)
        folder.mkdir()
        command = [sys.executable, str(program), "measure", str(folder), str(mebibytes)]
        peak[mebibytes] = int(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    assert peak[192] - peak[16] < 32 << 20


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def _eventually_empty(box: VaultBox) -> bool:
    box.vault._workshop.threads.shutdown(wait=True)
    return box.files("uploads") == []
