"""After a restore: what was disposed of or erased since the copy was made is so again, by the same steps (formats/erasure.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Conflict, OnHold
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.holds import lock, refuse_if_held
from deedbox_server.retention import coverage
from deedbox_server.retention.approval import MARKED
from deedbox_server.retention.carrying_out import CarryingOut
from deedbox_server.retention.erasures import Erasures
from deedbox_server.retention.erasures_list import ErasuresList, Line
from deedbox_sync import uuid7

APPLIED: Final = "applied"
NOTHING: Final = "nothing-there"
HELD: Final = "on-hold"
LATER: Final = "not-yet"
_WHY: Final = "applied again after a restore"


@dataclass(frozen=True)
class Applied:
    """What became of one line: applied; nothing there any more; on hold in the restored copy, so that people must decide; or not
    yet, since something is still coming in."""

    request: UUID
    what: str
    outcome: str


class Applying:
    """In the box's own name. Nothing here asks for a second person: two have approved each line before."""

    def __init__(
        self,
        db: Database,
        erasures_list: ErasuresList,
        carrying_out: CarryingOut,
        erasures: Erasures,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._list = erasures_list
        self._carrying_out = carrying_out
        self._erasures = erasures
        self._clock = clock

    async def apply_erasures(self) -> list[Applied]:
        """Every line, oldest first; again does nothing. What is under way is ended first. DamagedList."""
        await self._carrying_out.resume()
        await self._erasures.resume()
        outcomes = []
        for line in await self._list.read():
            apply = self._person if line.what == "person" else self._disposal
            outcomes.append(Applied(line.request, line.what, await apply(line)))
        return outcomes

    async def _person(self, line: Line) -> str:
        accounts = [
            row["id"]
            for row in await self._db.fetch_in("SELECT id, name FROM account WHERE id IN ", line.objects)
            if row["name"] != f"erased {row['id']}"
        ]
        parties = [row["id"] for row in await self._db.fetch_in("SELECT id FROM case_party WHERE id IN ", line.objects)]
        if not accounts and not parties:
            return NOTHING
        name = await self._name(line.approved_by)
        await self._erasures.apply_again(accounts, parties, _WHY, line.approved_by, name, line.approved)
        return APPLIED

    async def _disposal(self, line: Line) -> str:
        rows = await self._db.fetch_in("SELECT id, case_id FROM exhibit WHERE id IN ", line.objects)
        cases: dict[UUID, list[UUID]] = {}
        for row in rows:
            cases.setdefault(row["case_id"], []).append(row["id"])
        whole = line.what == "case"
        if whole:
            assert line.case is not None
            there = await self._db.fetch("SELECT id FROM legal_case WHERE id = {} AND state <> 'disposed'", line.case)
            cases = {line.case: []} if there else {}
        outcome = NOTHING
        for case, exhibits in sorted(cases.items()):
            try:
                await self._dispose(line, case, None if whole else exhibits)
            except OnHold:
                return HELD
            except Conflict:
                return LATER
            outcome = APPLIED
        return outcome

    async def _dispose(self, line: Line, case: UUID, exhibits: Sequence[UUID] | None) -> None:
        name, request = await self._name(line.approved_by), uuid7.new()
        async with self._db.transaction():
            await lock(self._db, {case})
            await refuse_if_held(self._db, case=case)
            covers = await coverage.gather(self._db, case, exhibits)
            for one in covers.exhibits:
                await refuse_if_held(self._db, exhibit=one.id)
            if exhibits is None and await self._db.fetch(
                "SELECT id FROM legal_hold WHERE lifted IS NULL AND case_id = {}", case
            ):
                raise OnHold
            await self._db.insert_many("disposal", _COLUMNS, [self._row(request, line, case, exhibits, covers, name)])
            await self._carrying_out.mark(request, covers)
        await self._carrying_out.carry_out(request)

    def _row(
        self,
        request: UUID,
        line: Line,
        case: UUID,
        exhibits: Sequence[UUID] | None,
        covers: coverage.Coverage,
        name: str,
    ) -> tuple[UUID | bool | str | bytes | datetime | int | None, ...]:
        asked = (self._clock(), "box", "Deedbox")
        approved = (line.approved, line.approved_by, name, str(line.request))
        frozen = coverage.encode(covers)
        return (request, case, exhibits is None, _WHY, None, frozen, MARKED, *asked, *approved, 1)

    async def _name(self, actor: str) -> str:
        rows = []
        if actor.startswith("account:"):
            rows = await self._db.fetch("SELECT name FROM account WHERE id = {}", UUID(actor.removeprefix("account:")))
        return str(rows[0]["name"]) if rows else actor


_COLUMNS: Final = (
    *("id", "case_id", "whole", "reason", "rule", "covers", "state", "asked", "asked_by", "asked_by_name"),
    *("approved", "approved_by", "approved_by_name", "approved_via", "version"),
)
