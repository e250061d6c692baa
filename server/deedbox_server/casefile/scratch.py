"""A plain SQLite database whose file on the box's disk is encrypted, under a key that dies with the process.

SQLite reads and writes its pages through this file system of one file: each page is AES-256-XTS of its place (IEEE 1619), as
disks are encrypted, in a file that has no name and that the kernel frees when it is closed, or the process dies. So the memory
that a case takes is bounded, and what is streamed out is an ordinary database file. Nothing here proves that the disk gave back
what was written: it is a scratch file of minutes, not evidence.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import apsw
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import XTS

from deedbox_server.errors import DiskFull, TooLarge

PAGE: Final = 4096
MAX_BYTES: Final = 16 << 30  # of one file: the text of millions of pages; more is a disk filled by mistake
_CACHE_KIB: Final = 32 << 10  # pages that wait in memory before they are written
_KEY_BYTES: Final = 64  # two AES-256 keys, as XTS has it
_TWEAK_BYTES: Final = 16

_numbers: Final = count(1)


class Scratch:
    """The database as `connection` while it is made, then its bytes. Closing it frees the disk. One thread at a time."""

    def __init__(self, folder: Path, limit: int = MAX_BYTES) -> None:
        self._pages = _SealedPages(folder, limit)
        self._files = _OneFile(f"casefile-{os.getpid()}-{next(_numbers)}", self._pages)
        self.connection = apsw.Connection("case.sqlite", vfs=self._files.vfs_name)
        for name, value in (
            ("page_size", PAGE),
            ("locking_mode", "exclusive"),
            ("journal_mode", "off"),  # it is finished or thrown away
            ("synchronous", "off"),
            ("temp_store", "memory"),
            ("cache_size", -_CACHE_KIB),
        ):
            self.connection.pragma(name, value)

    @contextmanager
    def filling(self) -> Iterator[apsw.Connection]:
        """The connection, whose errors of the disk come out as our own."""
        try:
            yield self.connection
        except (apsw.Error, OSError) as error:
            raise self._pages.refusal or error from None

    def finish(self) -> int:
        """No more is written; how many bytes the file has."""
        with self.filling():
            self.connection.close()
        return self._pages.size

    def read(self, offset: int, amount: int) -> bytes:
        """Bytes of the finished file; fewer at its end."""
        return self._pages.read(offset, amount)

    def close(self) -> None:
        """May be called again."""
        self.connection.close(True)
        self._pages.close()
        self._files.forget()


class _SealedPages:
    """Pages of a file without a name, each encrypted for its place. `refusal`: why a write did not happen."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it lives as long as this
        self._cipher = AES(os.urandom(_KEY_BYTES))
        self._limit = limit
        self.size = 0
        self.refusal: DiskFull | TooLarge | None = None

    def read(self, offset: int, amount: int) -> bytes:
        first, end = offset // PAGE, min(-(-(offset + amount) // PAGE), self.size // PAGE)
        held = os.pread(self._file.fileno(), max(end - first, 0) * PAGE, first * PAGE)
        plain = b"".join(
            self._turn(first + at // PAGE, held[at : at + PAGE], False) for at in range(0, len(held), PAGE)
        )
        start = offset - first * PAGE
        return plain[start : start + amount]

    def write(self, offset: int, data: bytes) -> None:
        """Whole pages only, as SQLite writes them. FullError, and `refusal`, where there is no room."""
        if offset % PAGE or len(data) % PAGE:
            raise ValueError("SQLite writes whole pages")
        if offset + len(data) > self._limit:
            self.refusal = TooLarge("This case is too large for one file: export its exhibits as bundles.")
            raise apsw.FullError("the limit of one file")
        first = offset // PAGE
        sealed = b"".join(
            self._turn(first + at // PAGE, data[at : at + PAGE], True) for at in range(0, len(data), PAGE)
        )
        try:
            written = os.pwrite(self._file.fileno(), sealed, offset)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            written = 0
        if written != len(sealed):
            self.refusal = DiskFull()
            raise apsw.FullError("the disk")
        self.size = max(self.size, offset + len(sealed))

    def truncate(self, size: int) -> None:
        os.ftruncate(self._file.fileno(), size)
        self.size = size

    def close(self) -> None:
        self._file.close()

    def _turn(self, place: int, page: bytes, seal: bool) -> bytes:
        cipher = Cipher(self._cipher, XTS(place.to_bytes(_TWEAK_BYTES, "little")))
        turning = cipher.encryptor() if seal else cipher.decryptor()
        return turning.update(page) + turning.finalize()


class _OneFile(apsw.VFS):
    """SQLite's file system that has this one file. Nobody else has its name, so that locks are not needed."""

    def __init__(self, name: str, pages: _SealedPages) -> None:
        self.vfs_name = name
        self._pages: _SealedPages | None = pages
        super().__init__(name, base="")

    def xOpen(self, name: object, flags: list[int]) -> _OpenFile:  # type: ignore[override]
        if not flags[0] & apsw.SQLITE_OPEN_MAIN_DB or self._pages is None:
            raise apsw.CantOpenError("there is one file here")
        return _OpenFile(self._pages)

    def xAccess(self, pathname: str, flags: int) -> bool:
        return False

    def xFullPathname(self, name: str) -> str:
        return name

    def forget(self) -> None:
        """No connection is open any more."""
        if self._pages is not None:
            self._pages = None
            self.unregister()


class _OpenFile:
    """What SQLite asks of a file (sqlite3_io_methods)."""

    def __init__(self, pages: _SealedPages) -> None:
        self._pages = pages

    def xRead(self, amount: int, offset: int) -> bytes:
        return self._pages.read(offset, amount)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._pages.write(offset, data)

    def xTruncate(self, size: int) -> None:
        self._pages.truncate(size)

    def xFileSize(self) -> int:
        return self._pages.size

    def xSync(self, flags: int) -> None: ...
    def xLock(self, level: int) -> None: ...
    def xUnlock(self, level: int) -> None: ...
    def xClose(self) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return PAGE

    def xDeviceCharacteristics(self) -> int:
        return 0
