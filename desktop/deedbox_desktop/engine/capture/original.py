"""An original, open for reading: proof that nobody writes it, its facts, its bytes, and that it stayed as it was.

Nothing here changes the original, its access time included where the system lets us.
"""

import errno
import os
import signal
import stat
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from deedbox_desktop.engine.watch.scan import within
from deedbox_sync.file_facts import FileFacts, readable_name
from deedbox_sync.statement import ReadException

if sys.platform == "linux":
    import fcntl

MOST_ATTRIBUTES = (
    16 << 10
)  # bytes of extended attributes kept: a statement has 64 KiB in all, and base64 takes a third more


class FileGone(Exception):
    """There is no such file any more: the next look at the folder tells what became of it."""


class FileBusy(Exception):
    """Somebody is writing it, or it changed while it was read."""


class FileUnreadable(Exception):
    """The system refuses to read it; the text is a sentence."""


@dataclass(frozen=True)
class Shape:
    """What must not change while a file is read. `changed_ns` is 0 where another machine's clock keeps it."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int


_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0) | getattr(
    os, "O_NONBLOCK", 0
)  # what became a link or a pipe meanwhile is no evidence
_NOATIME = getattr(os, "O_NOATIME", 0)
_INODE_BITS = (1 << 63) - 1
_UNKNOWN_DATE = ReadException("attributes-unreadable", "the date is beyond what can be written")


class OpenOriginal:
    """One open original. FileGone, FileBusy or FileUnreadable come from the constructor and from every method."""

    def __init__(self, path: bytes, *, local: bool = True) -> None:
        self._local = local
        self._descriptor = _open(path)
        try:
            self._facts = os.fstat(self._descriptor)
            if not stat.S_ISREG(self._facts.st_mode):
                raise FileGone
            if _is_written(self._descriptor):
                raise FileBusy
            self.shape = self._shape(self._facts)
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        return self.shape.size

    def read_whole(self) -> bytes:
        """All bytes, checked to be as many as when it was opened. For small files."""
        try:
            data = os.read(self._descriptor, self.size + 1)
            while len(data) < self.size and (more := os.read(self._descriptor, self.size + 1 - len(data))):
                data += more
        except OSError as error:
            raise FileUnreadable(_words(error)) from error
        if len(data) != self.size:
            raise FileBusy
        return data

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer from this offset, as far as the file goes; the number of bytes read."""
        try:
            if sys.platform == "win32":
                os.lseek(self._descriptor, offset, os.SEEK_SET)
                data = os.read(self._descriptor, len(buffer))
                buffer[: len(data)] = data
                return len(data)
            return os.preadv(self._descriptor, [buffer], offset)
        except OSError as error:
            raise FileUnreadable(_words(error)) from error

    def verify_unchanged(self) -> None:
        """FileBusy unless the file is still what was opened and nobody writes it."""
        facts = os.fstat(self._descriptor)
        if self._shape(facts) != self.shape or _is_written(self._descriptor):
            raise FileBusy

    def file_facts(self, path: bytes) -> tuple[FileFacts, tuple[ReadException, ...]]:
        """What the system tells of the file, under its path in the watched folder, and what could not be told."""
        raw = tuple(path.split(os.fsencode(os.sep)))
        readable = tuple(map(readable_name, raw))
        is_utf8 = all(name.encode() == part for name, part in zip(readable, raw, strict=True))
        attributes, exceptions = _attributes(self._descriptor)
        facts = self._facts
        dated = within(facts.st_mtime_ns) == facts.st_mtime_ns
        file = FileFacts(
            name=readable[-1],
            path=readable[:-1],
            size=facts.st_size,
            modified_ns=facts.st_mtime_ns if dated else None,
            created_ns=_created_ns(facts),
            mode=None if sys.platform == "win32" else stat.S_IMODE(facts.st_mode),
            attributes=attributes,
            name_bytes=None if is_utf8 else raw[-1],
            path_bytes=None if is_utf8 else raw[:-1],
        )
        return file, exceptions if dated else (*exceptions, _UNKNOWN_DATE)

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _shape(self, facts: os.stat_result) -> Shape:
        changed = facts.st_ctime_ns if self._local and sys.platform != "win32" else 0
        return Shape(facts.st_size, within(facts.st_mtime_ns), changed, facts.st_ino & _INODE_BITS)


def _open(path: bytes) -> int:
    try:
        try:
            return os.open(path, _FLAGS | _NOATIME)
        except PermissionError:
            return os.open(path, _FLAGS)  # O_NOATIME is for a file's owner only
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileGone from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileGone from error
        raise FileUnreadable(_words(error)) from error


def _is_written(descriptor: int) -> bool:
    """Whether a process has the file open for writing, where the system tells (Linux, our own files: fcntl(2), Leases).

    A read lease is taken and given back at once. Should a writer come in between, the kernel signals the holder: not with
    SIGIO, which would end this process, but with SIGURG, which is ignored.
    """
    if sys.platform != "linux":
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EBUSY)  # anything else: leases are not for us here
    return False


def _attributes(descriptor: int) -> tuple[dict[str, bytes], tuple[ReadException, ...]]:
    if sys.platform != "linux":
        return {}, ()
    kept: dict[str, bytes] = {}
    exceptions: list[ReadException] = []
    room = MOST_ATTRIBUTES
    try:
        names = sorted(os.listxattr(descriptor))
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}, ()
        return {}, (ReadException("attributes-unreadable", _words(error)),)
    for name in names:
        shown = readable_name(os.fsencode(name))
        try:
            value = os.getxattr(descriptor, name)
        except OSError as error:
            exceptions.append(ReadException("attributes-unreadable", f"{shown}: {_words(error)}"))
            continue
        room -= len(name) + len(value)
        if room < 0 or shown != name:
            exceptions.append(ReadException("attributes-unreadable", f"{shown}: {len(value)} bytes, not kept"))
        else:
            kept[name] = value
    return kept, tuple(exceptions[:20])  # of a file with hundreds, some examples


def _created_ns(facts: os.stat_result) -> int | None:
    if sys.platform == "win32":
        return facts.st_ctime_ns
    if sys.platform == "darwin":
        return int(facts.st_birthtime * 1e9)
    return None


def _words(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "This file may not be read by you"
    if error.errno == errno.EIO:
        return "The drive reports a read error"
    return error.strerror or str(error)
