"""Small contents in memory between capture and the box's answer; what is not here is read again from spool or original."""

import threading

MOST_HELD = 32 << 20  # two batches: one in flight, one being captured


class Contents:
    """By journal number. Thread-safe."""

    def __init__(self) -> None:
        self._held: dict[int, bytes] = {}
        self._size = 0
        self._lock = threading.Lock()

    def room(self) -> bool:
        return self._size < MOST_HELD

    def put(self, sequence: int, content: bytes) -> None:
        with self._lock:
            self._held[sequence] = content
            self._size += len(content)

    def get(self, sequence: int) -> bytes | None:
        return self._held.get(sequence)

    def drop(self, sequence: int) -> None:
        with self._lock:
            content = self._held.pop(sequence, None)
            if content is not None:
                self._size -= len(content)

    def move(self, old: int, new: int) -> None:
        """The statement was signed anew under another number."""
        with self._lock:
            content = self._held.pop(old, None)
            if content is not None:
                self._held[new] = content

    def all(self) -> dict[int, bytes]:
        with self._lock:
            return dict(self._held)
