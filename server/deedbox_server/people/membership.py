"""Who is on a case, as what, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, NotFound
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.permissions import OUTSIDER, Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.rules import ADMINISTRATOR, ATTORNEY, AUDITOR, INVESTIGATOR, OUTSIDE_ROLES, PARALEGAL
from deedbox_sync import timestamp

# An administrator or auditor of one case: the first is what an account is in the firm, and not for others to give.
FIRM_CASE_ROLES: Final = frozenset({ATTORNEY, PARALEGAL, INVESTIGATOR, AUDITOR})

_COLUMNS: Final = "case_member.account, account.name, account.role AS standing, case_member.role, case_member.until"


@dataclass(frozen=True)
class Member:
    """One account on one case. `standing` is what it is in the firm; after `until` it is on the case no more."""

    account: UUID
    name: str
    standing: str
    role: str
    until: datetime | None


class Membership:
    def __init__(self, db: Database, permissions: Permissions, recorder: Recorder, clock: Clock = system_clock) -> None:
        self._db = db
        self._permissions = permissions
        self._recorder = recorder
        self._clock = clock

    async def members(self, principal: Principal, case: UUID) -> list[Member]:
        """Who is on the case now, by name. Who sees it as one who sees all cases is not among them."""
        await self._permissions.permit(self._db, principal, "case.members", case=case)
        rows = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM case_member JOIN account ON account.id = case_member.account"
            " WHERE case_member.case_id = {} AND (case_member.until IS NULL OR case_member.until > {})"
            " ORDER BY account.name",
            case,
            self._clock(),
        )
        return [_member(row) for row in rows]

    async def grant(
        self, principal: Principal, case: UUID, account: UUID, role: str, until: datetime | None = None
    ) -> Member:
        """Put an account on the case, or change as what or until when it is.

        An outsider can only be what outsiders are, one of the firm only what the firm's are. BadRequest else, and for an `until`
        that has passed; NotFound for an account that is none or disabled. An ethical wall goes on barring.
        """
        await self._permissions.permit(self._db, principal, "case.grant", case=case)
        if until is not None and until <= self._clock():
            raise BadRequest("the membership would have ended already: choose a later time, or none")
        async with self._db.transaction():
            found = await self._db.fetch_one("SELECT role, disabled FROM account WHERE id = {}", account)
            if found is None or found["disabled"]:
                raise NotFound("there is no such account")
            allowed = OUTSIDE_ROLES if found["role"] == OUTSIDER else FIRM_CASE_ROLES
            if found["role"] == ADMINISTRATOR:
                allowed = allowed | {ADMINISTRATOR}
            if role not in allowed:
                raise BadRequest(f"in a case this account can be one of: {', '.join(sorted(allowed))}")
            await put_member(self._db, case, account, role, until)
            row = await self._db.fetch_one(
                f"SELECT {_COLUMNS} FROM case_member JOIN account ON account.id = case_member.account"
                " WHERE case_member.case_id = {} AND case_member.account = {}",
                case,
                account,
            )
            assert row is not None
            await self._recorder.changed(
                principal,
                "case.grant",
                case=case,
                object=account,
                detail={"role": role, "until": None if until is None else timestamp.encode(until)},
            )
        return _member(row)

    async def withdraw(self, principal: Principal, case: UUID, account: UUID) -> None:
        """From the next request on the account is not on the case. NotFound where it was not."""
        await self._permissions.permit(self._db, principal, "case.grant", case=case)
        async with self._db.transaction():
            gone = await self._db.fetch(
                "DELETE FROM case_member WHERE case_id = {} AND account = {} RETURNING role", case, account
            )
            if not gone:
                raise NotFound("this account is not on the case")
            await self._recorder.changed(
                principal, "case.grant", case=case, object=account, detail={"withdrawn": gone[0]["role"]}
            )


async def put_member(db: Database, case: UUID, account: UUID, role: str, until: datetime | None) -> None:
    """The row of a membership, new or changed, in the caller's transaction."""
    await db.execute(
        "INSERT INTO case_member (case_id, account, role, until) VALUES ({}, {}, {}, {})"
        " ON CONFLICT (case_id, account) DO UPDATE SET role = excluded.role, until = excluded.until",
        case,
        account,
        role,
        until,
    )


def _member(row: Row) -> Member:
    return Member(row["account"], row["name"], row["standing"], row["role"], row["until"])
