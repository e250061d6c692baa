"""The life line of one exhibit, as geometry: where each event stands on one horizontal line (LOOK.md). Draws nothing.

Distances grow with the logarithm of time, so that seconds and years have room on one line; the words between the points say
how long it really was.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_LEAST = 1.0  # the weight of a step without any time, in the unit of ln(seconds)


@dataclass(frozen=True)
class Moment:
    """Something on the line. `kind` is a custody word, `captured`, `not-before` or `not-after`.

    `room` is how much of the line's width, as a fraction, must be free before the next moment with room.
    """

    kind: str
    time: datetime
    room: float = 0.0


def positions(moments: Sequence[Moment]) -> tuple[float, ...]:
    """For each moment, in the order of their times, where it stands between 0 and 1.

    A moment that claims to be earlier than the one before it (two clocks) stands right after it. Rooms are kept as long
    as they fit together; where they do not, all shrink alike.
    """
    if len(moments) < 2:
        return (0.0,) * len(moments)
    weights = [
        _LEAST + math.log1p(max((after.time - before.time).total_seconds(), 0.0))
        for before, after in itertools.pairwise(moments)
    ]
    rooms = [max(before.room, after.room) for before, after in itertools.pairwise(moments)]
    steps = _shared(weights, rooms)
    places = [0.0]
    for step in steps:
        places.append(places[-1] + step)
    return tuple(min(place, 1.0) for place in places)


def _shared(weights: Sequence[float], rooms: Sequence[float]) -> list[float]:
    """Steps that add up to 1: each at least its room, what is left shared by weight."""
    needed = sum(rooms)
    if needed >= 1.0:
        return [room / needed for room in rooms]
    total = sum(weights)
    steps = list(rooms)
    free = 1.0 - needed
    for place, weight in enumerate(weights):
        steps[place] += free * weight / total
    return steps


def in_words(duration: timedelta) -> str:
    """A duration as people say it, rounded down to its largest unit."""
    seconds = int(max(duration.total_seconds(), 0))
    for unit, length in (("year", 31_556_952), ("month", 2_629_746), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    if seconds == 0:
        return "under a second"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
