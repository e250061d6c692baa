"""Free space, and a full disk as one typed error."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deedbox_disk.errors import OutOfSpace

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

RESERVE = 64 << 20  # bytes kept free: a database whose disk is full can neither checkpoint nor record that it is full


def free_bytes(path: Path) -> int:
    """Bytes that an unprivileged process may still write to the volume of `path`."""
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize


def require_free(path: Path, wanted: int, *, reserve: int = RESERVE) -> None:
    """Raise OutOfSpace unless `wanted` bytes fit on the volume of `path` beside the reserve. A forecast, not a
    promise.
    """
    free = free_bytes(path)
    if free < wanted + reserve:
        raise OutOfSpace(f"{wanted} bytes wanted, {max(0, free - reserve)} free")


@contextmanager
def space_errors(path: Path) -> Iterator[None]:
    """Turn "no space" and "over quota" from the system into OutOfSpace; other errors pass unchanged."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace(f"no space left on the volume of {path}") from error
        raise
