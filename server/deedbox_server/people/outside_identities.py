"""Whom the subjects of other issuers stand for here: by issuer and subject, never by a name that may change hands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.jwt_check import MAX_SUBJECT
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_sync import uuid7

MAX_IDENTITIES: Final = 20  # of one account


@dataclass(frozen=True)
class OutsideIdentity:
    id: UUID
    issuer: str
    subject: str
    account: UUID
    created: datetime
    last_used: datetime | None


class OutsideIdentities:
    """Nothing here asks for permission: callers do, before they call."""

    def __init__(self, db: Database, recorder: Recorder, *, clock: Clock = system_clock) -> None:
        self._db = db
        self._recorder = recorder
        self._clock = clock

    async def of(self, account: UUID) -> list[OutsideIdentity]:
        rows = await self._db.fetch("SELECT * FROM outside_identity WHERE account = {} ORDER BY id", account)
        return [OutsideIdentity(**row) for row in rows]

    async def link(self, by: Principal, account: UUID, issuer: str, subject: str) -> OutsideIdentity:
        """From now on the subject stands for the account. Conflict if it stands for one already."""
        if not 0 < len(subject) <= MAX_SUBJECT or not issuer:
            raise BadRequest(f"a subject has 1 to {MAX_SUBJECT} characters, and an issuer has a name")
        made = OutsideIdentity(uuid7.new(), issuer, subject, account, self._clock(), None)
        async with self._db.transaction():
            if len(await self.of(account)) >= MAX_IDENTITIES:
                raise Conflict(f"an account has at most {MAX_IDENTITIES} identities elsewhere")
            done = await self._db.fetch(
                "INSERT INTO outside_identity (id, issuer, subject, account, created) VALUES ({}, {}, {}, {}, {})"
                " ON CONFLICT (issuer, subject) DO NOTHING RETURNING id",
                made.id,
                issuer,
                subject,
                account,
                made.created,
            )
            if not done:
                raise Conflict("this identity stands for an account already")
            await self._record(by, account, made.id, "identity linked", issuer)
        return made

    async def unlink(self, by: Principal, account: UUID, identity: UUID) -> None:
        """NotFound unless it is this account's."""
        async with self._db.transaction():
            rows = await self._db.fetch(
                "DELETE FROM outside_identity WHERE id = {} AND account = {} RETURNING issuer", identity, account
            )
            if not rows:
                raise NotFound
            await self._record(by, account, identity, "identity unlinked", rows[0]["issuer"])

    async def account_of(self, issuer: str, subject: str) -> UUID | None:
        """Whom it stands for; its use is noted, to the hour."""
        row = await self._db.fetch_one(
            "SELECT * FROM outside_identity WHERE issuer = {} AND subject = {}", issuer, subject
        )
        if row is None:
            return None
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        if row["last_used"] is None or row["last_used"] < hour:
            await self._db.execute("UPDATE outside_identity SET last_used = {} WHERE id = {}", hour, row["id"])
        account: UUID = row["account"]
        return account

    async def _record(self, by: Principal, account: UUID, identity: UUID, what: str, issuer: str) -> None:
        operation = "account.security" if by.account == account else "account.manage"
        await self._recorder.changed(by, operation, object=identity, detail={"what": what, "issuer": issuer})
