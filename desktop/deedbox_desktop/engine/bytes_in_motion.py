"""Large contents on their way: read ahead, hashed beside the sending, in a few buffers that are used again and again."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from typing import Protocol

PIECE = 1 << 20  # stays in a processor's cache while it is read, hashed and encrypted
Pieces = Generator[memoryview, None, None]

DEPTH = 4  # pieces under way at once: enough to keep reading, hashing and sending all busy
SMALL = 2 * PIECE  # up to here threads cost more than they bring


class Source(Protocol):
    """Bytes that can be read from any place: an original, or a spooled copy."""

    @property
    def size(self) -> int: ...

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill from this offset as far as the bytes go; how many were read."""
        ...


class SourceEnded(Exception):
    """There are fewer bytes than there were."""


class Digest:
    """A SHA-256 that is fed each byte once and in order, however often pieces are sent again."""

    def __init__(self) -> None:
        self._hash = sha256()
        self.at = 0

    def feed(self, piece: memoryview, offset: int) -> None:
        """A piece from this offset, which may begin before where the digest is, but not after."""
        if offset > self.at:
            raise ValueError("a piece is missing")
        fresh = piece[self.at - offset :]
        if fresh:
            self._hash.update(fresh)
            self.at += len(fresh)

    def digest(self) -> bytes:
        return self._hash.digest()


class Crew:
    """One thread that reads and one that hashes, for one transfer at a time."""

    def __init__(self, name: str) -> None:
        self.reader = ThreadPoolExecutor(1, thread_name_prefix=f"{name} read")
        self.hasher = ThreadPoolExecutor(1, thread_name_prefix=f"{name} hash")

    def dismiss(self) -> None:
        self.reader.shutdown()
        self.hasher.shutdown()


def pieces(source: Source, start: int, end: int, digest: Digest | None, crew: Crew) -> Pieces:
    """The bytes from `start` to `end`, each piece good until the next is asked for.

    The crew reads ahead, in order, and hashes while the caller sends. All of it is in `digest` when the
    iterator ends. SourceEnded, and what the source raises, come out here.
    """
    if end - start <= SMALL:
        yield from _small(source, start, end, digest)
        return
    free = [memoryview(bytearray(PIECE)) for _ in range(DEPTH)]
    reading: deque[tuple[Future[memoryview], int, memoryview]] = deque()
    hashed: Future[None] | None = None
    at = start
    try:
        while at < end or reading:
            while free and at < end:
                buffer, length = free.pop(), min(PIECE, end - at)
                reading.append((crew.reader.submit(_read, source, buffer[:length], at), at, buffer))
                at += length
            read, offset, buffer = reading.popleft()
            piece = read.result()
            if digest is not None:
                hashed = crew.hasher.submit(digest.feed, piece, offset)
            yield piece
            if hashed is not None:
                hashed.result()
            free.append(buffer)
    finally:
        for read, _, _ in reading:
            read.cancel() or read.exception()  # nobody may still write into a buffer, or read a source, after this
        if hashed is not None:
            hashed.exception()


def hash_source(source: Source, digest: Digest, end: int, crew: Crew) -> None:
    """Feed the digest up to `end` without sending anything."""
    for _ in pieces(source, digest.at, end, digest, crew):
        pass


def _small(source: Source, start: int, end: int, digest: Digest | None) -> Pieces:
    buffer = memoryview(bytearray(min(PIECE, end - start) or 1))
    for offset in range(start, end, PIECE):
        piece = _read(source, buffer[: min(PIECE, end - offset)], offset)
        if digest is not None:
            digest.feed(piece, offset)
        yield piece


def _read(source: Source, buffer: memoryview, offset: int) -> memoryview:
    filled = 0
    while filled < len(buffer):
        count = source.read_into(buffer[filled:], offset + filled)
        if not count:
            raise SourceEnded
        filled += count
    return buffer
