"""Reading a blob: any range at the cost of its own segments, every byte authenticated before it is given out."""

import asyncio
import hashlib
import threading
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from functools import partial
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from deedbox_server.vault.errors import BlobDamaged, MissingKey
from deedbox_server.vault.key_rows import PartKey
from deedbox_server.vault.part_reader import PartReader
from deedbox_server.vault.stored import StoredPart
from deedbox_server.vault.workshop import SEGMENTS_A_BLOCK, Workshop
from deedbox_sync.tink_stream import plaintext_capacity, segment_at


class VerifiedBlob(NamedTuple):
    """What all bytes of a blob, each authenticated, come to."""

    sha256: bytes
    size: int


class BlobReader:
    """The plaintext of one finished blob. `read_at` may be called from any thread; it blocks, so not from the event loop.

    What it has open is closed by `close` or with the reader itself.
    """

    def __init__(
        self, workshop: Workshop, blob: UUID, size: int, parts: tuple[StoredPart, ...], keys: Mapping[int, PartKey]
    ) -> None:
        if not parts or (len(parts) > 1 and not all(part.plain_length for part in parts)):
            raise BlobDamaged(blob, 0, None, "its parts cannot be the parts of a blob")
        ends = list(accumulate(part.plain_length for part in parts))
        if ends[-1] != size:
            raise BlobDamaged(blob, parts[-1].number, None, "its parts do not add up to the blob")
        for part in parts:
            if part.number not in keys:
                raise MissingKey(blob, part.number)
        self.blob = blob
        self.size = size
        self._workshop = workshop
        self._parts = parts
        self._keys = keys
        self._starts = [0, *ends[:-1]]
        self._lock = threading.Lock()
        self._open: tuple[int, PartReader] | None = None
        self._segment: tuple[int, int, bytes] | None = (
            None  # the last one that was read alone: small reads come in rows
        )

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end` or the blob's own end, in pieces; one piece is read ahead."""
        end = min(end, self.size)
        ahead = self._read_ahead(start, end)
        while start < end:
            piece = await asyncio.wrap_future(ahead)
            start += len(piece)
            ahead = self._read_ahead(start, end)
            yield piece

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`: fewer only at the blob's end."""
        end = min(offset + length, self.size)
        pieces = []
        while offset < end:
            pieces.append(self._piece(offset, end))
            offset += len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def verify(self) -> VerifiedBlob:
        """Read everything and authenticate every segment; BlobDamaged names the first that does not hold."""
        digest = hashlib.sha256()
        if self.size == 0:  # one empty segment, which no read touches
            await self._workshop.run(partial(self._read_block, 0, 0, 1, 0, 0))
        async for piece in self.read(0, self.size):
            await self._workshop.run(partial(digest.update, piece))
        return VerifiedBlob(digest.digest(), self.size)

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open[1].close()
                self._open = None
            self._segment = None

    def _read_ahead(self, start: int, end: int) -> Future[bytes]:
        if start < end:
            return self._workshop.threads.submit(partial(self._piece, start, end))
        nothing: Future[bytes] = Future()
        nothing.set_result(b"")
        return nothing

    def _piece(self, start: int, end: int) -> bytes:
        """At least one byte of a range that is not empty: as much as one part and one block hold."""
        place = bisect_right(self._starts, start) - 1
        base = self._starts[place]
        first, inner = segment_at(start - base)
        stop = min(end - base, self._parts[place].plain_length)
        last, _ = segment_at(stop - 1)
        with self._lock:
            if first == last:
                segment = self._read_segment(place, first)
                return segment[inner : inner + stop - (start - base)]
            return self._read_block(place, first, min(last - first + 1, SEGMENTS_A_BLOCK), inner, stop - (start - base))

    def _read_segment(self, place: int, index: int) -> bytes:
        if self._segment is None or self._segment[:2] != (place, index):
            self._segment = place, index, self._read_block(place, index, 1, 0, plaintext_capacity(index))
        return self._segment[2]

    def _read_block(self, place: int, first: int, count: int, inner: int, length: int) -> bytes:
        buffers = self._workshop.buffers
        scratch, out = buffers.take(), buffers.take()
        try:
            with memoryview(scratch) as read, memoryview(out) as plain:
                filled = self._part(place).open_segments(first, count, read, plain)
                return bytes(plain[inner : min(inner + length, filled)])
        finally:
            buffers.give(scratch)
            buffers.give(out)

    def _part(self, place: int) -> PartReader:
        if self._open is None or self._open[0] != place:
            if self._open is not None:
                self._open[1].close()
            part = self._parts[place]
            self._open = place, PartReader.of(self._workshop.places.data, part, self._keys[part.number])
        return self._open[1]
