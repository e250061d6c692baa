"""Reading a blob: any range is the slice, costs its own segments, and nothing that was changed is given out."""

import os
import random
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deedbox_server.errors import NotFound
from deedbox_server.vault import StoredBlob
from deedbox_server.vault.errors import BlobDamaged, MissingKey
from deedbox_server.vault.part_reader import PartReader
from deedbox_sync import uuid7
from deedbox_sync.tink_stream import HEADER, SEGMENT, TAG
from vault_box import VaultBox

FIRST, LATER = SEGMENT - HEADER - TAG, SEGMENT - TAG
TEXT = random.Random(4).randbytes(2 * FIRST + 6 * LATER)
ENDS = (FIRST + 2 * LATER + 5, FIRST + 2 * LATER + 6, len(TEXT))  # of three parts, the second a single byte


@pytest.fixture
async def stored(box: VaultBox) -> StoredBlob:
    """A blob of three parts."""
    writer, start = await box.begin(), 0
    for end in ENDS:
        await writer.write(TEXT[start:end])
        await writer.durable()
        if end != len(TEXT):
            await writer.roll_back()
        start = end
    stored = await writer.finish()
    assert [part.plain_length for part in stored.parts] == [ENDS[0], 1, len(TEXT) - ENDS[1]]
    await box.insert([stored])
    return stored


PLACES = st.sampled_from([0, 1, FIRST - 1, FIRST, FIRST + LATER, *ENDS, len(TEXT) + 1]) | st.integers(0, len(TEXT) + 10)


@given(start=PLACES, end=PLACES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_range_is_the_slice(box: VaultBox, stored: StoredBlob, start: int, end: int) -> None:
    reader = await box.vault.open(stored.blob)
    assert b"".join([piece async for piece in reader.read(start, end)]) == TEXT[start:end]
    assert reader.read_at(start, max(0, end - start)) == TEXT[start : max(start, end)]
    reader.close()


async def test_small_reads_in_a_row_come_to_the_whole(box: VaultBox, stored: StoredBlob) -> None:
    reader = await box.vault.open(stored.blob)
    assert reader.size == len(TEXT)
    pieces = [reader.read_at(offset, 65_536) for offset in range(0, reader.size, 65_536)]
    assert b"".join(pieces) == TEXT
    assert reader.read_at(reader.size, 10) == b""


async def test_a_range_costs_only_its_own_segments(
    box: VaultBox, stored: StoredBlob, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[int, int]] = []
    real = PartReader.open_segments

    def counted(part: PartReader, first: int, count: int, scratch: memoryview, out: memoryview) -> int:
        opened.append((first, count))
        return real(part, first, count, scratch, out)

    monkeypatch.setattr(PartReader, "open_segments", counted)
    reader = await box.vault.open(stored.blob)
    assert reader.read_at(ENDS[1] + FIRST + LATER + 9, 100) == TEXT[ENDS[1] + FIRST + LATER + 9 :][:100]
    assert reader.read_at(ENDS[1] + FIRST + LATER + 109, 100) == TEXT[ENDS[1] + FIRST + LATER + 109 :][:100]
    assert opened == [(2, 1)]
    assert reader.read_at(ENDS[1] + FIRST - 1, 2) == TEXT[ENDS[1] + FIRST - 1 :][:2]
    assert opened == [(2, 1), (0, 2)]


async def test_verifying_reads_everything(box: VaultBox, stored: StoredBlob) -> None:
    assert await box.vault.verify_blob(stored.blob) == (stored.sha256, len(TEXT))


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_flipped_bit_anywhere_is_refused_and_its_place_is_named(
    box: VaultBox, stored: StoredBlob, part: int
) -> None:
    path = box.folder / stored.parts[part].file
    length = path.stat().st_size
    chance = random.Random(part)
    for place in [0, 1, HEADER - 1, HEADER, length - 1, *(chance.randrange(length) for _ in range(6))]:
        change(path, place)
        with pytest.raises(BlobDamaged) as caught:
            await box.vault.verify_blob(stored.blob)
        segment = 0 if place < HEADER else place // SEGMENT
        assert (caught.value.blob, caught.value.part, caught.value.segment) == (stored.blob, part, segment)
        assert f"blob {stored.blob} part {part} segment {segment}" in str(caught.value)
        change(path, place)
    assert (await box.vault.verify_blob(stored.blob)).sha256 == stored.sha256


async def test_a_range_beside_the_damage_is_still_given(box: VaultBox, stored: StoredBlob) -> None:
    change(box.folder / stored.parts[0].file, SEGMENT + 1)
    reader = await box.vault.open(stored.blob)
    assert reader.read_at(0, FIRST) == TEXT[:FIRST]
    with pytest.raises(BlobDamaged, match="segment 1"):
        reader.read_at(FIRST, 1)


@pytest.mark.parametrize("length", [0, 39, 40, SEGMENT, 3 * SEGMENT - 1])
async def test_a_file_cut_short_is_refused(box: VaultBox, stored: StoredBlob, length: int) -> None:
    os.truncate(box.folder / stored.parts[0].file, length)
    with pytest.raises(BlobDamaged) as caught:
        await box.vault.verify_blob(stored.blob)
    assert caught.value.segment == length // SEGMENT


async def test_a_missing_file_is_named(box: VaultBox, stored: StoredBlob) -> None:
    (box.folder / stored.parts[2].file).unlink()
    with pytest.raises(BlobDamaged, match=f"blob {stored.blob} part 2: its file is gone"):
        await box.vault.verify_blob(stored.blob)


async def test_a_missing_key_is_named(box: VaultBox, stored: StoredBlob) -> None:
    await box.keys.forget_parts([stored.blob], first=2)
    with pytest.raises(MissingKey, match=f"blob {stored.blob} part 2"):
        await box.vault.open(stored.blob)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE blob SET size = size - 1 WHERE id = {}",
        "DELETE FROM blob_part WHERE part = 1 AND blob = {}",
        "DELETE FROM blob_part WHERE blob = {}",
        "UPDATE blob_part SET plain_length = plain_length + 1 WHERE part = 0 AND blob = {}",
        "UPDATE blob_part SET cipher_length = 17 WHERE part = 0 AND blob = {}",
        "UPDATE blob_part SET file_offset = 1 WHERE part = 0 AND blob = {}",
        "UPDATE blob_part SET part = 1 - part WHERE part < 0 OR (part = 2 AND blob = {})",
    ],
)
async def test_rows_that_were_changed_do_not_give_other_bytes(box: VaultBox, stored: StoredBlob, change: str) -> None:
    await box.database.execute(change, stored.blob)
    with pytest.raises(BlobDamaged):
        await box.vault.verify_blob(stored.blob)


