"""Conflict checks: ask about the names of a new matter, show what the asker may see, send all of it to the conflicts officer.

The officer gets every check, so that being sent tells the asker nothing; what stands behind a wall the officer alone sees.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from deedbox_server import cursor
from deedbox_server.cases import conflict, conflict_rows, conflict_search, plain_text
from deedbox_server.cases.conflict import MAX_HITS, OPEN, SETTLED, Check, Hit, NewCheck, Result
from deedbox_server.cases.conflict_match import DEFAULT_THRESHOLD
from deedbox_server.cases.conflict_search import Met
from deedbox_server.cases.page import Page, id_after, limit_of, page
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.recorder import Recorder
from deedbox_sync import uuid7


class Conflicts:
    """`threshold`: how alike (1 … 100) two names are spelt that are taken for one."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        trail: Recorder,
        *,
        threshold: int = DEFAULT_THRESHOLD,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._trail = trail
        self._threshold = threshold
        self._clock = clock

    async def check(self, principal: Principal, new: NewCheck) -> Check:
        """Look for the names in all cases, keep what was found, and answer with what the asker may see of it."""
        await self._permissions.permit(self._db, principal, "conflict.check")
        if new.case is not None:
            await self._permissions.permit(self._db, principal, "party.read", case=new.case)
        new = conflict.checked(new)
        inside = self._permissions.wall(principal, "party.read")
        met = await conflict_search.meet(self._db, new.names, inside, but=new.case, threshold=self._threshold)
        # Each side of the wall is cut for itself: what lies behind it takes no place from what the asker sees.
        kept = [one for one in met if one.inside][:MAX_HITS] + [one for one in met if not one.inside][:MAX_HITS]
        check, now = uuid7.new(), self._clock()
        async with self._db.transaction():
            names = msgspec.json.encode(new.names).decode()
            await self._db.insert_many(
                "conflict_check",
                ("id", "case_id", "account", "made_by", "created", "subject", "names", "state", "version"),
                [(check, new.case, principal.account, principal.name, now, new.subject, names, OPEN, 1)],
            )
            await self._db.insert_many(
                "conflict_hit",
                ("id", "check_id", "case_id", "party", "asked", "found", "name_kind", "how", "sure", "result"),
                [_row(check, one) for one in kept],
            )
            await self._trail.changed(
                principal, "conflict.check", case=new.case, object=check, detail={"names": len(new.names)}
            )
        return await self.get(principal, check)

    async def get(self, principal: Principal, check: UUID) -> Check:
        """A check that the principal made, with the hits that they may see now; or any, with all hits, for the officer."""
        self._permissions.require(principal, "conflict.check")
        row = await conflict_rows.find(self._db, principal, check)
        return conflict_rows.read(row, await self._hits(principal, check))

    async def of(
        self, principal: Principal, *, state: str | None = None, after: str | None = None, limit: int = 100
    ) -> Page[Check]:
        """The checks that the principal made, or all for the officer, newest first, without their hits."""
        self._permissions.require(principal, "conflict.check")
        size = limit_of(limit)
        if state not in (None, OPEN, SETTLED):
            raise BadRequest(f"state is {OPEN} or {SETTLED}.")
        conditions, args = ["1 = 1"], list[object]()
        for condition, value in (
            ("account = {}", None if conflict_rows.is_officer(principal) else principal.account),
            ("state = {}", state),
            ("id < {}", None if after is None else id_after(after)),
        ):
            if value is not None:
                conditions.append(condition)
                args.append(value)
        if principal.account is None:
            return Page((), None)
        rows = await self._db.fetch(
            f"SELECT {conflict_rows.CHECK} FROM conflict_check WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT {{}}",
            *args,
            size + 1,
        )
        return page([conflict_rows.read(row) for row in rows], size, lambda one: cursor.encode(str(one.id)))

    async def settle_hit(
        self, principal: Principal, check: UUID, hit: UUID, result: Result, reason: str | None, expected: int
    ) -> Check:
        """Say what a hit is. A conflict, or one that was waived, needs a reason. For the officer."""
        await self._as_officer(principal)
        said = _reason(result, reason)
        async with self._db.transaction():
            await self._take(check, expected)
            settled = await self._db.fetch(
                "UPDATE conflict_hit SET result = {}, reason = {}, settled = {}, settled_by = {}"
                " WHERE id = {} AND check_id = {} RETURNING id",
                result,
                said,
                self._clock(),
                principal.name,
                hit,
                check,
            )
            if not settled:
                raise NotFound
            await self._trail.changed(
                principal, "conflict.settle", object=check, detail={"hit": str(hit), "result": result}
            )
            return await self.get(principal, check)

    async def settle(
        self, principal: Principal, check: UUID, outcome: Result, reason: str | None, expected: int
    ) -> Check:
        """Close a check, with what its asker is told. Conflict while a hit is open. For the officer."""
        await self._as_officer(principal)
        said = _reason(outcome, reason)
        async with self._db.transaction():
            await self._take(check, expected)
            if await self._db.fetch(
                "SELECT id FROM conflict_hit WHERE check_id = {} AND result = {} LIMIT 1", check, OPEN
            ):
                raise Conflict("Settle every hit first.")
            await self._db.execute(
                "UPDATE conflict_check SET state = {}, outcome = {}, reason = {}, settled = {}, settled_by = {} WHERE id = {}",
                SETTLED,
                outcome,
                said,
                self._clock(),
                principal.name,
                check,
            )
            await self._trail.changed(principal, "conflict.settle", object=check, detail={"outcome": outcome})
            return await self.get(principal, check)

    async def _as_officer(self, principal: Principal) -> None:
        await self._permissions.permit(self._db, principal, "conflict.settle")
        if not conflict_rows.is_officer(principal):
            raise Denied("only a conflicts officer settles conflict checks")

    async def _take(self, check: UUID, expected: int) -> None:
        """Hold an open check until the transaction ends. PreconditionFailed unless it has the version expected."""
        taken = await self._db.fetch(
            "UPDATE conflict_check SET version = version + 1 WHERE id = {} AND version = {} AND state = {} RETURNING id",
            check,
            expected,
            OPEN,
        )
        if not taken:
            row = await self._db.fetch_one("SELECT state FROM conflict_check WHERE id = {}", check)
            if row is None:
                raise NotFound
            raise PreconditionFailed if row["state"] == OPEN else Conflict("This check is settled: make a new one.")

    async def _hits(self, principal: Principal, check: UUID) -> tuple[Hit, ...]:
        where, args = "", list[object]()
        if not conflict_rows.is_officer(principal):
            wall = self._permissions.wall(principal, "party.read")
            where, args = f" AND {wall.on('conflict_hit.case_id')}", list(wall.args)
        rows = await self._db.fetch(
            f"{conflict_rows.HITS}{where} ORDER BY conflict_hit.sure DESC, conflict_hit.id", check, *args
        )
        return tuple(conflict_rows.read_hit(row) for row in rows)


def _reason(result: Result, reason: str | None) -> str | None:
    said = plain_text.optional_text(reason, "A reason", plain_text.MAX_REASON)
    if said is None and result != "cleared":
        raise BadRequest("Say why: a conflict, and one that is waived, has a reason.")
    return said


def _row(check: UUID, met: Met) -> tuple[object, ...]:
    match = met.match
    return (
        uuid7.new(), check, met.case, met.party, met.asked, met.found, met.name_kind, match.how, match.sure, OPEN,
    )  # fmt: skip
