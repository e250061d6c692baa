"""What an administrator changes about others' accounts: role, duties, whether they may act at all, their second factors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, NotFound, PreconditionFailed
from deedbox_server.people.accounts import Account, Accounts
from deedbox_server.people.invitations import check_duties, checked_email
from deedbox_server.people.permissions import OUTSIDER, Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.rules import ADMINISTRATOR
from deedbox_server.people.second_factors import SecondFactors
from deedbox_server.people.sessions import Sessions
from deedbox_sync.canonical_json import Json

OPERATION: Final = "account.manage"


class AccountChanges:
    """Each takes effect at the account's next request. There is always an administrator who may act."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        sessions: Sessions,
        factors: SecondFactors,
        permissions: Permissions,
        recorder: Recorder,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._sessions = sessions
        self._factors = factors
        self._permissions = permissions
        self._recorder = recorder

    async def page(self, principal: Principal, limit: int, after: UUID | None = None) -> list[Account]:
        await self._permissions.permit(self._db, principal, "account.list")
        return await self._accounts.page(limit, after)

    async def get(self, principal: Principal, account: UUID) -> Account:
        await self._permissions.permit(self._db, principal, "account.list")
        return await self._accounts.any_by_id(account)

    async def change(
        self,
        principal: Principal,
        account: UUID,
        expected: int,
        *,
        role: str | None = None,
        duties: frozenset[str] | None = None,
        email: str | None = None,
    ) -> Account:
        """What is None stays; an empty `email` takes it away. Conflict where it would leave no administrator; PreconditionFailed
        if the account is not at the version that was read. Nobody becomes an outsider, or one of the firm, who was not: their
        cases would not fit."""
        await self._permissions.permit(self._db, principal, OPERATION)
        async with self._db.transaction():
            await self._one_at_a_time()
            before = await self._accounts.any_by_id(account)
            new_role = before.role if role is None else role
            new_duties = before.duties if duties is None else duties
            if not self._permissions.has_role(new_role, standing=True):
                raise BadRequest("there is no such role")
            if (new_role == OUTSIDER) != (before.role == OUTSIDER):
                raise Conflict(
                    "somebody from outside is invited anew to become one of the firm, and the other way round"
                )
            check_duties(new_role, new_duties)
            new_email = before.email if email is None else checked_email(email) if email else None
            rows = await self._db.fetch(
                "UPDATE account SET role = {}, duties = {}, email = {}, version = version + 1"
                " WHERE id = {} AND version = {} RETURNING id",
                new_role,
                json.dumps(sorted(new_duties)),
                new_email,
                account,
                expected,
            )
            if not rows:
                raise PreconditionFailed
            await self._an_administrator_is_left()
            detail: dict[str, Json] = {"what": "account changed", "name": before.name}
            if new_role != before.role:
                detail |= {"role": [before.role, new_role]}
            if new_duties != before.duties:
                detail |= {"duties": [list[Json](sorted(before.duties)), list[Json](sorted(new_duties))]}
            if new_email != before.email:
                detail |= {"email": [before.email, new_email]}
            await self._note(principal, account, detail)
            return await self._accounts.any_by_id(account)

    async def disable(self, principal: Principal, account: UUID) -> Account:
        """Its sessions have ended, its keys and devices open nothing. Conflict for the last administrator. Doing it again changes
        nothing."""
        await self._permissions.permit(self._db, principal, OPERATION)
        async with self._db.transaction():
            await self._one_at_a_time()
            changed = await self._set_disabled(account, True)
            if changed:
                await self._an_administrator_is_left()
                await self._sessions.end_all(principal, account)
                await self._note(principal, account, {"what": "account disabled"})
            return await self._accounts.any_by_id(account)

    async def enable(self, principal: Principal, account: UUID) -> Account:
        await self._permissions.permit(self._db, principal, OPERATION)
        async with self._db.transaction():
            if await self._set_disabled(account, False):
                await self._note(principal, account, {"what": "account enabled"})
            return await self._accounts.any_by_id(account)

    async def reset_factors(self, principal: Principal, account: UUID) -> None:
        """Somebody lost phone, key and paper: they sign in with their password and set up a factor anew. Their sessions end."""
        await self._permissions.permit(self._db, principal, OPERATION)
        async with self._db.transaction():
            found = await self._accounts.any_by_id(account)
            await self._factors.reset(account)
            await self._sessions.end_all(principal, account)
            await self._note(principal, account, {"what": "second factors reset", "name": found.name})

    async def _set_disabled(self, account: UUID, disabled: bool) -> bool:
        rows = await self._db.fetch(
            "UPDATE account SET disabled = {}, version = version + 1 WHERE id = {} AND disabled = {} RETURNING id",
            disabled,
            account,
            not disabled,
        )
        if not rows and not await self._db.fetch("SELECT id FROM account WHERE id = {}", account):
            raise NotFound
        return bool(rows)

    async def _one_at_a_time(self) -> None:
        """Two administrators who demote each other at the same moment: the second waits here for the first (Postgres; SQLite has
        one writer anyway)."""
        await self._db.execute(
            "INSERT INTO setting (name, value) VALUES ({}, {}) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            "administrators",
            "one at a time",
        )

    async def _an_administrator_is_left(self) -> None:
        left = await self._db.fetch(
            "SELECT id FROM account WHERE role = {} AND disabled = {} LIMIT 1", ADMINISTRATOR, False
        )
        if not left:
            raise Conflict("this is the last administrator: make somebody else one first")

    async def _note(self, principal: Principal, account: UUID, detail: Mapping[str, Json]) -> None:
        await self._recorder.changed(principal, OPERATION, object=account, detail=detail)
