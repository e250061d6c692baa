"""Accounts: who may sign in, and the password that says so."""

from __future__ import annotations

import asyncio
import json
import os
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, NotFound, Unauthenticated
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.password_rules import PasswordRules
from deedbox_server.people.passwords import PasswordCost, hash_password, matches, needs_rehash
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.rules import ADMINISTRATOR
from deedbox_sync import uuid7

MAX_NAME: Final = 100  # characters: what a list can show
_GUESSES_AT_ONCE: Final = 2  # each takes 64 MiB and a core


@dataclass(frozen=True)
class Account:
    """`name` is what others see; `sign_in` what the person types, folded; `duties` what they do for the firm beside their
    role."""

    id: UUID
    name: str
    role: str
    created: datetime
    sign_in: str | None = None
    email: str | None = None
    duties: frozenset[str] = frozenset()
    disabled: bool = False
    version: int = 1


class Accounts:
    """Used from one event loop. Nothing here asks for permission: callers do, before they call."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        *,
        clock: Clock = system_clock,
        cost: PasswordCost | None = None,
        rules: PasswordRules | None = None,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._clock = clock
        self.cost = cost or PasswordCost()
        self._rules = rules or PasswordRules()
        self._guesses = asyncio.Semaphore(_GUESSES_AT_ONCE)
        self._decoy: str | None = None

    async def create_owner(self, name: str, password: str) -> Account:
        """The first account of a box. Conflict if there is an account already."""
        phc = await self.hashed(password, name)
        async with self._db.transaction():
            if await self._db.fetch("SELECT id FROM account LIMIT 1"):
                raise Conflict("this box has an owner already")
            return await self.insert(name, ADMINISTRATOR, phc)

    async def create(self, name: str, role: str, password: str) -> Account:
        """Another account. Conflict if the name is taken, BadRequest for a role that is not registered."""
        phc = await self.hashed(password, name)
        async with self._db.transaction():
            return await self.insert(name, role, phc)

    async def hashed(self, password: str, *names: str) -> str:
        """A password's hash, as the account has it. BadRequest for a password that the rules refuse."""

        def work() -> str:
            self._rules.check(password, *names)
            return hash_password(password, self.cost)

        async with self._guesses:
            return await asyncio.to_thread(work)

    async def by_password(self, name: str, password: str) -> Account:
        """The account that these open. Unauthenticated otherwise, in the same time whether or not the name exists. A hash made
        at another cost than today's is made anew."""
        row = await self._row(name)
        if not await self._matches(password, row) or row is None or row["disabled"]:
            raise Unauthenticated("name or password is wrong")
        if needs_rehash(row["password_hash"], self.cost):
            async with self._guesses:
                phc = await asyncio.to_thread(hash_password, password, self.cost)
            await self._db.execute(
                "UPDATE account SET password_hash = {} WHERE id = {} AND password_hash = {}",
                phc,
                row["id"],
                row["password_hash"],
            )
        return _account(row)

    async def known_as(self, name: str) -> UUID | None:
        """The account that signs in with this name, to count failures with; nothing that a caller may learn."""
        row = await self._row(name)
        return None if row is None else row["id"]

    async def has_password(self, account: UUID, password: str) -> bool:
        row = await self._db.fetch_one("SELECT * FROM account WHERE id = {}", account)
        return await self._matches(password, row) and row is not None and not row["disabled"]

    async def set_password(self, account: UUID, phc: str) -> None:
        """In the caller's transaction; it ends what sessions it must."""
        await self._db.execute("UPDATE account SET password_hash = {} WHERE id = {}", phc, account)

    async def any_by_id(self, account: UUID) -> Account:
        """An account, disabled or not. NotFound if there is none."""
        row = await self._db.fetch_one("SELECT * FROM account WHERE id = {}", account)
        if row is None:
            raise NotFound
        return _account(row)

    async def page(self, limit: int, after: UUID | None = None) -> list[Account]:
        """Accounts in the order in which they were made."""
        rows = await self._db.fetch(
            "SELECT * FROM account WHERE id > {} ORDER BY id LIMIT {}", after or UUID(int=0), limit
        )
        return [_account(row) for row in rows]

    async def by_id(self, account: UUID) -> Account:
        """An account that may act. NotFound if there is none or it is disabled."""
        row = await self._db.fetch_one("SELECT * FROM account WHERE id = {}", account)
        if row is None or row["disabled"]:
            raise NotFound
        return _account(row)

    async def insert(
        self,
        name: str,
        role: str,
        phc: str,
        *,
        sign_in: str | None = None,
        email: str | None = None,
        duties: frozenset[str] = frozenset(),
    ) -> Account:
        """In the caller's transaction. Conflict if the name, or what the person wants to sign in with, is taken."""
        if not self._permissions.has_role(role, standing=True):
            raise BadRequest("there is no such role")
        name = checked_name(name)
        wanted = folded(sign_in or name)
        account = Account(uuid7.new(), name, role, self._clock(), wanted, email, duties)
        if await self.is_taken(name) or await self.is_taken(sign_in or name):
            raise Conflict("this name is taken")
        taken = await self._db.fetch(
            "INSERT INTO account (id, name, role, password_hash, created, disabled, duties, sign_in, email, version)"
            " VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}) ON CONFLICT DO NOTHING RETURNING id",
            account.id,
            account.name,
            account.role,
            phc,
            account.created,
            False,
            json.dumps(sorted(duties)),
            account.sign_in,
            account.email,
            account.version,
        )
        if not taken:
            raise Conflict("this name is taken")
        return account

    async def is_taken(self, name: str) -> bool:
        """Whether somebody is called so, or signs in so."""
        return bool(await self._db.fetch("SELECT id FROM account WHERE name = {} OR sign_in = {}", name, folded(name)))

    async def _row(self, name: str) -> Row | None:
        """Accounts older than sign-in names sign in with their name, as it is written."""
        rows = await self._db.fetch(
            "SELECT * FROM account WHERE sign_in = {} OR (sign_in IS NULL AND name = {}) ORDER BY sign_in IS NULL LIMIT 1",
            folded(name),
            name,
        )
        return rows[0] if rows else None

    async def _matches(self, password: str, row: Row | None) -> bool:
        """Slow on purpose, and as slow where there is nothing to compare with."""
        async with self._guesses:
            if row is not None:
                return await asyncio.to_thread(matches, password, row["password_hash"])
            if self._decoy is None:
                self._decoy = await asyncio.to_thread(hash_password, os.urandom(16).hex(), self.cost)
            await asyncio.to_thread(matches, password, self._decoy)
            return False


def folded(name: str) -> str:
    """What people may type as their name and mean the same: case, width, spaces around it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def checked_name(name: str) -> str:
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise BadRequest(f"a name is one printable line of at most {MAX_NAME} characters")
    return name


def _account(row: Row) -> Account:
    return Account(
        row["id"],
        row["name"],
        row["role"],
        row["created"],
        row["sign_in"],
        row["email"],
        frozenset(json.loads(row["duties"] or "[]")),
        row["disabled"],
        row["version"] or 1,
    )
