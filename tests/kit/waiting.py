"""Waiting for what other processes do: asked again and again until it is so, or until time is up, which is a failure."""

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

OFTEN = 0.05  # seconds between two questions
_SHARE = 4  # times as long as an answer took: asking must not be what keeps the machine busy


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
    asked = time.monotonic()
    deadline = asked + seconds
    while not (answer := holds()):
        now = time.monotonic()
        if now > deadline:
            raise NotInTime(f"not within {seconds:.0f} s: {what}. {tell()}")
        time.sleep(max(every, _SHARE * (now - asked)))
        asked = time.monotonic()
    return answer
