"""The timeline of a case: everything in it that has a time, in order, with who says so and how surely.

Its sources are registered by whoever has something with a time; this package knows none of the higher ones. A source is a path
through one table, so that a page is two queries: each source gives at most a page's places from its own index, the database
merges them, and then only the rows that are on the page are read. No call ever reads a case as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from deedbox_server import cursor
from deedbox_server.cases.page import DEFAULT_LIMIT, limit_of
from deedbox_server.database import Database, Row
from deedbox_server.database.interface import Dialect
from deedbox_server.errors import BadRequest, Denied
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.permissions import Permit

MAX_KINDS: Final = 50  # in one filter; a firm has a few dozen kinds of events
NO_TEXT: Final = "CAST(NULL AS TEXT)"  # typed: Postgres merges only columns of one type
NO_ID: Final = "CAST(NULL AS UUID)"

_NAME: Final = re.compile(r"[a-z]+(-[a-z]+)*")
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class TimelineSource:
    """Rows of one table as entries of timelines; but for `name` and `operation`, SQL over that table, ours and never a caller's.

    `operation` is what the principal must be allowed in the case to be shown any. (`case`, `time`, `id`) must be an index, or
    name one row a case. `said_by` says in words whose time it is. `zone` is null where it is not known in which zone the time
    was told; it then stands here as if it had been UTC. `certainty`: exact, minute, day, month, year, about. `shared` is the
    column that says that outsiders may see the row; without one they see none.
    """

    name: str
    operation: str
    table: str
    time: str | Mapping[Dialect, str]
    kind: str
    title: str
    said_by: str
    id: str = "id"
    case: str = "case_id"
    zone: str = "'UTC'"
    certainty: str = "'exact'"
    object: str = "id"
    exhibit: str = NO_ID
    shared: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class TimelineEntry:
    """One thing with a time; `object` is what it is about, of the kind that its `source` has."""

    id: UUID
    time: datetime
    zone: str | None
    certainty: str
    source: str
    said_by: str
    kind: str
    title: str
    object: UUID
    exhibit: UUID | None
    shared: bool


@dataclass(frozen=True)
class TimelineAsked:
    """Which entries: of these sources and kinds (all, where none is named), from `since` on and before `until`."""

    sources: Sequence[str] = ()
    kinds: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    backwards: bool = False


@dataclass(frozen=True)
class TimelinePage:
    """`next` is the cursor after the last entry; None when there are no more."""

    entries: tuple[TimelineEntry, ...]
    next: str | None


@dataclass(frozen=True)
class _Place:
    """Where a page ended: the order is by time, then id, then the rank of the source."""

    time: datetime
    id: UUID
    rank: int


class Timeline:
    """The registry of sources, filled once at start-up, and the question."""

    def __init__(self, db: Database, permissions: Permissions) -> None:
        self._db = db
        self._permissions = permissions
        self._sources: list[TimelineSource] = []

    def register(self, *sources: TimelineSource) -> None:
        """Each name once. Sources keep the order in which they come: it decides between entries of one time and id."""
        for source in sources:
            if not _NAME.fullmatch(source.name) or source.name in self.sources:
                raise ValueError(f"timeline source {source.name!r} is registered already, or no name")
            if source.operation not in self._permissions.rules:
                raise ValueError(f"timeline source {source.name} names an unknown operation {source.operation}")
            self._sources.append(source)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names that can be asked for."""
        return tuple(source.name for source in self._sources)

    async def page(
        self,
        principal: Principal,
        case: UUID,
        asked: TimelineAsked,
        *,
        after: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> TimelinePage:
        """Entries in order of time after the cursor, as far as this principal may see what they are about; who may not see a
        source is answered as if it were empty."""
        permit = await self._permissions.permit(self._db, principal, "timeline.read", case=case)
        self._check(asked)
        place = self._decode(after) if after is not None else None
        limit = limit_of(limit)
        places: list[str] = []
        args: list[object] = []
        for rank, source in enumerate(self._sources):
            if (not asked.sources or source.name in asked.sources) and self._may(principal, permit, source):
                sql, values = _places(source, rank, case, asked, place, limit + 1, self._db.dialect, permit.outside)
                places.append(sql)
                args += values
        if not places:
            return TimelinePage((), None)
        found = await self._db.fetch(_page(places, backwards=asked.backwards, limit=limit + 1), *args)
        entries = await self._read(found[:limit])
        more = len(found) > limit and entries
        return TimelinePage(tuple(entries), _encode(entries[-1]) if more else None)

    async def _read(self, found: Sequence[Row]) -> list[TimelineEntry]:
        """The entries that stand at these places, in their order; one that was taken away meanwhile is left out.

        Lists of ids are filled up to a power of two: few lengths make few statements, which databases prepare and remember.
        """
        by_source: dict[int, list[UUID]] = {}
        for row in found:
            by_source.setdefault(row["rank"], []).append(row["id"])
        parts: list[str] = []
        args: list[object] = []
        width = 1 << (max((len(ids) for ids in by_source.values()), default=1) - 1).bit_length()
        for rank, ids in sorted(by_source.items()):
            parts.append(_rows(self._sources[rank], rank, ", ".join(["{}"] * width)))
            args += ids + ids[-1:] * (width - len(ids))
        rows = await self._db.fetch(" UNION ALL ".join(parts), *args) if parts else []
        told = {(row.pop("rank"), row["id"]): row for row in rows}
        return [
            TimelineEntry(**told[row["rank"], row["id"]], time=row["time"], source=self._sources[row["rank"]].name)
            for row in found
            if (row["rank"], row["id"]) in told
        ]

    def _may(self, principal: Principal, permit: Permit, source: TimelineSource) -> bool:
        if permit.outside and source.shared is None:
            return False
        try:
            rule = self._permissions.require(principal, source.operation)
        except Denied:
            return False
        return principal.kind == "system" or bool(permit.roles & rule.roles)

    def _check(self, asked: TimelineAsked) -> None:
        if unknown := sorted(set(asked.sources) - set(self.sources)):
            raise BadRequest(f"there is no source {unknown[0][:50]}: there are {', '.join(self.sources)}")
        if len(asked.kinds) > MAX_KINDS:
            raise BadRequest(f"ask for at most {MAX_KINDS} kinds at once")

    def _decode(self, text: str) -> _Place:
        time, key, source = cursor.decode(text, int, str, str)
        try:
            place = _EPOCH + int(time) * _MICROSECOND
            return _Place(place, UUID(hex=str(key)), self.sources.index(str(source)))
        except (ValueError, OverflowError):
            raise BadRequest("the cursor is not one of this list: begin again without it") from None


def _encode(entry: TimelineEntry) -> str:
    return cursor.encode((entry.time - _EPOCH) // _MICROSECOND, entry.id.hex, entry.source)


def _places(
    source: TimelineSource,
    rank: int,
    case: UUID,
    asked: TimelineAsked,
    place: _Place | None,
    limit: int,
    dialect: Dialect,
    outside: bool,
) -> tuple[str, list[object]]:
    """Where one source's next rows stand, no more than a page of them: along its index, without reading the rows themselves."""
    time = source.time if isinstance(source.time, str) else source.time[dialect]
    conditions = [f"{source.case} = {{}}"]
    order = "DESC" if asked.backwards else "ASC"
    values: list[object] = [case]
    if source.where is not None:
        conditions.append(source.where)
    if outside:
        assert source.shared is not None
        conditions.append(source.shared)
    if asked.kinds:
        conditions.append(f"{source.kind} IN ({', '.join(['{}'] * len(asked.kinds))})")
        values += asked.kinds
    if place is not None:
        beyond = "<" if asked.backwards else ">"
        later = rank < place.rank if asked.backwards else rank > place.rank
        conditions.append(f"({time}, {source.id}) {beyond}{'=' if later else ''} ({{}}, {{}})")
        values += [place.time, place.id]
    conditions += [f"{time} >= {{}}", f"{time} < {{}}"]
    values += [asked.since or _FIRST, asked.until or _LAST]
    sql = (
        f"SELECT {source.id} AS entry_id, {time} AS entry_time, {rank:d} AS entry_rank FROM {source.table} "
        f"WHERE {' AND '.join(conditions)} ORDER BY {time} {order}, {source.id} {order} LIMIT {limit:d}"
    )
    return sql, values


def _page(places: Sequence[str], *, backwards: bool, limit: int) -> str:
    """The first places of all sources."""
    order = "DESC" if backwards else "ASC"
    together = " UNION ALL ".join(f"SELECT * FROM ({part}) AS part_{number}" for number, part in enumerate(places))
    return (
        f'SELECT entry_id AS "id [uuid]", entry_time AS "time [timestamptz]", entry_rank AS rank FROM ({together}) AS entry '
        f"ORDER BY entry_time {order}, entry_id {order}, entry_rank {order} LIMIT {limit:d}"
    )


def _rows(source: TimelineSource, rank: int, marks: str) -> str:
    """What one source says of its rows with these ids."""
    return (
        f'SELECT {source.id} AS "id [uuid]", {source.zone} AS zone, {source.certainty} AS certainty, '
        f"{source.said_by} AS said_by, {source.kind} AS kind, {source.title} AS title, "
        f'{source.object} AS "object [uuid]", {source.exhibit} AS "exhibit [uuid]", '
        f'{source.shared or "FALSE"} AS "shared [boolean]", {rank:d} AS rank FROM {source.table} WHERE {source.id} IN ({marks})'
    )
