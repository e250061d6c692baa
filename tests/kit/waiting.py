"""Waiting for what other processes do: asked again and again until it is so, or until time is up, which is a failure."""

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

OFTEN = 0.05  # seconds between two questions


class NotInTime(AssertionError):
    """What was waited for did not come about."""


def until(
    holds: Callable[[], _T | None],
    what: str,
    *,
    seconds: float,
    every: float = OFTEN,
    tell: Callable[[], object] = lambda: "",
) -> _T:
    """The first answer of `holds` that is true. NotInTime says `what` did not come, and what `tell` tells of it."""
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        if time.monotonic() > deadline:
            raise NotInTime(f"not within {seconds:.0f} s: {what}. {tell()}")
        time.sleep(every)
    return answer
