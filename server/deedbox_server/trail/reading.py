"""Reading the trail: audit records, custody, papers and the records of trust in devices as one list, behind the reader's wall.

Newest first, or oldest first, by the records' ids, which are made in the order of time. Each page is four queries that carry
the wall themselves; what is barred is as if it had not been. A refusal of the reader's own is told to it wherever it was, but
without its case: that it was refused it knows, and whether there is such a case it must not learn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from deedbox_server import cursor
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, NotFound
from deedbox_server.notary.service import Notary
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.trail.told import Told, of_audit, of_custody, of_paper, of_trust
from deedbox_server.trail.trail import Trail
from deedbox_sync import audit_record, uuid7

MAX_PAGE: Final = 500
_EXPORT_PAGE: Final = 500  # rows in memory at a time

_READS: Final = ("downloaded", "viewed")  # custody kinds that are views


@dataclass(frozen=True)
class Asked:
    """Which rows: None asks for all. `person` is an account (its devices count as it) or a device; `since` is the first moment,
    `until` the first one after."""

    case: UUID | None = None
    person: UUID | None = None
    operation: str | None = None
    outcome: str | None = None
    object: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Page:
    rows: tuple[Told, ...]
    next: str | None


@dataclass(frozen=True)
class _Part:
    """Conditions, with `{}` for each of `args`."""

    conditions: tuple[str, ...]
    args: tuple[object, ...]

    def and_(self, condition: str, *args: object) -> _Part:
        return _Part((*self.conditions, condition), (*self.args, *args))

    @property
    def where(self) -> str:
        return " AND ".join(self.conditions)


class TrailReading:
    """`trail` is flushed before each first page, so that a reader finds what it has just seen and done."""

    def __init__(self, db: Database, notary: Notary, permissions: Permissions, trail: Trail) -> None:
        self._db = db
        self._notary = notary
        self._permissions = permissions
        self._trail = trail

    async def page(
        self,
        principal: Principal,
        asked: Asked,
        *,
        after: str | None = None,
        limit: int = 100,
        oldest_first: bool = False,
    ) -> Page:
        """One page of the whole box's trail (`audit.read`), or of one case's for whoever may read that (`case.audit`)."""
        if not 1 <= limit <= MAX_PAGE:
            raise BadRequest(f"limit is 1 to {MAX_PAGE}")
        if asked.outcome is not None and asked.outcome not in audit_record.OUTCOMES:
            raise BadRequest(f"outcome is one of {', '.join(audit_record.OUTCOMES)}")
        await self._permit(principal, asked)
        if after is None:
            await self._trail.flush()
        rows = await self._rows(principal, asked, _last(after), limit + 1, oldest_first)
        shown = await self._finished(principal, rows[:limit])
        return Page(tuple(shown), cursor.encode(str(rows[limit - 1].id)) if len(rows) > limit else None)

    async def all(self, principal: Principal, asked: Asked) -> AsyncIterator[Told]:
        """Every row, oldest first, as far as there are any when this begins; one page in memory. The wall is asked at each."""
        after, end = None, uuid7.new()
        while True:
            page = await self.page(principal, asked, after=after, limit=_EXPORT_PAGE, oldest_first=True)
            for row in page.rows:
                if row.id > end:
                    return
                yield row
            if (after := page.next) is None:
                return

    async def proof(self, principal: Principal, record: UUID) -> tuple[bytes, str | None]:
        """A record's bytes and the receipt that opens its entry, None while that is pending. NotFound as for a list's row."""
        self._permissions.require(principal, "audit.read")
        part = self._audit(principal, Asked()).and_("id = {}", record)
        row = await self._db.fetch_one(
            f"SELECT case_id, actor, record FROM audit_record WHERE {part.where}", *part.args
        )
        if row is None or (case := row["case_id"]) not in (None, *await self._seen(principal, [case] if case else [])):
            raise NotFound
        data: bytes = row["record"]
        if case is None and _ids(audit_record.parse(data).detail):
            raise NotFound  # a list over many cases names them all, to whomever it may be given
        receipts = await self._notary.receipts({record: {"record": audit_record.digest(data)}})
        return data, receipts.get(record)

    # --- who may read what

    async def _permit(self, principal: Principal, asked: Asked) -> None:
        if asked.case is None:
            self._permissions.require(principal, "audit.read")
        else:
            await self._permissions.permit(self._db, principal, "case.audit", case=asked.case)

    async def _seen(self, principal: Principal, cases: Sequence[UUID]) -> set[UUID]:
        """Those of these that are cases and that the reader sees."""
        wall = self._permissions.wall(principal, "case.audit")
        rows = await self._db.fetch_in(
            f"SELECT id FROM legal_case WHERE {wall.on('legal_case.id')} AND id IN ", sorted(set(cases)), *wall.args
        )
        return {row["id"] for row in rows}

    async def _barred(self, principal: Principal, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these that are cases which the reader does not see."""
        wall = self._permissions.wall(principal, "case.audit")
        rows = await self._db.fetch_in(
            f"SELECT id FROM legal_case WHERE NOT {wall.on('legal_case.id')} AND id IN ", sorted(set(ids)), *wall.args
        )
        return {row["id"] for row in rows}

    # --- rows

    async def _rows(
        self, principal: Principal, asked: Asked, last: UUID | None, limit: int, oldest_first: bool
    ) -> list[Told]:
        actors = await self._actors(asked)
        order = "ASC" if oldest_first else "DESC"

        def page(part: _Part, id_: str) -> tuple[str, tuple[object, ...]]:
            if last is not None:
                part = part.and_(f"{id_} {'>' if oldest_first else '<'} {{}}", last)
            return f"{part.where} ORDER BY {id_} {order} LIMIT {{}}", (*part.args, limit)

        told: list[Told] = []
        where, args = page(_by_actor(self._audit(principal, asked), "actor", actors), "id")
        told += [
            of_audit(row)
            for row in await self._db.fetch(f"SELECT id, time, case_id, record FROM audit_record WHERE {where}", *args)
        ]
        if (custody := self._custody(principal, asked)) is not None:
            where, args = page(_by_actor(custody, "custody_event.actor", actors), "custody_event.id")
            told += [
                of_custody(row)
                for row in await self._db.fetch(
                    "SELECT custody_event.id, custody_event.time, exhibit.case_id, custody_event.record FROM custody_event"
                    f" JOIN exhibit ON exhibit.id = custody_event.exhibit WHERE {where}",
                    *args,
                )
            ]
        papers, trust = self._papers(principal, asked), self._trust(principal, asked)
        for table, columns, part, read in (
            ("paper", "id, case_id, kind, created, record", papers, of_paper),
            ("trust_record", "id, created, record", trust, of_trust),
        ):
            if part is None:
                continue
            where, args = page(part, "id")
            if actors is not None:  # who did it stands in the record only: all are read, a few for each case and desk
                where, args = where.removesuffix(" LIMIT {}"), args[:-1]
            rows = await self._db.fetch(f"SELECT {columns} FROM {table} WHERE {where}", *args)
            told += [row for row in map(read, rows) if actors is None or row.actor in actors]
        return sorted(told, key=lambda row: row.id, reverse=not oldest_first)[:limit]

    def _audit(self, principal: Principal, asked: Asked) -> _Part:
        part = _Part((), ())
        wall = self._permissions.wall(principal, "case.audit")
        if asked.case is not None:
            part = part.and_("case_id = {}", asked.case)
        elif principal.cases is None:
            part = part.and_(
                f"(case_id IS NULL OR {wall.on('case_id')} OR (actor = {{}} AND outcome = 'refused'))",
                *wall.args,
                principal.actor_id,
            )
        else:
            part = part.and_(wall.on("case_id"), *wall.args)
        for column, value in (("operation", asked.operation), ("outcome", asked.outcome), ("object", asked.object)):
            if value is not None:
                part = part.and_(f"{column} = {{}}", value)
        return _within(part, "time", asked)

    def _custody(self, principal: Principal, asked: Asked) -> _Part | None:
        """None where nothing in custody can be what is asked for."""
        wall = self._permissions.wall(principal, "case.audit")
        part = _Part((), ()).and_(wall.on("exhibit.case_id"), *wall.args)
        if asked.operation is not None:
            if not asked.operation.startswith("exhibit."):
                return None
            part = part.and_("custody_event.kind = {}", asked.operation.removeprefix("exhibit."))
        if asked.outcome == "refused":
            return None
        if asked.outcome is not None:
            word = "IN" if asked.outcome == "viewed" else "NOT IN"
            part = part.and_(f"custody_event.kind {word} ({{}}, {{}})", *_READS)
        if asked.case is not None:
            part = part.and_("exhibit.case_id = {}", asked.case)
        if asked.object is not None:
            part = part.and_("custody_event.exhibit = {}", asked.object)
        return _within(part, "custody_event.time", asked)

    def _papers(self, principal: Principal, asked: Asked) -> _Part | None:
        """None where no paper's record can be what is asked for."""
        if asked.operation not in (None, "paper.make") or asked.outcome not in (None, "changed"):
            return None
        wall = self._permissions.wall(principal, "case.audit")
        part = _Part((), ()).and_(wall.on("paper.case_id"), *wall.args)
        if asked.case is not None:
            part = part.and_("case_id = {}", asked.case)
        if asked.object is not None:
            part = part.and_("id = {}", asked.object)
        return _within(part, "created", asked)

    def _trust(self, principal: Principal, asked: Asked) -> _Part | None:
        """None where no record of trust in a device can be what is asked for: they are of no case, and all are changes."""
        if asked.case is not None or principal.cases is not None or asked.outcome not in (None, "changed"):
            return None
        part = _Part(("1 = 1",), ())
        if asked.operation is not None:
            part = part.and_("kind = {}", asked.operation)
        if asked.object is not None:
            part = part.and_("device = {}", asked.object)
        return _within(part, "created", asked)

    async def _actors(self, asked: Asked) -> list[str] | None:
        if asked.person is None:
            return None
        rows = await self._db.fetch("SELECT id FROM device WHERE account = {}", asked.person)
        return [f"account:{asked.person}", f"device:{asked.person}", *(f"device:{row['id']}" for row in rows)]

    # --- what is shown of them

    async def _finished(self, principal: Principal, rows: Sequence[Told]) -> list[Told]:
        """With their places in the log and the names of who is not named, without what the reader may not know."""
        places = await self._db.fetch_in("SELECT record, seq FROM log_entry WHERE record IN ", [row.id for row in rows])
        seq = {row["record"]: row["seq"] for row in places}
        names = await self._names([row for row in rows if not row.name])
        seen = await self._seen(principal, [row.case for row in rows if row.case is not None])
        listed = [UUID(one) for row in rows if row.case is None for one in _ids(row.detail)]
        barred = {str(one) for one in await self._barred(principal, listed)}
        finished = []
        for row in rows:
            case = row.case if row.case in seen else None
            detail = row.detail if row.case is not None else _without(row.detail, barred)
            name = row.name or names.get(row.actor, "")
            finished.append(replace(row, seq=seq.get(row.id), case=case, detail=detail, name=name))
        return finished

    async def _names(self, rows: Sequence[Told]) -> dict[str, str]:
        found: dict[str, str] = {}
        for kind in ("account", "device"):
            ids = {UUID(row.actor.partition(":")[2]) for row in rows if row.actor.startswith(f"{kind}:")}
            named = await self._db.fetch_in(f"SELECT id, name FROM {kind} WHERE id IN ", sorted(ids))
            found |= {f"{kind}:{row['id']}": row["name"] for row in named}
        return found


def _by_actor(part: _Part, column: str, actors: Sequence[str] | None) -> _Part:
    if actors is None:
        return part
    return part.and_(f"{column} IN ({', '.join(['{}'] * len(actors))})", *actors)


def _within(part: _Part, column: str, asked: Asked) -> _Part:
    if asked.since is not None:
        part = part.and_(f"{column} >= {{}}", asked.since)
    if asked.until is not None:
        part = part.and_(f"{column} < {{}}", asked.until)
    return part


def _last(after: str | None) -> UUID | None:
    if after is None:
        return None
    (text,) = cursor.decode(after, str)
    try:
        return UUID(str(text))
    except ValueError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None


def _ids(detail: Mapping[str, Any]) -> Sequence[str]:
    """The ids that a view of a list tells of."""
    found = detail.get("ids")
    return found if isinstance(found, list) and detail.keys() == {"count", "ids"} else []


def _without(detail: Mapping[str, Any], barred: set[str]) -> Mapping[str, Any]:
    ids = _ids(detail)
    kept = [one for one in ids if one not in barred]
    return detail if len(kept) == len(ids) else {"count": len(kept), "ids": kept}


__all__ = ["MAX_PAGE", "Asked", "Page", "Told", "TrailReading"]
