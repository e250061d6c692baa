"""Ethical walls: who is barred from a case whatever their role, and how such a wall is opened for a while (breaking the glass).

Opening takes two people: who asks, and another who may approve and sees the case. Where nobody else in the firm could approve,
a waiting time takes the second's place. Who asks names the case by its number and learns nothing about it from the answer: it is
the same for a case that is barred, one that is not, and one that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.membership import put_member
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.rules import LAWYERS
from deedbox_sync import timestamp, uuid7

MAX_REASON: Final = 2000  # characters: a paragraph that somebody else has to read
REQUEST_LIFE: Final = timedelta(days=7)  # a request that nobody has decided by then is void
MAX_OPEN_REQUESTS: Final = 20  # of one account: more is no emergency

ASKED: Final = "asked"
OPENED: Final = "opened"
REFUSED: Final = "refused"

_WALL: Final = "case_wall.*, account.name AS account_name"


@dataclass(frozen=True)
class EthicalWall:
    """One account barred from one case. Until `opened_until` it is open."""

    id: UUID
    case: UUID
    account: UUID
    account_name: str
    reason: str
    created: datetime
    opened_until: datetime | None


@dataclass(frozen=True)
class GlassRequest:
    """Somebody asks to see a case. `due`: when who asked may open it alone, since nobody else could approve; else None."""

    id: UUID
    account: UUID
    account_name: str
    number: str
    reason: str
    created: datetime
    due: datetime | None
    expires: datetime
    state: str
    opened_until: datetime | None


class Walls:
    """`open_for` is how long an opened case stays so, `wait` what takes the second person's place."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        recorder: Recorder,
        *,
        open_for: timedelta,
        wait: timedelta,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._recorder = recorder
        self._open_for = open_for
        self._wait = wait
        self._clock = clock

    async def walls(self, principal: Principal, case: UUID) -> list[EthicalWall]:
        """Who is barred from the case; whoever is barred from it sees neither."""
        await self._permissions.permit(self._db, principal, "wall.manage", case=case)
        rows = await self._db.fetch(
            f"SELECT {_WALL} FROM case_wall JOIN account ON account.id = case_wall.account"
            " WHERE case_wall.case_id = {} AND case_wall.lifted IS NULL ORDER BY case_wall.id",
            case,
        )
        return [_wall(row) for row in rows]

    async def bar(self, principal: Principal, case: UUID, account: UUID, reason: str) -> EthicalWall:
        """From the next request on this account does not see the case, oneself included. Conflict where it is barred already."""
        await self._permissions.permit(self._db, principal, "wall.manage", case=case)
        reason = _checked_reason(reason)
        async with self._db.transaction():
            found = await self._db.fetch_one("SELECT name FROM account WHERE id = {}", account)
            if found is None:
                raise NotFound("there is no such account")
            barred = await self._db.fetch(
                "SELECT id FROM case_wall WHERE case_id = {} AND account = {} AND lifted IS NULL", case, account
            )
            if barred:
                raise Conflict("this account is barred from the case already")
            wall = EthicalWall(uuid7.new(), case, account, found["name"], reason, self._clock(), None)
            await self._db.insert_many(
                "case_wall",
                ("id", "case_id", "account", "reason", "made_by", "created"),
                [(wall.id, case, account, reason, principal.actor_id, wall.created)],
            )
            await self._recorder.changed(
                principal, "wall.manage", case=case, object=wall.id, detail={"barred": str(account), "reason": reason}
            )
        return wall

    async def lift(self, principal: Principal, case: UUID, wall: UUID) -> None:
        """The account sees the case again as its role allows. Whoever is barred cannot: to them there is no such case."""
        await self._permissions.permit(self._db, principal, "wall.manage", case=case)
        async with self._db.transaction():
            gone = await self._db.fetch(
                "UPDATE case_wall SET lifted = {}, lifted_by = {} WHERE id = {} AND case_id = {} AND lifted IS NULL"
                " RETURNING account",
                self._clock(),
                principal.actor_id,
                wall,
                case,
            )
            if not gone:
                raise NotFound("there is no such wall")
            await self._recorder.changed(
                principal, "wall.manage", case=case, object=wall, detail={"lifted": str(gone[0]["account"])}
            )

    async def ask(self, principal: Principal, number: str, reason: str) -> GlassRequest:
        """Ask to see the case of this matter number for a while. The answer does not tell whether there is one."""
        self._permissions.require(principal, "glass.ask")
        if principal.account is None:
            raise Denied("only a person can ask")
        reason, number, now = _checked_reason(reason), number.strip(), self._clock()
        async with self._db.transaction():
            open_ones = await self._db.fetch(
                "SELECT id FROM glass_request WHERE account = {} AND state = {} AND expires > {}",
                principal.account,
                ASKED,
                now,
            )
            if len(open_ones) >= MAX_OPEN_REQUESTS:
                raise Conflict("you have asked for many cases already: let these be decided first")
            case = await self._db.fetch_one("SELECT id FROM legal_case WHERE number = {}", number)
            due = None if await self._could_another_approve(principal.account) else now + self._wait
            asked = GlassRequest(
                uuid7.new(),
                principal.account,
                principal.name,
                number,
                reason,
                now,
                due,
                now + REQUEST_LIFE,
                ASKED,
                None,
            )
            await self._db.insert_many(
                "glass_request",
                (
                    *("id", "account", "account_name", "case_number", "case_id", "reason", "created", "due", "expires"),
                    "state",
                ),
                [
                    (
                        asked.id,
                        asked.account,
                        asked.account_name,
                        number,
                        None if case is None else case["id"],
                        reason,
                        now,
                        due,
                        asked.expires,
                        ASKED,
                    )
                ],
            )
            await self._recorder.changed(
                principal,
                "glass.ask",
                case=None if case is None else case["id"],
                object=asked.id,
                detail={"number": number, "reason": reason},
            )
        return asked

    async def requests(self, principal: Principal) -> list[GlassRequest]:
        """One's own, and those of others that one may decide: they are about cases that one sees. Newest first."""
        self._permissions.require(principal, "glass.ask")
        wall = self._permissions.wall(principal)
        rows = await self._db.fetch(
            "SELECT * FROM glass_request WHERE expires > {} AND (account = {} OR "
            f"(case_id IS NOT NULL AND {wall.on('glass_request.case_id')})) ORDER BY id DESC",
            self._clock(),
            principal.account,
            *wall.args,
        )
        return [_request(row) for row in rows]

    async def approve(self, principal: Principal, request: UUID) -> GlassRequest:
        """Open the case to who asked. Denied to themselves; NotFound to whoever does not see the case."""
        self._permissions.require(principal, "glass.approve")
        return await self._decide(principal, request, OPENED)

    async def refuse(self, principal: Principal, request: UUID) -> GlassRequest:
        """Void the request; one's own too."""
        self._permissions.require(principal, "glass.approve")
        return await self._decide(principal, request, REFUSED)

    async def open_alone(self, principal: Principal, request: UUID) -> GlassRequest:
        """Open what one asked for oneself, once the waiting time has passed and still nobody else could approve."""
        self._permissions.require(principal, "glass.ask")
        now = self._clock()
        async with self._db.transaction():
            row = await self._asked(request, now)
            if row["account"] != principal.account or row["case_id"] is None:
                raise NotFound("there is no such request")
            if row["due"] is None or await self._could_another_approve(row["account"]):
                raise Conflict("another person must approve this")
            if row["due"] > now:
                raise Conflict("the waiting time has not passed", due=timestamp.encode(row["due"]))
            return await self._open(principal, "glass.ask", row, now)

    async def _decide(self, principal: Principal, request: UUID, state: str) -> GlassRequest:
        now = self._clock()
        async with self._db.transaction():
            row = await self._asked(request, now)
            own = row["account"] == principal.account
            if own and state == OPENED:
                raise Denied("another person must approve this")
            if not own:
                if row["case_id"] is None:
                    raise NotFound("there is no such request")
                await self._permissions.permit(self._db, principal, "glass.approve", case=row["case_id"])
            if state == OPENED:
                return await self._open(principal, "glass.approve", row, now)
            return await self._close(principal, "glass.approve", row, now, REFUSED, None)

    async def _open(self, principal: Principal, operation: str, row: Row, now: datetime) -> GlassRequest:
        until = now + self._open_for
        await self._db.execute(
            "UPDATE case_wall SET opened_until = {} WHERE case_id = {} AND account = {} AND lifted IS NULL",
            until,
            row["case_id"],
            row["account"],
        )
        asker = await self._db.fetch_one("SELECT role, disabled FROM account WHERE id = {}", row["account"])
        if asker is None or asker["disabled"]:
            raise Conflict("who asked has no account any more")
        member = await self._db.fetch_one(
            "SELECT until FROM case_member WHERE case_id = {} AND account = {}", row["case_id"], row["account"]
        )
        sees_all = any(role.name == asker["role"] and role.sees_all_cases for role in self._permissions.roles)
        if not sees_all and (member is None or (member["until"] is not None and member["until"] < until)):
            await put_member(self._db, row["case_id"], row["account"], asker["role"], until)
        return await self._close(principal, operation, row, now, OPENED, until)

    async def _close(
        self, principal: Principal, operation: str, row: Row, now: datetime, state: str, until: datetime | None
    ) -> GlassRequest:
        await self._db.execute(
            "UPDATE glass_request SET state = {}, decided = {}, decided_by = {}, opened_until = {} WHERE id = {}",
            state,
            now,
            principal.actor_id,
            until,
            row["id"],
        )
        await self._recorder.changed(
            principal,
            operation,
            case=row["case_id"],
            object=row["id"],
            detail={
                "state": state,
                "for": str(row["account"]),
                "until": None if until is None else timestamp.encode(until),
            },
        )
        return _request(row | {"state": state, "opened_until": until})

    async def _asked(self, request: UUID, now: datetime) -> Row:
        locked = " FOR UPDATE" if self._db.dialect == "postgres" else ""
        row = await self._db.fetch_one(f"SELECT * FROM glass_request WHERE id = {{}}{locked}", request)
        if row is None or row["expires"] <= now:
            raise NotFound("there is no such request")
        if row["state"] != ASKED:
            raise Conflict("this request has been decided")
        return row

    async def _could_another_approve(self, account: UUID) -> bool:
        places = ", ".join(["{}"] * len(LAWYERS))
        return bool(
            await self._db.fetch(
                f"SELECT id FROM account WHERE id <> {{}} AND disabled = {{}} AND role IN ({places}) LIMIT 1",
                account,
                False,
                *sorted(LAWYERS),
            )
        )


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON:
        raise BadRequest(f"give a reason of at most {MAX_REASON} characters")
    return reason


def _wall(row: Row) -> EthicalWall:
    return EthicalWall(
        row["id"],
        row["case_id"],
        row["account"],
        row["account_name"],
        row["reason"],
        row["created"],
        row["opened_until"],
    )


def _request(row: Row) -> GlassRequest:
    return GlassRequest(
        row["id"],
        row["account"],
        row["account_name"],
        row["case_number"],
        row["reason"],
        row["created"],
        row["due"],
        row["expires"],
        row["state"],
        row["opened_until"],
    )
