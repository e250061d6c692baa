"""Taking up an unfinished blob where its last durable point is (formats/blob.md, Unfinished)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from deedbox_server.errors import Conflict
from deedbox_server.vault.errors import BlobDamaged, MissingKey
from deedbox_server.vault.key_rows import CaseKey, PartKey
from deedbox_server.vault.open_part import reopen_part
from deedbox_server.vault.part_reader import PartReader
from deedbox_server.vault.places import Places
from deedbox_server.vault.stored import StoredPart
from deedbox_server.vault.tail import TailRecord, open_tail, read_tail
from deedbox_server.vault.workshop import SEGMENTS_A_BLOCK, Buffers, Workshop
from deedbox_sync.errors import FormatError
from deedbox_sync.tink_stream import SEGMENT, plaintext_length

if TYPE_CHECKING:
    from hashlib import _Hash

HEAD_BYTES = 4096  # of a blob's beginning, kept so that the kind of document can be told without reading it again


@dataclass(frozen=True)
class Mark:
    """A durable point: so many whole segments of a part and so long a tail; what precedes it, as a number and as a hash.

    Nobody updates `hashed`: take a copy.
    """

    part: int
    segments: int
    tail_length: int
    offset: int
    hashed: "_Hash"

    def is_of(self, record: TailRecord | None) -> bool:
        if record is None:
            return self.part == NO_PART
        return (self.part, self.segments, self.tail_length) == (record.part, record.segments, record.length)


NO_PART = -1


@dataclass(frozen=True)
class TakenUp:
    """The parts of an unfinished blob, all closed, and the point they reach."""

    closed: tuple[StoredPart, ...]
    mark: Mark
    head: bytes


def nothing_yet() -> TakenUp:
    return TakenUp((), Mark(NO_PART, 0, 0, 0, hashlib.sha256()), b"")


async def take_up(workshop: Workshop, case_key: CaseKey, blob: UUID) -> TakenUp:
    """Close the part that was being written, drop what was not durable and its keys, read what is there once for its hash.

    May be cut short and done again: closing writes the same bytes. BlobDamaged when durable bytes do not hold.
    """
    record = await workshop.run(partial(read_tail, workshop.places.tail(blob), blob))
    keys = (await workshop.keys.part_keys([blob])).get(blob, {})
    if record is not None and not keys:
        record = None  # given up: its keys went first
    if record is not None and record.case_key != case_key.id:
        raise Conflict("these bytes were begun for another case")
    reached = NO_PART if record is None else record.part
    if any(number > reached for number in keys):
        await workshop.keys.forget_parts([blob], first=reached + 1)
    await workshop.run(partial(_drop_parts, workshop.places, blob, reached, keys))
    if record is None:
        return nothing_yet()
    for number in range(reached + 1):
        if number not in keys:
            raise MissingKey(blob, number)
    return await _read_again(workshop, record, keys)


def _drop_parts(places: Places, blob: UUID, reached: int, keys: Mapping[int, PartKey]) -> None:
    for number in keys:
        if number > reached:
            (places.data / places.part(blob, number)).unlink(missing_ok=True)
    if reached == NO_PART:
        places.tail(blob).unlink(missing_ok=True)


async def _read_again(workshop: Workshop, record: TailRecord, keys: Mapping[int, PartKey]) -> TakenUp:
    reading, places = _Reading(), workshop.places
    closed = []
    for number in range(record.part):
        closed.append(await workshop.run(partial(_closed_part, places, keys[number])))
        await reading.take(workshop, partial(PartReader.of, places.data, closed[-1], keys[number]))
    key = keys[record.part]
    tail = open_tail(record, key)
    if record.segments:
        path, length = places.data / places.part(key.blob, key.part), record.segments * SEGMENT
        await reading.take(workshop, partial(PartReader, path, key, 0, length, closed=False))
    reading.take_bytes(tail)
    closed.append(await workshop.run(partial(close_old_part, places, key, record.segments, tail)))
    mark = Mark(record.part, record.segments, record.length, reading.size, reading.hashed)
    return TakenUp(tuple(closed), mark, reading.head)


def close_old_part(places: Places, key: PartKey, segments: int, tail: bytes) -> StoredPart:
    """Give a part its last segment, the tail that its durable tail record fixes. The same again is nothing."""
    part = reopen_part(places, key, segments)
    try:
        return part.close_with(tail)
    finally:
        part.file.close()


def _closed_part(places: Places, key: PartKey) -> StoredPart:
    name = places.part(key.blob, key.part)
    try:
        length = (places.data / name).stat().st_size
        return StoredPart(key.part, name, 0, length, plaintext_length(length))
    except FileNotFoundError as error:
        raise BlobDamaged(key.blob, key.part, None, "its file is gone") from error
    except FormatError as error:
        raise BlobDamaged(key.blob, key.part, None, "its file has an impossible length") from error


class _Reading:
    """Plaintext going by: its hash, its size, its first bytes."""

    def __init__(self) -> None:
        self.hashed = hashlib.sha256()
        self.size = 0
        self.head = b""

    def take_bytes(self, data: bytes | memoryview) -> None:
        self.hashed.update(data)
        self.size += len(data)
        if (room := HEAD_BYTES - len(self.head)) > 0:
            self.head += data[:room]

    async def take(self, workshop: Workshop, open_part: Callable[[], PartReader]) -> None:
        """All of a part, a block at a time: it may be large, and whoever wants it may give up."""
        part = await workshop.run(open_part)
        try:
            for first in range(0, part.segments, SEGMENTS_A_BLOCK):
                await workshop.run(partial(self._take_block, workshop.buffers, part, first))
        finally:
            part.close()

    def _take_block(self, buffers: Buffers, part: PartReader, first: int) -> None:
        scratch, out = buffers.take(), buffers.take()
        try:
            with memoryview(scratch) as read, memoryview(out) as plain:
                self.take_bytes(plain[: part.open_segments(first, SEGMENTS_A_BLOCK, read, plain)])
        finally:
            buffers.give(scratch)
            buffers.give(out)
