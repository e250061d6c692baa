"""A disk that fills up or fails, in this process: the system calls that write and sync, with a budget.

Two kinds of failure, since both happen: the call did nothing, or it did its work and reported failure all the same.
"""

import errno
import os
from collections.abc import Callable
from typing import Any

_PAGE = 4096


class SmallDisk:
    """`room` bytes may be written (None: any number); a call named in `failing` fails each time, after its work if `late`."""

    def __init__(self, room: int | None = None) -> None:
        self.room = room
        self.failing: set[str] = set()
        self.late = False
        self._real: dict[str, Callable[..., Any]] = {
            name: getattr(os, name) for name in ("write", "pwrite", "fsync", "fdatasync", "replace")
        }

    def install(self, patch: Callable[[Any, str, Any], None]) -> None:
        """Replace the calls of this process's `os`."""
        patch(os, "pwrite", self._pwrite)
        patch(os, "write", self._write)
        for name in ("fsync", "fdatasync", "replace"):
            patch(os, name, self._other(name))

    def fail(self, *names: str, late: bool = False) -> None:
        self.failing, self.late = set(names), late

    def mend(self, room: int | None = None) -> None:
        self.failing, self.room = set(), room

    def _pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        view = self._fitting(data)
        return int(self._real["pwrite"](descriptor, view, offset))

    def _write(self, descriptor: int, data: bytes) -> int:
        view = self._fitting(data)
        return int(self._real["write"](descriptor, view))

    def _fitting(self, data: bytes) -> memoryview:
        view = memoryview(data)
        if self.room is None:
            return view
        if self.room == 0 and view:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(len(view), self.room)
        self.room -= taken
        return view[:taken]

    def _other(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name in self.failing and not self.late:
                raise OSError(errno.ENOSPC, "No space left on device")
            outcome = self._real[name](*arguments, **named)
            if name in self.failing:
                raise OSError(errno.ENOSPC, "No space left on device")
            return outcome

        return call
