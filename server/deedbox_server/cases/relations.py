"""How cases belong together; each relation is kept from both sides, so that either tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from deedbox_server.cases import states
from deedbox_server.database import Database, UniqueViolation
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.recorder import Recorder

# What it is from this side, and what it is from the other.
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "related": "related",
        "consolidated": "consolidated",
        "duplicate": "duplicate",
        "appeal-of": "appealed-in",
        "appealed-in": "appeal-of",
    }
)
MAX_RELATIONS: Final = 200  # of one case: mass torts have thousands of cases, but not thousands of edges each


@dataclass(frozen=True)
class Relation:
    """`case` is `kind` of the case `other`, which the reader may see."""

    case: UUID
    kind: str
    other: UUID
    number: str
    title: str
    state: str


class Relations:
    def __init__(self, db: Database, permissions: Permissions, trail: Recorder, clock: Clock = system_clock) -> None:
        self._db = db
        self._permissions = permissions
        self._trail = trail
        self._clock = clock

    async def of(self, principal: Principal, case: UUID) -> list[Relation]:
        """A case's relations to cases that the principal reads as one of the firm; others are as if they were not."""
        await self._permissions.permit(self._db, principal, "party.read", case=case)
        wall = self._permissions.wall(principal, "party.read")
        rows = await self._db.fetch(
            "SELECT case_relation.case_id, case_relation.kind, case_relation.other, legal_case.number, legal_case.title,"
            " legal_case.state FROM case_relation JOIN legal_case ON legal_case.id = case_relation.other"
            f" WHERE case_relation.case_id = {{}} AND {wall.on('case_relation.other')}"
            " ORDER BY legal_case.number, case_relation.kind",
            case,
            *wall.args,
        )
        return [
            Relation(row["case_id"], row["kind"], row["other"], row["number"], row["title"], row["state"])
            for row in rows
        ]

    async def add(self, principal: Principal, case: UUID, other: UUID, kind: str) -> None:
        """Relate two cases, in whatever state they are. Both must be the principal's to change: NotFound where it does not
        see the other one.
        """
        if kind not in KINDS:
            raise BadRequest(f"A relation is one of: {', '.join(KINDS)}.")
        if case == other:
            raise BadRequest("A case is not related to itself.")
        await self._both(principal, case, other)
        now = self._clock()
        async with self._db.transaction():
            await self._refuse_disposed(case, other)
            many = await self._db.fetch_one("SELECT COUNT(*) AS many FROM case_relation WHERE case_id = {}", case)
            if many is not None and many["many"] >= MAX_RELATIONS:
                raise Conflict(f"A case has at most {MAX_RELATIONS} relations.")
            try:
                await self._db.insert_many(
                    "case_relation",
                    ("case_id", "other", "kind", "created", "made_by"),
                    [
                        (case, other, kind, now, principal.actor_id),
                        (other, case, KINDS[kind], now, principal.actor_id),
                    ],
                )
            except UniqueViolation:
                raise Conflict("These cases are related like this already.") from None
            await self._tell(principal, case, other, kind, "added")

    async def remove(self, principal: Principal, case: UUID, other: UUID, kind: str) -> None:
        """Take a relation away from both sides; the trail still tells of it."""
        await self._both(principal, case, other)
        async with self._db.transaction():
            gone = await self._db.fetch(
                "DELETE FROM case_relation WHERE case_id = {} AND other = {} AND kind = {} RETURNING id",
                case,
                other,
                kind,
            )
            if not gone:
                raise NotFound
            await self._db.execute(
                "DELETE FROM case_relation WHERE case_id = {} AND other = {} AND kind = {}", other, case, KINDS[kind]
            )
            await self._tell(principal, case, other, kind, "removed")

    async def _both(self, principal: Principal, case: UUID, other: UUID) -> None:
        await self._permissions.permit(self._db, principal, "case.write", case=case)
        await self._permissions.permit(self._db, principal, "case.write", case=other)

    async def _refuse_disposed(self, *cases: UUID) -> None:
        rows = await self._db.fetch_in("SELECT state FROM legal_case WHERE id IN", cases)
        if not all(row["state"] in states.STATES for row in rows):
            raise Conflict("A case that was disposed of takes no relations.")

    async def _tell(self, principal: Principal, case: UUID, other: UUID, kind: str, what: str) -> None:
        """Each case's trail names the other: whoever reads one trail need not see the other case, so it gives no more than
        ids.
        """
        for one, its_kind, another in ((case, kind, other), (other, KINDS[kind], case)):
            await self._trail.changed(
                principal,
                "case.write",
                case=one,
                object=one,
                detail={"kind": its_kind, "other": str(another), "relation": what},
            )
