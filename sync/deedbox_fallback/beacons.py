"""The newest drand round, asked of the service's own list of endpoints: an identifier under it was not minted earlier."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from deedbox_fallback.outgoing import OutgoingError, fetch
from deedbox_sync import beacon
from deedbox_sync.beacon import Beacon, Chain
from deedbox_sync.drand import MAX_ANSWER, latest_url, parse_round
from deedbox_sync.errors import SyncError

FRESH: Final = timedelta(seconds=90)  # from this machine's clock, as at the box
_ASK_SECONDS: Final = 2.0
_EVERY_SECONDS: Final = 30.0

log = logging.getLogger("deedbox.fallback")


class Beacons:
    """Without endpoints nobody is asked, and identifiers have no beacon."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        chain: Chain,
        endpoints: Sequence[str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._chain = chain
        self._urls = tuple(latest_url(endpoint, chain) for endpoint in endpoints)
        self._clock = clock
        self._newest: Beacon | None = None

    @property
    def latest(self) -> Beacon | None:
        """The newest verified round, if its time is within 90 s of the clock's."""
        newest = self._newest
        return newest if newest is not None and self._is_fresh(newest) else None

    def published(self, known: Beacon) -> datetime:
        return beacon.round_time(self._chain, known.round)

    async def run(self) -> None:
        """Ask again and again until cancelled."""
        while self._urls:
            await self.step()
            await asyncio.sleep(_EVERY_SECONDS)

    async def step(self) -> None:
        """Ask all endpoints at once; the first fresh round that verifies is taken."""
        asked = [
            asyncio.create_task(fetch(self._client, "GET", url, seconds=_ASK_SECONDS, limit=MAX_ANSWER))
            for url in self._urls
        ]
        try:
            for answered in asyncio.as_completed(asked):
                try:
                    found = parse_round((await answered).content, self._chain)
                    beacon.verify_beacon(found, self._chain)
                    if self._is_fresh(found):
                        self._newest = found
                        return
                except (OutgoingError, SyncError):
                    continue  # another may do better
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        if self._urls:
            log.warning("no endpoint told a fresh beacon that verifies")

    def _is_fresh(self, known: Beacon) -> bool:
        return abs(self._clock() - self.published(known)) <= FRESH
