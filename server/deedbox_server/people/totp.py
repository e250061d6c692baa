"""Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and thirty seconds, which is what every app can do.

A code counts once, and a step early or late for a clock that is off. The secret must be kept as it is, since both sides reckon
with it; it lies in the encrypted database.
"""

from __future__ import annotations

import hmac
import os
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import pyotp

from deedbox_server.database import Database
from deedbox_server.errors import NotFound
from deedbox_server.people.clock import Clock, system_clock
from deedbox_sync import uuid7

SECRET_BYTES: Final = 20  # RFC 4226 4, R6
DIGITS: Final = 6
SECONDS: Final = 30
_STEPS_OFF: Final = 1  # either way (RFC 6238 5.2)
_NEVER: Final = -1


@dataclass(frozen=True, repr=False)
class TotpSetup:
    """What goes into the app: shown now, and not again."""

    id: UUID
    secret: str
    uri: str


def code_at(secret: bytes, step: int) -> str:
    return pyotp.TOTP(_text(secret), digits=DIGITS, interval=SECONDS).generate_otp(step)


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step that a code is of, or None for a code of no step near `now`. Takes the same time for every code."""
    current, found = int(now.timestamp()) // SECONDS, None
    for step in range(current - _STEPS_OFF, current + _STEPS_OFF + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "surrogatepass")):
            found = step
    return found


class Totp:
    """One authenticator app of each account; another one takes its place once it has shown a code."""

    def __init__(self, db: Database, issuer: str, clock: Clock = system_clock) -> None:
        self._db = db
        self._issuer = issuer
        self._clock = clock

    async def begin(self, account: UUID, label: str) -> TotpSetup:
        """A secret for an app. It counts for nothing until `confirm`; one that was begun before is forgotten."""
        secret, made = os.urandom(SECRET_BYTES), uuid7.new()
        async with self._db.transaction():
            await self._db.execute("DELETE FROM totp_secret WHERE account = {} AND confirmed IS NULL", account)
            await self._db.insert_many(
                "totp_secret",
                ("id", "account", "secret", "created", "confirmed", "last_step"),
                [(made, account, secret, self._clock(), None, _NEVER)],
            )
        uri = pyotp.TOTP(_text(secret)).provisioning_uri(name=label, issuer_name=self._issuer)
        return TotpSetup(made, _text(secret), uri)

    async def confirm(self, account: UUID, code: str) -> bool:
        """The app shows the right code: from now on it is the account's, and one before it is not. False for another code.
        NotFound where none was begun."""
        row = await self._db.fetch_one(
            "SELECT id, secret FROM totp_secret WHERE account = {} AND confirmed IS NULL", account
        )
        if row is None:
            raise NotFound("begin with a new secret")
        now = self._clock()
        step = step_of(row["secret"], code, now)
        if step is None:
            return False
        await self._db.execute("DELETE FROM totp_secret WHERE account = {} AND id <> {}", account, row["id"])
        await self._db.execute(
            "UPDATE totp_secret SET confirmed = {}, last_step = {} WHERE id = {}", now, step, row["id"]
        )
        return True

    async def show(self, account: UUID, code: str) -> bool:
        """Whether the code is right, and newer than any that was used: then it is used now, durably."""
        row = await self._db.fetch_one(
            "SELECT id, secret FROM totp_secret WHERE account = {} AND confirmed IS NOT NULL", account
        )
        step = step_of(bytes(SECRET_BYTES) if row is None else row["secret"], code, self._clock())
        if row is None or step is None:
            return False
        used = await self._db.fetch(
            "UPDATE totp_secret SET last_step = {} WHERE id = {} AND last_step < {} RETURNING id", step, row["id"], step
        )
        return bool(used)

    async def since(self, account: UUID) -> datetime | None:
        """When the account's app was set up; None where there is none."""
        row = await self._db.fetch_one(
            "SELECT confirmed FROM totp_secret WHERE account = {} AND confirmed IS NOT NULL", account
        )
        return None if row is None else row["confirmed"]

    async def remove(self, account: UUID) -> bool:
        """Whether there was one."""
        return bool(await self._db.fetch("DELETE FROM totp_secret WHERE account = {} RETURNING id", account))


def _text(secret: bytes) -> str:
    return b32encode(secret).decode("ascii")
