"""The part that a writer is writing: bytes in, whole segments out, hashed in one thread and sealed in another.

Bytes are put into a block of a few segments; a full block goes to both threads while the next one fills. The last bytes, up to
a whole segment, are kept back: only when more follow is it known that a segment is not the last.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from mmap import mmap
from typing import TYPE_CHECKING
from uuid import UUID

from deedbox_server.vault.key_rows import CaseKey, KeyBatch, PartKey
from deedbox_server.vault.open_part import OpenPart
from deedbox_server.vault.workshop import SEGMENTS_A_BLOCK, Lane, Workshop, settled
from deedbox_sync.tink_stream import plaintext_capacity

if TYPE_CHECKING:
    from hashlib import _Hash

_MAX_IN_FLIGHT = 2  # full blocks on their way to hash and disk while the next one fills


class Stretch:
    """Made for each part and thrown away with it, closed or not. After any error only `quiet` and `release` may follow."""

    def __init__(
        self, workshop: Workshop, case_key: CaseKey, blob: UUID, number: int, hashed: "_Hash", offset: int
    ) -> None:
        self.offset = offset
        self.segments = 0  # handed over to be sealed; all in the file after `flush`
        self.hashed = hashed  # of every byte of the blob, after `flush`
        self.key = PartKey(blob, number, case_key.id, os.urandom(32))
        self.part: OpenPart | None = None
        self._key_saved: asyncio.Task[None] | None = None
        self._workshop = workshop
        self._block: mmap | None = None
        self._parked = b""
        self._filled = 0
        self._hashed_up_to = 0
        self._hashing = Lane(workshop.threads)
        self._sealing = Lane(workshop.threads)
        self._flight: deque[tuple[Future[None], Future[None], mmap]] = deque()

    @property
    def is_empty(self) -> bool:
        """Nothing was taken yet, and nothing of this part is on the disk or in the key store."""
        return self._key_saved is None and self._filled == 0

    async def room(self) -> memoryview:
        """Where the next bytes go: at least one, waiting where the threads are behind. `took` says how many were put there."""
        capacity = _capacity(self.segments)
        if self._filled == capacity:
            await self._send(self._filled, SEGMENTS_A_BLOCK)
            capacity = _capacity(self.segments)
        return memoryview(self._taken_block())[self._filled : capacity]

    def took(self, count: int) -> None:
        self._filled += count
        self.offset += count

    async def flush(self) -> OpenPart:
        """Every whole segment that is followed by more bytes is in the file (not synced) and every byte in the hash."""
        part = await self._begun()
        length, count = 0, 0
        while self._filled - length > (size := plaintext_capacity(self.segments + count)):
            length += size
            count += 1
        if count:
            await self._send(length, count)
        await self._reap(0)
        await self._through(self._hash_rest())
        return part

    def tail(self) -> bytes:
        """The bytes that were kept back, after `flush`."""
        return self._parked if self._block is None else bytes(memoryview(self._block)[: self._filled])

    def rest(self) -> None:
        """After `flush`: keep the tail alone and give the block back. Uploads may stay open for days."""
        if self._block is not None:
            self._parked = self.tail()
            self._workshop.buffers.give(self._block)
            self._block = None

    async def seal(self, job: Callable[[], object]) -> None:
        """Do this in the sealing thread, after what it has to do already."""
        await self._through(self._sealing.submit(job))

    async def key_durable(self) -> None:
        assert self._key_saved is not None
        await asyncio.shield(self._key_saved)

    async def quiet(self) -> None:
        """Wait until no thread has anything of this stretch, however that ends."""
        await settled(self._hashing.submit(_nothing))
        await settled(self._sealing.submit(_nothing))
        if self._key_saved is not None:
            await asyncio.wait([self._key_saved])
            self._key_saved.exception()

    def release(self) -> None:
        """Give memory and file back. Only when quiet."""
        if self.part is not None:
            self.part.file.close()
        for _, _, block in self._flight:
            self._workshop.buffers.give(block)
        self._flight.clear()
        if self._block is not None:
            self._workshop.buffers.give(self._block)
            self._block = None

    async def _begun(self) -> OpenPart:
        """The part; its file and key are made with its first block, and become durable together with what first needs them."""
        if self.part is None:
            self._key_saved = asyncio.create_task(self._workshop.keys.commit(KeyBatch(part_keys=[self.key])))
            self.part = await self._workshop.run(partial(OpenPart.create, self._workshop.places, self.key))
        return self.part

    async def _send(self, length: int, count: int) -> None:
        """Hand the block's first `count` segments to the threads; what follows them begins the next block."""
        part = await self._begun()
        await self._reap(_MAX_IN_FLIGHT - 1)
        hashed = self._hash_rest()
        block, rest = self._taken_block(), self._filled - length
        view = memoryview(block)
        sealed = self._sealing.submit(partial(self._append, part, view[:length]))
        self._flight.append((hashed, sealed, block))
        self._block = self._workshop.buffers.take()
        self._block[:rest] = view[length : self._filled]
        self._filled = self._hashed_up_to = rest
        self.segments += count

    def _hash_rest(self) -> Future[None]:
        """Queue the bytes that are not in the hash; the future is done when every byte so far is."""
        if self._block is None or self._hashed_up_to == self._filled:
            return self._hashing.submit(_nothing)
        fresh = memoryview(self._block)[self._hashed_up_to : self._filled]
        self._hashed_up_to = self._filled
        return self._hashing.submit(partial(self.hashed.update, fresh))

    def _append(self, part: OpenPart, plain: memoryview) -> None:
        out = self._workshop.buffers.take()
        try:
            with memoryview(out) as room:
                part.append(plain, room)
        finally:
            self._workshop.buffers.give(out)

    async def _reap(self, limit: int) -> None:
        """Wait until at most `limit` blocks are on their way."""
        while len(self._flight) > limit:
            hashed, sealed, block = self._flight[0]
            await self._through(hashed)
            await self._through(sealed)
            self._flight.popleft()
            self._workshop.buffers.give(block)

    async def _through(self, done: Future[None]) -> None:
        await settled(done)
        for lane in (self._hashing, self._sealing):
            if lane.failure is not None:
                raise lane.failure

    def _taken_block(self) -> mmap:
        if self._block is None:
            self._block = self._workshop.buffers.take()
            self._block[: self._filled] = self._parked
            self._parked = b""
        return self._block


def _capacity(first_segment: int) -> int:
    """Plaintext bytes in a block that begins with this segment."""
    return sum(plaintext_capacity(first_segment + more) for more in range(SEGMENTS_A_BLOCK))


def _nothing() -> None:
    pass
