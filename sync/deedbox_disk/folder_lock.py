"""One process a folder: flock on a file in it, which the kernel gives back however the process ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from deedbox_disk.errors import FolderInUse


class FolderLock:
    """Holds `path` (made if missing) until closed; taken by another, the constructor raises FolderInUse at once.

    The file holds the owner's process id for a person to read; it is never removed, since a lock on an unlinked file
    excludes nobody. Advisory, and only as good as flock on this file system: not for network drives.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise FolderInUse(f"{path.parent} is in use by process {owner or 'unknown'}") from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)

    def close(self) -> None:
        """Give the folder back; twice is once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
