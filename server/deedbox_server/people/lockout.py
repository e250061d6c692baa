"""Waits for guessers that lock nobody else out.

Failures are counted for each account *and* network, so that whoever guesses from elsewhere makes the owner wait for nothing; and
for each account and known browser, so that the owner keeps their own tries even in the network of the guesser (OWASP, device
cookies). A name that nobody has is counted in the same way. Five tries are free; then each failure doubles the wait.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import TooMany
from deedbox_server.people.clock import Clock, system_clock

FREE_TRIES: Final = 5
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
FORGOTTEN_AFTER: Final = timedelta(days=1)  # without a failure
MAX_COUNTED: Final = (
    100_000  # budgets at once. Pushing one out takes so many guesses that waiting would have been quicker
)
_NETWORK_BITS: Final = {4: 24, 6: 56}  # what one subscriber commands


@dataclass(frozen=True)
class Budget:
    """Whose tries are counted together. `key` is a digest: the names that people try to sign in with are not kept."""

    key: bytes


def from_network(kind: str, whom: str, address: str | None) -> Budget:
    """Tries at one thing of one name from one network."""
    return _budget(kind, whom, f"network:{_network(address)}")


def from_browser(kind: str, whom: str, browser: bytes) -> Budget:
    """Tries from a browser that this account has signed in from before."""
    return _budget(kind, whom, f"browser:{browser.hex()}")


def from_anywhere(kind: str, account: UUID) -> Budget:
    """Tries that only somebody makes who has shown the first factor: wherever they come from, they are one guesser's."""
    return _budget(kind, str(account), "anywhere")


class Lockout:
    """Durable: a restart gives nobody new tries."""

    def __init__(self, db: Database, clock: Clock = system_clock) -> None:
        self._db = db
        self._clock = clock

    async def take(self, budget: Budget) -> None:
        """Counts a failure in advance, so that a hundred guesses at once are a hundred; `forgive` takes it back. TooMany while
        the wait of an earlier one lasts: then nothing is looked at, and a right answer is refused like a wrong one."""
        now = self._clock()
        async with self._db.transaction():
            rows = await self._db.fetch(
                "INSERT INTO sign_in_failure (key, failures, last, until) VALUES ({}, 1, {}, {}) ON CONFLICT (key) DO UPDATE"
                " SET failures = CASE WHEN sign_in_failure.last < {} THEN 1 ELSE sign_in_failure.failures + 1 END,"
                " last = excluded.last WHERE sign_in_failure.until <= {} RETURNING failures",
                budget.key,
                now,
                now,
                now - FORGOTTEN_AFTER,
                now,
            )
            if rows:
                failures = int(rows[0]["failures"])
                await self._db.execute(
                    "UPDATE sign_in_failure SET until = {} WHERE key = {}", now + wait_after(failures), budget.key
                )
                if failures == 1:
                    await self._tidy(now)
                return
            row = await self._db.fetch_one("SELECT until FROM sign_in_failure WHERE key = {}", budget.key)
        until: datetime = now if row is None else row["until"]
        seconds = max(1, math.ceil((until - now).total_seconds()))
        raise TooMany("too many tries: wait, then try again", seconds)

    async def forgive(self, budget: Budget) -> None:
        """It was right: what was counted before is forgotten."""
        await self._db.execute("DELETE FROM sign_in_failure WHERE key = {}", budget.key)

    async def _tidy(self, now: datetime) -> None:
        await self._db.execute("DELETE FROM sign_in_failure WHERE last < {}", now - FORGOTTEN_AFTER)
        row = await self._db.fetch_one("SELECT count(*) AS counted FROM sign_in_failure")
        if row is not None and row["counted"] > MAX_COUNTED:
            await self._db.execute(
                "DELETE FROM sign_in_failure WHERE key IN (SELECT key FROM sign_in_failure ORDER BY last LIMIT {})",
                row["counted"] - MAX_COUNTED,
            )


def wait_after(failures: int) -> timedelta:
    """None for the first few, then 30 s, 1 min, 2 min … an hour."""
    if failures < FREE_TRIES:
        return timedelta()
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(failures - FREE_TRIES, 16)))


def _budget(*parts: str) -> Budget:
    return Budget(hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest())


def _network(address: str | None) -> str:
    try:
        found = ip_address((address or "").split("%", 1)[0])
    except ValueError:
        return "none"
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network(f"{found}/{_NETWORK_BITS[found.version]}", strict=False))