async def test_parts_exchanged_between_blobs_do_not_open(box: VaultBox) -> None:
    one, other = await box.store(b"one"), await box.store(b"two")
    for blob, part in ((one.blob, other.parts[0]), (other.blob, one.parts[0])):
        await box.database.execute("UPDATE blob_part SET file = {} WHERE blob = {}", part.file, blob)
    for blob in (one.blob, other.blob):
        with pytest.raises(BlobDamaged):
            await box.vault.verify_blob(blob)


async def test_what_was_never_stored_is_not_found(box: VaultBox) -> None:
    with pytest.raises(NotFound):
        await box.vault.open(uuid7.new())
    writer = await box.begin()
    await writer.write(b"deed")
    await writer.durable()
    with pytest.raises(NotFound):
        await box.vault.open(writer.blob)


async def test_an_empty_blob_is_authenticated_too(box: VaultBox) -> None:
    stored = await box.store(b"")
    assert await box.vault.verify_blob(stored.blob) == (stored.sha256, 0)
    change(box.folder / stored.parts[0].file, 50)
    with pytest.raises(BlobDamaged, match="segment 0"):
        await box.vault.verify_blob(stored.blob)


async def test_many_may_read_at_once(box: VaultBox, stored: StoredBlob) -> None:
    import asyncio

    async def whole(blob: UUID) -> bytes:
        return await box.read(blob)

    assert set(await asyncio.gather(*(whole(stored.blob) for _ in range(8)))) == {TEXT}


async def test_a_reader_that_is_left_in_the_middle_holds_nothing_open(box: VaultBox, stored: StoredBlob) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(20):
        reader = await box.vault.open(stored.blob)
        async for _ in reader.read(0, reader.size):
            break
    del reader
    await box.read(stored.blob)
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 4


def change(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << (place % 8)
    path.write_bytes(data)
