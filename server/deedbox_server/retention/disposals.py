"""Disposal of exhibits or of a whole case: asked for by one, approved by another, then carried out to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed
from deedbox_server.papers import record as paper_record
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.holds import lock, refuse_if_held
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.retention import approval, coverage
from deedbox_server.retention.approval import ASKED, MARKED, WAITING, WITHDRAWN, checked_reason
from deedbox_server.retention.carrying_out import CarryingOut
from deedbox_server.retention.coverage import Coverage
from deedbox_server.retention.tombstone import Decision
from deedbox_sync import timestamp, uuid7
from deedbox_sync.canonical_json import Json

PAGE: Final = 100
MAX_PAGE: Final = 500
MAX_RULE: Final = 500  # characters: the citation of a rule
DISPOSED: Final = "disposed"


@dataclass(frozen=True)
class Disposal:
    """A request, as it stands. `not_before`: when who asked may confirm it, having nobody else who could approve."""

    id: UUID
    case: UUID
    whole: bool
    reason: str
    rule: str | None
    covers: Coverage
    state: str
    asked: Decision
    not_before: datetime | None
    approved: Decision | None
    ended: datetime | None
    version: int


class Disposals:
    """`wait` is the time that takes the second person's place where the firm has only one who could approve."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        recorder: Recorder,
        carrying_out: CarryingOut,
        *,
        wait: timedelta,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._recorder = recorder
        self._carrying_out = carrying_out
        self._wait = wait
        self._clock = clock

    async def ask(
        self, principal: Principal, case: UUID, exhibits: Sequence[UUID] | None, reason: str, rule: str | None = None
    ) -> Disposal:
        """Ask for these exhibits of a case, or (None) for all of it, to be disposed of. OnHold where that could not be."""
        await self._permissions.permit(self._db, principal, "disposal.ask", case=case)
        if principal.account is None:
            raise Denied("only a person can ask for a disposal")
        reason = checked_reason(reason)
        if rule is not None and not 0 < len(rule) <= MAX_RULE:
            raise BadRequest(f"the rule's citation has 1 to {MAX_RULE} characters")
        now, request = self._clock(), uuid7.new()
        async with self._db.transaction():
            await lock(self._db, {case})
            await self._refuse_gone_case(case)
            covers = await coverage.gather(self._db, case, exhibits)
            await self._refuse_if_held(case, covers, whole=exhibits is None)
            await self._db.insert_many(
                "disposal",
                (
                    *("id", "case_id", "whole", "reason", "rule", "covers", "state"),
                    *("asked", "asked_by", "asked_by_name", "version"),
                ),
                [
                    (
                        *(request, case, exhibits is None, reason, rule, coverage.encode(covers), ASKED),
                        *(now, principal.actor_id, principal.name, 1),
                    )
                ],
            )
            detail: dict[str, Json] = {"exhibits": len(covers.exhibits), "reason": reason, "whole": exhibits is None}
            await self._recorder.changed(principal, "disposal.ask", case=case, object=request, detail=detail)
        return await self._found(request)

    async def get(self, principal: Principal, disposal: UUID, operation: str = "disposal.ask") -> Disposal:
        """NotFound for one of a case that the principal does not see."""
        found = await self._found(disposal)
        await self._permissions.permit(self._db, principal, operation, case=found.case)
        return found

    async def of_case(
        self, principal: Principal, case: UUID, *, after: UUID | None = None, limit: int = PAGE
    ) -> list[Disposal]:
        """Requests about a case, oldest first."""
        await self._permissions.permit(self._db, principal, "disposal.ask", case=case)
        rows = await self._db.fetch(
            "SELECT * FROM disposal WHERE case_id = {} AND id > {} ORDER BY id LIMIT "
            f"{min(max(limit, 1), MAX_PAGE):d}",
            case,
            after or UUID(int=0),
        )
        return [_disposal(row) for row in rows]

    async def withdraw(self, principal: Principal, disposal: UUID, *, expected: int) -> Disposal:
        """By who asked or by who could approve: nothing is disposed of."""
        found = await self.get(principal, disposal)
        async with self._db.transaction():
            await self._set(found, expected, WITHDRAWN, self._clock(), "ended")
            await self._recorder.changed(
                principal, "disposal.ask", case=found.case, object=found.id, detail={"state": WITHDRAWN}
            )
        return await self._found(disposal)

    async def approve(self, principal: Principal, disposal: UUID, *, expected: int) -> Disposal:
        """Approve what another asked for, and carry it out; or, where nobody else could approve, begin one's own waiting time,
        and after it confirm.

        Denied to who asked where another could. OnHold, and nothing is changed, where a hold has come; Conflict where what it
        covers is not what it was when it was asked.
        """
        found = await self.get(principal, disposal, "disposal.approve")
        async with self._db.transaction():
            await lock(self._db, {found.case})
            found = await self._found(disposal)
            roles = self._permissions.rules["disposal.approve"].roles
            another = await approval.could_another_approve(self._db, principal, roles)
            request = approval.Request(found.state, found.asked, found.not_before)
            until = approval.decide(request, principal, self._clock(), another_could=another, wait=self._wait)
            await self._refuse_what_changed(found)
            if until is not None:
                await self._set(found, expected, WAITING, until, "not_before")
                told: dict[str, Json] = {"not_before": timestamp.encode(until), "state": WAITING}
            else:
                await self._mark(found, principal, expected)
                told = {"state": MARKED}
            await self._recorder.changed(principal, "disposal.approve", case=found.case, object=found.id, detail=told)
        if until is None:
            await self._carrying_out.carry_out(disposal)
        return await self._found(disposal)

    async def _mark(self, found: Disposal, principal: Principal, expected: int) -> None:
        """The point of no return: holds are looked at here, in the transaction that marks the bytes."""
        await self._set(found, expected, MARKED, self._clock(), "approved")
        await self._db.execute(
            "UPDATE disposal SET approved_by = {}, approved_by_name = {}, approved_via = {} WHERE id = {}",
            principal.actor_id,
            principal.name,
            principal.via,
            found.id,
        )
        await self._carrying_out.mark(found.id, found.covers)

    async def _refuse_what_changed(self, found: Disposal) -> None:
        await self._refuse_gone_case(found.case)
        wanted = None if found.whole else [one.id for one in found.covers.exhibits]
        try:
            now = await coverage.gather(self._db, found.case, wanted)
        except BadRequest:
            raise Conflict("an exhibit of this request is not there any more: ask anew") from None
        if now != found.covers:
            raise Conflict("what this request covers has changed since it was asked: ask anew")
        await self._refuse_if_held(found.case, found.covers, whole=found.whole)

    async def _refuse_if_held(self, case: UUID, covers: Coverage, *, whole: bool) -> None:
        await refuse_if_held(self._db, case=case)
        ids = [one.id for one in covers.exhibits]
        for row in await self._db.fetch_in("SELECT record FROM paper WHERE id IN ", covers.papers):
            ids += [one.id for one in paper_record.parse(row["record"]).exhibits]
        held = await self._db.fetch_in("SELECT subject FROM legal_hold WHERE lifted IS NULL AND subject IN ", ids)
        if whole:
            held += await self._db.fetch("SELECT id FROM legal_hold WHERE lifted IS NULL AND case_id = {}", case)
        if held:
            await refuse_if_held(self._db, case=case, exhibit=held[0].get("subject"))
            raise Conflict("a legal hold is on something in this case: it cannot be disposed of as a whole")

    async def _refuse_gone_case(self, case: UUID) -> None:
        row = await self._db.fetch_one("SELECT state FROM legal_case WHERE id = {}", case)
        if row is None or row["state"] == DISPOSED:
            raise Conflict("this case has been disposed of")

    async def _set(self, found: Disposal, expected: int, state: str, time: datetime, column: str) -> None:
        if found.state not in approval.OPEN:
            raise Conflict("this request has been decided")
        rows = await self._db.fetch(
            f"UPDATE disposal SET state = {{}}, {column} = {{}}, version = version + 1"
            " WHERE id = {} AND version = {} AND state = {} RETURNING id",
            state,
            time,
            found.id,
            expected,
            found.state,
        )
        if not rows:
            raise PreconditionFailed("this request has changed since you read it")

    async def _found(self, disposal: UUID) -> Disposal:
        row = await self._db.fetch_one("SELECT * FROM disposal WHERE id = {}", disposal)
        if row is None:
            raise NotFound
        return _disposal(row)


def _disposal(row: Row) -> Disposal:
    approved = None
    if row["approved"] is not None:
        approved = Decision(row["approved_by"], row["approved_by_name"], row["approved"], row["approved_via"])
    return Disposal(
        id=row["id"],
        case=row["case_id"],
        whole=row["whole"],
        reason=row["reason"],
        rule=row["rule"],
        covers=coverage.parse(row["covers"]),
        state=row["state"],
        asked=Decision(row["asked_by"], row["asked_by_name"], row["asked"]),
        not_before=row["not_before"],
        approved=approved,
        ended=row["ended"],
        version=row["version"],
    )
