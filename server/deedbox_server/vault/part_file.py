"""One growing file of ciphertext: appended to, cut back, synced."""

import errno
import os
import weakref
from contextlib import suppress
from pathlib import Path

from deedbox_disk import durable
from deedbox_disk.space import space_errors
from deedbox_server.vault.errors import disk_errors

# Linux: past the page cache. A large upload then costs no memory and half the processor time, and `sync` has little left to
# write; the rest of the machine keeps its cache. 0 where the system has no such thing.
_DIRECT = getattr(os, "O_DIRECT", 0)
_NONE = -1


class PartFile:
    """An open file and its length. After an error there may be bytes past that length, which `cut` removes.

    The file is closed with it or when nobody holds it any more.
    """

    def __init__(self, path: Path, descriptor: int, length: int) -> None:
        self.path = path
        self.length = length
        self._descriptor = descriptor
        self._direct: int | None = None  # a second descriptor, past the page cache, where that can be had
        self._closing = [weakref.finalize(self, os.close, descriptor)]
        self._named = False  # whether the folder has been synced since the file was made

    @classmethod
    def create(cls, path: Path) -> "PartFile":
        """An empty file, mode 0600. One of this name that a crash left behind is removed."""
        with disk_errors():
            durable.make_folder(path.parent)
            path.unlink(missing_ok=True)
            with space_errors(path):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return cls(path, descriptor, 0)

    @classmethod
    def open(cls, path: Path) -> "PartFile":
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        return cls(path, descriptor, os.fstat(descriptor).st_size)

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Write at the end."""
        self._write(memoryview(data), self.length)
        self.length += len(data)

    def append_pages(self, data: memoryview) -> None:
        """Write at the end, past the page cache where the file system can. `data` is page-aligned, and its length and the
        file's are multiples of a page (4,096 bytes).
        """
        written = self._write_direct(data, self.length)
        self._write(data[written:], self.length + written)  # a disk that fills up writes less than it was asked to
        self.length += len(data)

    def cut(self, length: int) -> None:
        """Drop everything from `length` on."""
        os.ftruncate(self._descriptor, length)
        self.length = length

    def sync(self) -> None:
        """Make bytes, length and name durable."""
        with disk_errors(), space_errors(self.path):
            os.fdatasync(self._descriptor)
            if not self._named:
                durable.sync_folder(self.path.parent)
                self._named = True

    def close(self) -> None:
        """Twice is once."""
        for close in self._closing:
            close()

    def _write(self, data: memoryview, offset: int) -> None:
        with disk_errors(), space_errors(self.path):
            while data:
                written = os.pwrite(self._descriptor, data, offset)
                data, offset = data[written:], offset + written

    def _write_direct(self, data: memoryview, offset: int) -> int:
        direct = self._open_direct()
        if direct < 0:
            return 0
        try:
            with disk_errors(), space_errors(self.path):
                return os.pwrite(direct, data, offset)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self._direct = _NONE  # opens, but wants another alignment than pages
            return 0

    def _open_direct(self) -> int:
        if self._direct is None:
            self._direct = _NONE
            with suppress(
                OSError
            ):  # EINVAL: this file system has none; anything else shows with the ordinary descriptor
                if _DIRECT:
                    self._direct = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | _DIRECT)
                    self._closing.append(weakref.finalize(self, os.close, self._direct))
        return self._direct
