"""What was seen and refused since the last writing, in memory: grouped, and bounded whatever anybody does.

Nothing here waits or writes. A view that is dropped here was told already; a refusal that is too many is counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from deedbox_server.people.principal import Principal

MAX_HELD: Final = 100_000  # objects that wait, some 15 MB; more means that nothing can be written: see `is_full`
MAX_MARKS: Final = 50_000  # what was told this quarter hour, some 15 MB; more are forgotten and told again
MAX_TOLD: Final = 60  # refusals of one person that are told apart in a minute; the rest are told as counts
MANY: Final = "many"  # the reason under which those are counted
VARIOUS: Final = "various"

_QUARTER: Final = 15  # minutes


class Who(NamedTuple):
    """What a record says of its actor."""

    actor: str
    name: str
    via: str
    device: UUID | None
    address: str | None


class About(NamedTuple):
    """What was asked for."""

    operation: str
    case: UUID | None
    object: UUID | None


class Refusal(NamedTuple):
    who: Who
    about: About
    reason: str
    why: str


@dataclass
class Count:
    """How often since `first`."""

    first: datetime
    times: int = 0


@dataclass
class Gathered:
    """What one writing takes."""

    views: list[tuple[Who, About, datetime]] = field(default_factory=list)
    lists: dict[tuple[Who, About], tuple[datetime, dict[UUID, None]]] = field(default_factory=dict)
    refusals: dict[Refusal, Count] = field(default_factory=dict)


class Gathering:
    """Of one event loop."""

    def __init__(self) -> None:
        self._now = Gathered()
        self._held = 0
        self._marks: dict[tuple[str, str, UUID | None], set[UUID | str | None]] = {}
        self._marked = 0
        self._quarter: datetime | None = None
        self._told: dict[str, int] = {}
        self._minute: datetime | None = None
        self._many: dict[Refusal, Count] = {}

    @property
    def held(self) -> int:
        """How many views wait, those of lists one by one."""
        return self._held

    @property
    def is_full(self) -> bool:
        """Whether no further view can be kept: then nothing more may be shown."""
        return self._held >= MAX_HELD

    def view(self, principal: Principal, about: About, now: datetime) -> None:
        seen = self._seen(principal, about, now)
        if about.object not in seen:
            seen |= {about.object, str(about.object)}
            self._marked += 2
            self._now.views.append((who(principal), about, now))
            self._held += 1

    def list(self, principal: Principal, about: About, ids: Iterable[UUID | str], now: datetime) -> None:
        """`about.object` is None: what is listed has the ids, as UUIDs or as their text; what is neither is no object."""
        seen = self._seen(principal, about, now)
        fresh = [one for one in ids if one not in seen]
        if not fresh:
            return
        seen.update(fresh)
        self._marked += len(fresh)
        if found := [one for one in map(_id, fresh) if one is not None]:
            _, listed = self._now.lists.setdefault((who(principal), about), (now, {}))
            listed.update(dict.fromkeys(found))
            self._held += len(found)

    def refuse(self, principal: Principal, about: About, reason: str, why: str, now: datetime) -> None:
        refusal = Refusal(who(principal), about, reason, why)
        self._turn(now)
        counts = self._now.refusals
        if refusal not in counts:
            told = self._told.get(refusal.who.actor, 0)
            if told >= MAX_TOLD:
                # Neither object nor address nor key: whoever varies those does not make more of them.
                bare = refusal.who._replace(via=VARIOUS, address=None)
                refusal, counts = Refusal(bare, About(about.operation, None, None), MANY, ""), self._many
            else:
                self._told[refusal.who.actor] = told + 1
        counts.setdefault(refusal, Count(now)).times += 1

    def take(self, now: datetime, *, all_counts: bool = False) -> Gathered:
        """What is to be written; counts of what is too many only once their minute is over, or if `all_counts`."""
        self._turn(now)
        if all_counts:
            self._told_apart()
        taken, self._now, self._held = self._now, Gathered(), 0
        return taken

    def put_back(self, gathered: Gathered) -> None:
        """What could not be written comes first next time."""
        later, self._now = self._now, gathered
        self._now.views += later.views
        for listed, (time, ids) in later.lists.items():
            self._now.lists.setdefault(listed, (time, {}))[1].update(ids)
        for refusal, count in later.refusals.items():
            self._now.refusals.setdefault(refusal, Count(count.first)).times += count.times
        self._held = len(self._now.views) + sum(len(ids) for _, ids in self._now.lists.values())

    def _seen(self, principal: Principal, about: About, now: datetime) -> set[UUID | str | None]:
        """The objects of this operation and case that the person was told to have seen in this quarter hour."""
        quarter = now.replace(minute=now.minute - now.minute % _QUARTER, second=0, microsecond=0)
        if quarter != self._quarter or self._marked >= MAX_MARKS:
            self._quarter = quarter
            self._marks.clear()
            self._marked = 0
        return self._marks.setdefault((principal.actor_id, about.operation, about.case), set())

    def _turn(self, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            self._told_apart()

    def _told_apart(self) -> None:
        self._told.clear()
        for refusal, count in self._many.items():
            self._now.refusals.setdefault(refusal, Count(count.first)).times += count.times
        self._many.clear()


def _id(value: UUID | str) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except ValueError:
        return None


def who(principal: Principal) -> Who:
    return Who(principal.actor_id, principal.name, principal.via, principal.device, principal.address)
