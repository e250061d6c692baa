"""What outsiders prove of when, put together: the bracket of any log entry (formats/time.md, Bracket)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Vouched(NamedTuple):
    """A time and who vouches for it."""

    time: datetime
    by: str


@dataclass(frozen=True)
class Sighting:
    """A pinned witness had seen the first `size` entries of the log by `time`."""

    size: int
    time: datetime
    by: str


@dataclass(frozen=True)
class HeldStamp:
    """A time stamp that leads to a pinned root; `number` is K of its file. See `stamp.Stamp` for the times.

    `renewed` is a later stamp over a tree that has this one's `time.stamp` entry, and `renewed_until` when its certificates end.
    """

    size: int
    number: int
    time: datetime
    authority: str
    expires: datetime
    unrevoked: datetime | None
    renewed: Vouched | None = None
    renewed_until: datetime | None = None


@dataclass(frozen=True)
class HeldRound:
    """A beacon's round that entries after `index` and before `end` come after: a run proves their order."""

    index: int
    end: int
    vouched: Vouched


@dataclass(frozen=True)
class OutsideTime:
    """What holds. `captures` are the rounds in statements, by exhibit number.

    `unchecked` says in words what is there of stamps and cosignatures and could not be judged, `unavailable` that an extra
    would judge it.
    """

    quorum: int = 1
    sightings: tuple[Sighting, ...] = ()
    stamps: tuple[HeldStamp, ...] = ()
    rounds: tuple[HeldRound, ...] = ()
    captures: Mapping[int, Vouched] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    unavailable: bool = False

    def not_after(self, entry: int) -> Vouched | None:
        """The earliest time by which an authority, or a quorum of witnesses, had seen a tree with this log entry."""
        found = [Vouched(stamp.time, stamp.authority) for stamp in self.stamps if stamp.size > entry]
        seen = sorted(self._seen(entry).items(), key=lambda item: (item[1], item[0]))[: self.quorum]
        if len(seen) == self.quorum:
            found.append(Vouched(seen[-1][1], ", ".join(sorted(name for name, _ in seen))))
        return min(found, key=lambda one: one.time, default=None)

    def witnesses(self, entry: int) -> int:
        """How many pinned witnesses saw a tree with this log entry."""
        return len(self._seen(entry))

    def not_before(self, entry: int) -> Vouched | None:
        """The latest round that a run proves to be before this log entry."""
        found = [one.vouched for one in self.rounds if one.index < entry < one.end]
        return max(found, key=lambda one: one.time, default=None)

    def _seen(self, entry: int) -> Mapping[str, datetime]:
        """When each witness had first seen a tree with this entry."""
        first: dict[str, datetime] = {}
        for sighting in self.sightings:
            if sighting.size > entry:
                first[sighting.by] = min(sighting.time, first.get(sighting.by, sighting.time))
        return first
