"""Accounts: who may sign in, by password or by an API key that acts for one account within its rights."""

from __future__ import annotations

import asyncio
import hmac
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, NotFound, Unauthenticated
from deedbox_server.people.api_key import HANDLE_BYTES, SECRET_BYTES, KeyText, make_key_text, parse_key_text
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.passwords import PasswordCost, hash_password, matches
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.rules import ADMINISTRATOR
from deedbox_sync import uuid7
from deedbox_sync.message_signature import message_key

MAX_NAME: Final = 100  # characters, of accounts and keys: what a list can show
MAX_KEYS: Final = 100  # of one account: more is a program gone wrong
_GUESSES_AT_ONCE: Final = 2  # each takes 64 MiB and a core


@dataclass(frozen=True)
class Account:
    id: UUID
    name: str
    role: str
    created: datetime


@dataclass(frozen=True)
class ApiKey:
    """A key as its owner sees it; the secret was shown once, when it was made."""

    id: UUID
    handle: str
    name: str
    created: datetime
    expires: datetime | None


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

    async def create_key(self, account: UUID, name: str, expires: datetime | None = None) -> tuple[ApiKey, KeyText]:
        """A new key; its text can be had only now."""
        now = self._clock()
        if expires is not None and expires <= now:
            raise BadRequest("a key cannot expire in the past")
        key = make_key_text(os.urandom(HANDLE_BYTES + SECRET_BYTES))
        made = ApiKey(uuid7.new(), key.handle, _checked_name(name), now, expires)
        async with self._db.transaction():
            if len(await self.keys(account)) >= MAX_KEYS:
                raise Conflict(f"an account has at most {MAX_KEYS} keys: revoke some first")
            await self._db.insert_many(
                "api_key",
                ("id", "handle", "account", "name", "digest", "created", "expires", "revoked", "message_key"),
                [(made.id, made.handle, account, made.name, key.digest, now, expires, None, message_key(key.text))],
            )
        return made, key

    async def keys(self, account: UUID) -> list[ApiKey]:
        """The account's keys that are not revoked, oldest first; expired ones too."""
        rows = await self._db.fetch(
            "SELECT * FROM api_key WHERE account = {} AND revoked IS NULL ORDER BY created, id", account
        )
        return [ApiKey(row["id"], row["handle"], row["name"], row["created"], row["expires"]) for row in rows]

    async def revoke_key(self, account: UUID, key: UUID) -> None:
        """From the next request on the key opens nothing. NotFound unless it is this account's and still open."""
        changed = await self._db.fetch(
            "UPDATE api_key SET revoked = {} WHERE id = {} AND account = {} AND revoked IS NULL RETURNING id",
            self._clock(),
            key,
            account,
        )
        if not changed:
            raise NotFound

    async def by_key(self, text: str) -> Principal:
        """The account that a key acts for. Unauthenticated says the same of every key that does not."""
        key = parse_key_text(text)
        row = None if key is None else await self._key_row(key.handle)
        # Compared even when there is nothing to compare with, so that a handle cannot be tried out by the clock.
        expected = bytes(32) if row is None else row["digest"]
        right = hmac.compare_digest(expected, bytes(32) if key is None else key.digest)
        if key is None or row is None or not right or not self._is_open(row):
            raise Unauthenticated("this API key opens nothing")
        return Principal("account", row["account"], None, row["account_name"], f"api-key:{key.handle}", row["role"])

    async def _key_row(self, handle: str) -> Row | None:
        return await self._db.fetch_one(
            "SELECT api_key.account, api_key.digest, api_key.expires, api_key.revoked,"
            " account.name AS account_name, account.role, account.disabled"
            " FROM api_key JOIN account ON account.id = api_key.account WHERE api_key.handle = {}",
            handle,
        )

    def _is_open(self, row: Row) -> bool:
        expired = row["expires"] is not None and row["expires"] <= self._clock()
        return row["revoked"] is None and not row["disabled"] and not expired

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
