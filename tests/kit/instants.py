"""Random instants in another process's work, counted in its writes and not in seconds: as deep on any machine."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_OFTEN: Final = 0.002  # seconds; a commit takes some milliseconds


def await_instant(
    files: Sequence[Path], rng: random.Random, *, most_writes: int, most_seconds: float, ended: Callable[[], bool]
) -> int:
    """Wait until these files have been written to a random number of times, and a moment longer; how many times it was.

    It does not wait for longer than `most_seconds`, nor for a process that has ended.
    """
    wanted = rng.randint(0, most_writes)
    after = rng.uniform(0.0, 0.02)
    deadline = time.monotonic() + most_seconds
    seen, writes = _look(files), 0
    while writes < wanted and time.monotonic() < deadline and not ended():
        time.sleep(_OFTEN)
        now = _look(files)
        writes += now != seen
        seen = now
    time.sleep(after)
    return writes


def _look(files: Sequence[Path]) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for file in files:
        try:
            facts = file.stat()
        except OSError:
            found.append(None)
        else:
            found.append((facts.st_mtime_ns, facts.st_size))
    return found
