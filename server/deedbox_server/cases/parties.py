"""The parties of a case: add, change, remove, list. Only the firm sees them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from deedbox_server import cursor
from deedbox_server.cases import names, states, versioned, words
from deedbox_server.cases import party as facts
from deedbox_server.cases.page import Page, id_after, limit_of, page
from deedbox_server.cases.party import NewParty, Party, PartyChange
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.holds import refuse_if_held
from deedbox_server.people.recorder import Recorder
from deedbox_sync import uuid7

MAX_PARTIES: Final = 2_000  # of one case, removed ones too: a class has members beyond this, and they are no parties


class Parties:
    def __init__(self, db: Database, permissions: Permissions, trail: Recorder, clock: Clock = system_clock) -> None:
        self._db = db
        self._permissions = permissions
        self._trail = trail
        self._clock = clock

    async def of(
        self, principal: Principal, case: UUID, *, removed: bool = False, after: str | None = None, limit: int = 100
    ) -> Page[Party]:
        """A case's parties in the order in which they were added; with `removed`, those too."""
        await self._permissions.permit(self._db, principal, "party.read", case=case)
        size = limit_of(limit)
        where, args = ("", []) if after is None else (" AND id > {}", [id_after(after)])
        rows = await self._db.fetch(
            f"SELECT {facts.COLUMNS} FROM case_party WHERE case_id = {{}}{where}"
            f"{'' if removed else ' AND removed IS NULL'} ORDER BY id LIMIT {{}}",
            case,
            *args,
            size + 1,
        )
        return page([facts.read(row) for row in rows], size, lambda party: cursor.encode(str(party.id)))

    async def get(self, principal: Principal, case: UUID, party: UUID) -> Party:
        """One party of this case, also a removed one."""
        await self._permissions.permit(self._db, principal, "party.read", case=case)
        return await self._read(case, party)

    async def add(self, principal: Principal, case: UUID, new: NewParty) -> Party:
        """Add a party to an open case."""
        await self._permissions.permit(self._db, principal, "party.write", case=case)
        new = facts.checked(new)
        now, party = self._clock(), uuid7.new()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            many = await self._db.fetch_one("SELECT COUNT(*) AS many FROM case_party WHERE case_id = {}", case)
            if many is not None and many["many"] >= MAX_PARTIES:
                raise Conflict(f"A case has at most {MAX_PARTIES} parties.")
            await self._check_represented(case, party, new)
            row = {"id": party, "case_id": case, **facts.stored(new), "version": 1, "created": now}
            await self._db.insert_many("case_party", tuple(row), [tuple(row.values())])
            return await self._index(principal, case, party, "added")

    async def change(self, principal: Principal, case: UUID, party: UUID, change: PartyChange, expected: int) -> Party:
        """Change a party of an open case. PreconditionFailed unless it has the version expected."""
        await self._permissions.permit(self._db, principal, "party.write", case=case)
        now = self._clock()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            old = await self._current(case, party, expected)
            new = facts.merged(old.facts, change)
            await self._check_represented(case, party, new)
            await versioned.write(self._db, "case_party", party, facts.stored(new), expected)
            return await self._index(principal, case, party, "changed")

    async def remove(self, principal: Principal, case: UUID, party: UUID, expected: int) -> Party:
        """Take a party out of an open case. It is kept as removed, and conflict checks still find it. OnHold under a
        legal hold.
        """
        await self._permissions.permit(self._db, principal, "party.write", case=case)
        now = self._clock()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            await self._current(case, party, expected)
            await refuse_if_held(self._db, case=case, person=party)
            await versioned.write(self._db, "case_party", party, {"removed": now}, expected)
            return await self._index(principal, case, party, "removed")

    # --- within

    async def _current(self, case: UUID, party: UUID, expected: int) -> Party:
        found = await self._read(case, party)
        versioned.check_current(found, expected)
        return found

    async def _read(self, case: UUID, party: UUID) -> Party:
        row = await self._db.fetch_one(
            f"SELECT {facts.COLUMNS} FROM case_party WHERE id = {{}} AND case_id = {{}}", party, case
        )
        if row is None:
            raise NotFound
        return facts.read(row)

    async def _check_represented(self, case: UUID, party: UUID, new: NewParty) -> None:
        wanted = set(new.counsel_for)
        rows = await self._db.fetch_in(
            "SELECT id FROM case_party WHERE removed IS NULL AND case_id = {} AND id IN", sorted(wanted), case
        )
        if party in wanted or {row["id"] for row in rows} != wanted:
            raise BadRequest("counsel_for names parties of this case, and not the counsel itself.")

    async def _index(self, principal: Principal, case: UUID, party: UUID, what: str) -> Party:
        """Have the party found by what it is called now, and the trail tell of it."""
        found = await self._read(case, party)
        if what != "removed":
            await names.replace(self._db, case, party, found.names)
        await words.reindex(self._db, case)
        detail = {"kind": found.facts.kind, "name": found.facts.name, "party": what}
        await self._trail.changed(principal, "party.write", case=case, object=party, detail=detail)
        return found
