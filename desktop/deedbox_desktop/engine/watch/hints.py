"""Events of the file system, taken as one word only: look again soon. Lost or doubled events do no harm."""

import os
import sys
from collections.abc import Callable

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

# What may mean a new or finished file. Linux tells when a writer closes, so the flood of single writes is left out there; opening
# and closing for reading is left out everywhere: our own reading would nudge us.
_EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileClosedEvent if sys.platform == "linux" else FileModifiedEvent,
]


class _Nudge(FileSystemEventHandler):
    def __init__(self, nudge: Callable[[], None]) -> None:
        self._nudge = nudge

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._nudge()


class Hints:
    """Calls `nudge`, from another thread, when something changes below a watched folder."""

    def __init__(self, nudge: Callable[[], None]) -> None:
        self._handler = _Nudge(nudge)
        self._observer: BaseObserver = Observer()
        self._watches: dict[bytes, ObservedWatch] = {}
        self._observer.start()

    def watch(self, path: bytes) -> bool:
        """Ask for events. False where none can be had (too many watches, a drive without events): rescans do it alone."""
        if path not in self._watches:
            try:
                self._watches[path] = self._observer.schedule(
                    self._handler, os.fsdecode(path), recursive=True, event_filter=_EVENTS
                )
            except OSError:
                return False
        return True

    def forget(self, path: bytes) -> None:
        """The folder is gone for now; events are asked for again when it is back."""
        watch = self._watches.pop(path, None)
        if watch is not None:
            self._observer.unschedule(watch)

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()
