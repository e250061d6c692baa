"""The events of a case: add, change, remove, list. Outsiders see those that are shared."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from deedbox_server import cursor
from deedbox_server.cases import event as facts
from deedbox_server.cases import states, versioned
from deedbox_server.cases.event import Event, EventChange, NewEvent
from deedbox_server.cases.page import Page, limit_of, page, uuid_of
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, NotFound
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.holds import refuse_if_held
from deedbox_server.people.recorder import Recorder
from deedbox_sync import timestamp, uuid7
from deedbox_sync.canonical_json import Json
from deedbox_sync.errors import FormatError

_SHOWN_TO_OUTSIDERS: Final = " AND shared = {} AND removed IS NULL"


class Events:
    def __init__(self, db: Database, permissions: Permissions, trail: Recorder, clock: Clock = system_clock) -> None:
        self._db = db
        self._permissions = permissions
        self._trail = trail
        self._clock = clock

    async def of(
        self, principal: Principal, case: UUID, *, removed: bool = False, after: str | None = None, limit: int = 100
    ) -> Page[Event]:
        """A case's events in the order in which they happened; with `removed`, those too, for the firm."""
        permit = await self._permissions.permit(self._db, principal, "event.read", case=case)
        size = limit_of(limit)
        where = "" if removed else " AND removed IS NULL"
        args: list[object] = [case]
        if permit.outside:
            where = _SHOWN_TO_OUTSIDERS
            args.append(True)
        if after is not None:
            where += " AND (starts, id) > ({}, {})"
            args += _place(after)
        rows = await self._db.fetch(
            f"SELECT {facts.COLUMNS} FROM case_event WHERE case_id = {{}}{where} ORDER BY starts, id LIMIT {{}}",
            *args,
            size + 1,
        )
        return page(
            [facts.read(row) for row in rows],
            size,
            lambda one: cursor.encode(timestamp.encode(one.facts.starts), str(one.id)),
        )

    async def get(self, principal: Principal, case: UUID, event: UUID) -> Event:
        """One event of this case. What is not shared is not there for outsiders."""
        permit = await self._permissions.permit(self._db, principal, "event.read", case=case)
        found = await self._read(case, event)
        if permit.outside and (not found.facts.shared or found.removed is not None):
            raise NotFound
        return found

    async def add(self, principal: Principal, case: UUID, new: NewEvent) -> Event:
        """Add an event to an open case."""
        await self._permissions.permit(self._db, principal, "event.write", case=case)
        new = facts.checked(new)
        now, event = self._clock(), uuid7.new()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            row = {"id": event, "case_id": case, **facts.stored(new), "version": 1, "created": now}
            row["made_by"] = principal.actor_id
            await self._db.insert_many("case_event", tuple(row), [tuple(row.values())])
            return await self._told(principal, case, event, "added")

    async def change(self, principal: Principal, case: UUID, event: UUID, change: EventChange, expected: int) -> Event:
        """Change an event of an open case. PreconditionFailed unless it has the version expected."""
        await self._permissions.permit(self._db, principal, "event.write", case=case)
        now = self._clock()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            old = await self._current(case, event, expected)
            await versioned.write(
                self._db, "case_event", event, facts.stored(facts.merged(old.facts, change)), expected
            )
            return await self._told(principal, case, event, "changed")

    async def remove(self, principal: Principal, case: UUID, event: UUID, expected: int) -> Event:
        """Take an event out of an open case; it is kept as removed. OnHold under a legal hold."""
        await self._permissions.permit(self._db, principal, "event.write", case=case)
        now = self._clock()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            await self._current(case, event, expected)
            await refuse_if_held(self._db, case=case)
            await versioned.write(self._db, "case_event", event, {"removed": now}, expected)
            return await self._told(principal, case, event, "removed")

    # --- within

    async def _current(self, case: UUID, event: UUID, expected: int) -> Event:
        found = await self._read(case, event)
        versioned.check_current(found, expected)
        return found

    async def _read(self, case: UUID, event: UUID) -> Event:
        row = await self._db.fetch_one(
            f"SELECT {facts.COLUMNS} FROM case_event WHERE id = {{}} AND case_id = {{}}", event, case
        )
        if row is None:
            raise NotFound
        return facts.read(row)

    async def _told(self, principal: Principal, case: UUID, event: UUID, what: str) -> Event:
        found = await self._read(case, event)
        detail: dict[str, Json] = {
            "event": what,
            "kind": found.facts.kind,
            "shared": found.facts.shared,
            "starts": timestamp.encode(found.facts.starts),
            "title": found.facts.title,
        }
        await self._trail.changed(principal, "event.write", case=case, object=event, detail=detail)
        return found


def _place(after: str) -> list[object]:
    starts, event = cursor.decode(after, str, str)
    try:
        return [timestamp.parse(str(starts)), uuid_of(str(event))]
    except FormatError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None
