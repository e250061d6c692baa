"""Accounts: who may sign in, and the password that says so."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, NotFound, Unauthenticated
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.passwords import PasswordCost, hash_password, matches
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.rules import ADMINISTRATOR
from deedbox_sync import uuid7

MAX_NAME: Final = 100  # characters: what a list can show
_GUESSES_AT_ONCE: Final = 2  # each takes 64 MiB and a core


@dataclass(frozen=True)
class Account:
    id: UUID
    name: str
    role: str
    created: datetime


class Accounts:
    """Used from one event loop. Nothing here asks for permission: callers do, before they call."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        *,
        clock: Clock = system_clock,
        cost: PasswordCost | None = None,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._clock = clock
        self._cost = cost or PasswordCost()
        self._guesses = asyncio.Semaphore(_GUESSES_AT_ONCE)
        self._decoy: str | None = None

    async def create_owner(self, name: str, password: str) -> Account:
        """The first account of a box. Conflict if there is an account already."""
        phc = await asyncio.to_thread(hash_password, password, self._cost)
        async with self._db.transaction():
            if await self._db.fetch("SELECT id FROM account LIMIT 1"):
                raise Conflict("this box has an owner already")
            return await self._insert(name, ADMINISTRATOR, phc)

    async def create(self, name: str, role: str, password: str) -> Account:
        """Another account. Conflict if the name is taken, BadRequest for a role that is not registered."""
        phc = await asyncio.to_thread(hash_password, password, self._cost)
        async with self._db.transaction():
            return await self._insert(name, role, phc)

    async def by_password(self, name: str, password: str) -> Account:
        """The account that these open. Unauthenticated otherwise, in the same time whether or not the name exists."""
        row = await self._db.fetch_one("SELECT * FROM account WHERE name = {}", name)
        async with self._guesses:
            if row is not None:
                right = await asyncio.to_thread(matches, password, row["password_hash"])
            else:
                if self._decoy is None:
                    self._decoy = await asyncio.to_thread(hash_password, os.urandom(16).hex(), self._cost)
                await asyncio.to_thread(matches, password, self._decoy)
                right = False
        if row is None or not right or row["disabled"]:
            raise Unauthenticated("name or password is wrong")
        return _account(row)

    async def by_id(self, account: UUID) -> Account:
        """An account that may act. NotFound if there is none or it is disabled."""
        row = await self._db.fetch_one("SELECT * FROM account WHERE id = {}", account)
        if row is None or row["disabled"]:
            raise NotFound
        return _account(row)

    async def _insert(self, name: str, role: str, phc: str) -> Account:
        if not self._permissions.has_role(role, standing=True):
            raise BadRequest("there is no such role")
        account = Account(uuid7.new(), _checked_name(name), role, self._clock())
        taken = await self._db.fetch(
            "INSERT INTO account (id, name, role, password_hash, created, disabled) VALUES ({}, {}, {}, {}, {}, {})"
            " ON CONFLICT (name) DO NOTHING RETURNING id",
            account.id,
            account.name,
            account.role,
            phc,
            account.created,
            False,
        )
        if not taken:
            raise Conflict("this name is taken")
        return account


def _account(row: Row) -> Account:
    return Account(row["id"], row["name"], row["role"], row["created"])


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise BadRequest(f"a name is one printable line of at most {MAX_NAME} characters")
    return name
