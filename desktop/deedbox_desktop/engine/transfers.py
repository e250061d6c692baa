"""What is on its way right now, for the progress line and the window."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Transfer:
    """Bytes of one file under way. `sent` grows while somebody else looks."""

    file: int | None
    size: int
    sent: int

    def passing(self, pieces: Iterator[memoryview]) -> Iterator[memoryview]:
        for piece in pieces:
            yield piece
            self.sent += len(piece)


class Transfers:
    """Thread-safe."""

    def __init__(self) -> None:
        self._now: list[Transfer] = []
        self._lock = threading.Lock()

    @contextmanager
    def of(self, file: int | None, size: int, sent: int) -> Iterator[Transfer]:
        one = Transfer(file, size, sent)
        with self._lock:
            self._now.append(one)
        try:
            yield one
        finally:
            with self._lock:
                self._now.remove(one)

    def now(self) -> list[Transfer]:
        with self._lock:
            return list(self._now)
