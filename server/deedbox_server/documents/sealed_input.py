"""Bytes in memory that nobody can change any more: how a document reaches a worker without ever touching a disk.

memfd_create(2) with seals F_SEAL_SEAL | SHRINK | GROW | WRITE; what is handed out is a second, read-only opening of it.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@asynccontextmanager
async def sealed(pieces: AsyncIterator[bytes]) -> AsyncIterator[int]:
    """A read-only, seekable, sealed descriptor at offset 0 over all the pieces. The caller has capped their sum."""
    writable = os.memfd_create("document", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        async for piece in pieces:
            _write_all(writable, piece)
        readable = _seal(writable)
    finally:
        os.close(writable)
    try:
        yield readable
    finally:
        os.close(readable)


@contextmanager
def sealed_bytes(data: bytes) -> Iterator[int]:
    """The same over bytes at hand."""
    writable = os.memfd_create("bytes", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        _write_all(writable, data)
        readable = _seal(writable)
    finally:
        os.close(writable)
    try:
        yield readable
    finally:
        os.close(readable)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _seal(writable: int) -> int:
    fcntl.fcntl(writable, fcntl.F_ADD_SEALS, _SEALS)
    return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
