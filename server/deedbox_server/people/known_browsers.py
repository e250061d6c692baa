"""Browsers that an account has signed in from: the token in their cookie opens nothing, it only keeps their tries apart
(OWASP, device cookies)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.secret_text import BROWSER, SecretText, make_secret, parse_secret
from deedbox_sync import uuid7

KNOWN_FOR: Final = timedelta(days=400)  # after the last sign-in; browsers keep no cookie for longer
MAX_BROWSERS: Final = 50  # of one account


class KnownBrowsers:
    def __init__(self, db: Database, clock: Clock = system_clock) -> None:
        self._db = db
        self._clock = clock

    async def knows(self, text: str | None, account: UUID | None) -> bytes | None:
        """The digest of the browser's token if this account has signed in with it; None for any other, in the same time."""
        token = None if text is None else parse_secret(BROWSER, text)
        if token is None:
            return None
        rows = await self._db.fetch(
            "SELECT id FROM known_browser WHERE digest = {} AND account = {} AND used > {}",
            token.digest,
            account or UUID(int=0),
            self._clock() - KNOWN_FOR,
        )
        return token.digest if rows else None

    async def remember(self, text: str | None, account: UUID) -> SecretText | None:
        """After a sign-in. A token to set, or None where the browser has one that it can keep."""
        now = self._clock()
        async with self._db.transaction():
            if (digest := await self.knows(text, account)) is not None:
                await self._db.execute(
                    "UPDATE known_browser SET used = {} WHERE digest = {} AND account = {}", now, digest, account
                )
                return None
            kept = None if text is None else parse_secret(BROWSER, text)
            if kept is not None and not await self._db.fetch(
                "SELECT id FROM known_browser WHERE digest = {}", kept.digest
            ):
                kept = None  # not of our making: somebody may have put it there
            token = kept or make_secret(BROWSER)
            await self._db.execute(
                "DELETE FROM known_browser WHERE used <= {} OR id IN (SELECT id FROM known_browser WHERE account = {}"
                " ORDER BY used DESC LIMIT {} OFFSET {})",
                now - KNOWN_FOR,
                account,
                MAX_BROWSERS,
                MAX_BROWSERS - 1,
            )
            await self._db.insert_many(
                "known_browser",
                ("id", "digest", "account", "created", "used"),
                [(uuid7.new(), token.digest, account, now, now)],
            )
        return None if kept is not None else token

    async def forget(self, account: UUID) -> None:
        """When somebody else may hold such tokens: the password or the factors were reset."""
        await self._db.execute("DELETE FROM known_browser WHERE account = {}", account)
