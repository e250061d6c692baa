"""Rules of retention as data, and what is due by them: listed with its reasons, never deleted by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, NotFound, PreconditionFailed
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.retention.period import AFTER, CLOSED, LAST_ACTIVITY, OPENED, CaseFacts, Due, Rule, judge
from deedbox_sync import uuid7

PAGE: Final = 100
MAX_PAGE: Final = 500
MAX_RULES: Final = 200  # each is held against each case: more is a program gone wrong
MAX_TEXT: Final = 500  # characters of a name or a citation
MAX_YEARS: Final = 100
MAX_MONTHS: Final = 11
_STEP: Final = 500  # cases judged at a time

_COLUMNS: Final = ("id", "name", "case_kind", "label", "state", "after", "years", "months", "citation", "version")
_RULES: Final = f"SELECT {', '.join(_COLUMNS)} FROM retention_rule WHERE removed IS NULL"


@dataclass(frozen=True)
class NewRule:
    """A rule as somebody states it."""

    name: str
    after: str
    years: int
    months: int
    citation: str
    case_kind: str | None = None
    label: str | None = None
    state: str | None = None


class Retaining:
    def __init__(self, db: Database, permissions: Permissions, recorder: Recorder, clock: Clock = system_clock) -> None:
        self._db = db
        self._permissions = permissions
        self._recorder = recorder
        self._clock = clock

    async def rules(self, principal: Principal) -> list[Rule]:
        """Those in force, oldest first."""
        self._permissions.require(principal, "retention.read")
        return await self._in_force()

    async def add(self, principal: Principal, new: NewRule) -> Rule:
        """Another rule. BadRequest for one that keeps for no time, or without the law that says so."""
        self._permissions.require(principal, "retention.manage")
        _check(new)
        rule = Rule(
            uuid7.new(),
            *(new.name, new.case_kind, new.label, new.state, new.after, new.years, new.months, new.citation, 1),
        )
        async with self._db.transaction():
            if len(await self._in_force()) >= MAX_RULES:
                raise BadRequest(f"there are at most {MAX_RULES} rules: remove some first")
            await self._db.insert_many(
                "retention_rule",
                (*_COLUMNS, "created", "made_by"),
                [(*(getattr(rule, name) for name in _COLUMNS), self._clock(), principal.actor_id)],
            )
            detail = {"citation": rule.citation, "name": rule.name}
            await self._recorder.changed(principal, "retention.manage", object=rule.id, detail=detail)
        return rule

    async def remove(self, principal: Principal, rule: UUID, *, expected: int) -> None:
        """From now on it decides nothing; the trail keeps that it was."""
        self._permissions.require(principal, "retention.manage")
        async with self._db.transaction():
            gone = await self._db.fetch(
                "UPDATE retention_rule SET removed = {}, version = version + 1"
                " WHERE id = {} AND version = {} AND removed IS NULL RETURNING name",
                self._clock(),
                rule,
                expected,
            )
            if not gone:
                known = await self._db.fetch(f"{_RULES} AND id = {{}}", rule)
                raise PreconditionFailed("this rule has changed since you read it") if known else NotFound
            await self._recorder.changed(
                principal, "retention.manage", object=rule, detail={"name": gone[0]["name"], "removed": True}
            )

    async def of_case(self, principal: Principal, case: UUID) -> Due:
        """When this case is due, and why, step by step."""
        await self._permissions.permit(self._db, principal, "case.read", case=case)
        self._permissions.require(principal, "retention.read")
        [facts] = await self._facts([case])
        return judge(facts, await self._in_force(), self._clock())

    async def due(self, principal: Principal, *, after: UUID | None = None, limit: int = PAGE) -> list[Due]:
        """Cases that are due, oldest first, within the wall. Nothing happens to them by that."""
        self._permissions.require(principal, "retention.read")
        rules, now, limit = await self._in_force(), self._clock(), min(max(limit, 1), MAX_PAGE)
        wall = self._permissions.wall(principal, "case.read")
        found: list[Due] = []
        last = after or UUID(int=0)
        while len(found) < limit:
            rows = await self._db.fetch(
                f"SELECT id FROM legal_case WHERE id > {{}} AND state <> 'disposed' AND {wall.on('legal_case.id')}"
                f" ORDER BY id LIMIT {_STEP}",
                last,
                *wall.args,
            )
            if not rows:
                break
            last = rows[-1]["id"]
            judged = [judge(facts, rules, now) for facts in await self._facts([row["id"] for row in rows])]
            found += [one for one in judged if one.is_due]
        return found[:limit]

    async def _facts(self, cases: list[UUID]) -> list[CaseFacts]:
        rows = await self._db.fetch_in(
            "SELECT id, number, title, kind, labels, state, created, closed, updated FROM legal_case WHERE id IN ",
            cases,
        )
        active: dict[UUID, list[datetime]] = {row["id"]: [row["created"]] for row in rows}
        for query in (
            'SELECT case_id, max(received) AS "latest [timestamptz]" FROM exhibit WHERE case_id IN ',
            'SELECT case_id, max(created) AS "latest [timestamptz]" FROM case_event WHERE case_id IN ',
        ):
            for row in await self._db.fetch_in(query, cases, suffix=" GROUP BY case_id"):
                active[row["case_id"]].append(row["latest"])
        held = {
            row["case_id"]
            for row in await self._db.fetch_in(
                "SELECT DISTINCT case_id FROM legal_hold WHERE lifted IS NULL AND case_id IN ", cases
            )
        }
        return [
            _case(row, active[row["id"]], row["id"] in held) for row in sorted(rows, key=lambda row: row["id"].bytes)
        ]

    async def _in_force(self) -> list[Rule]:
        return [Rule(**row) for row in await self._db.fetch(f"{_RULES} ORDER BY created, id")]


def _case(row: dict[str, Any], active: list[datetime], held: bool) -> CaseFacts:
    events = {OPENED: row["created"], LAST_ACTIVITY: max([*active, *([row["updated"]] if row["updated"] else [])])}
    if row["closed"] is not None and row["state"] != "open":
        events[CLOSED] = row["closed"]
    labels = tuple(json.loads(row["labels"])) if row["labels"] else ()
    return CaseFacts(row["id"], row["number"], row["title"], row["kind"], labels, row["state"], events, held)


def _check(new: NewRule) -> None:
    for name, text in (("name", new.name), ("citation", new.citation)):
        if not 0 < len(text.strip()) <= MAX_TEXT:
            raise BadRequest(f"a rule's {name} has 1 to {MAX_TEXT} characters")
    for given in (new.case_kind, new.label, new.state):
        if given is not None and not 0 < len(given) <= MAX_TEXT:
            raise BadRequest(f"a kind, label or state has 1 to {MAX_TEXT} characters")
    if new.after not in AFTER:
        raise BadRequest(f"a rule counts from one of: {', '.join(AFTER)}")
    if not (0 <= new.years <= MAX_YEARS and 0 <= new.months <= MAX_MONTHS and (new.years or new.months)):
        raise BadRequest(f"a rule keeps for 1 month to {MAX_YEARS} years and {MAX_MONTHS} months")
