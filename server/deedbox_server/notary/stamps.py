"""Time stamps over the log from several authorities, each asked when it is due (formats/time.md, Time stamp)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from deedbox_server import faults
from deedbox_server.database import Database
from deedbox_server.notary.beacons import place_beacons
from deedbox_server.notary.outside import Outside, OutsideError
from deedbox_server.notary.service import Notary
from deedbox_server.notary.stamp_store import RevocationList, StampStore, StoredStamp
from deedbox_server.notary.stamping import StampRefused, check_stamp, crl_addresses, make_request, take_response
from deedbox_server.people.clock import Clock, system_clock
from deedbox_sync import entry, note
from deedbox_sync.bundle.layout import MAX_TOKEN
from deedbox_sync.stamp import Stamp

ALARM_AFTER = timedelta(hours=24)
AGING = timedelta(days=30)  # an alarm while the last certificate under the newest stamps has less than this left
CLOCK_TOLERANCE = timedelta(seconds=120)

_LOOK_SECONDS = 30.0  # between two looks at who is due
_ASK_SECONDS = 15.0  # public authorities answer within one; some ask that nobody hurries them
_CRL_SECONDS = 10.0
_MAX_CRL = 2 << 20  # bytes; authorities' lists for time stamping have some kilobytes
_CRL_KEPT = timedelta(hours=1)  # a list this young is not fetched again
_BEACON_TOLERANCE = timedelta(seconds=60)  # what verifiers allow the two clocks
_FIRST_RETRY = 60.0  # seconds; doubled after each failure, up to the usual interval
_RENEW_LEFT = timedelta(days=90)
_RENEW_EVERY = timedelta(days=1)  # a certificate that is near its end may be all the authority has yet

log = logging.getLogger("deedbox.time")


@dataclass(frozen=True)
class StampState:
    """How it stands with one authority. `fault` says in words why it did not stamp when it was last asked."""

    host: str
    newest: StoredStamp | None
    fault: str | None


class Stamps:
    """Without addresses (or with `outside` off) nobody is asked."""

    def __init__(
        self,
        db: Database,
        notary: Notary,
        outside: Outside,
        *,
        urls: Sequence[str],
        roots: Callable[[], Sequence[x509.Certificate]],
        seconds: int,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._notary = notary
        self._outside = outside
        self.urls = tuple(dict.fromkeys(urls))
        self._load_roots = roots
        self._roots: Sequence[x509.Certificate] | None = None
        self._every = timedelta(seconds=seconds)
        self._clock = clock
        self.store = StampStore(db, notary)
        self._faults: dict[str, str] = {}
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, datetime] = {}
        self._turns = {url: asyncio.Lock() for url in self.urls}
        self._clock_off: timedelta | None = None

    async def run(self) -> None:
        """Ask who is due, again and again, until cancelled."""
        while self.urls:
            try:
                await self.step()
            except Exception as error:  # database gone, log suspended: whoever is due stays due
                log.error("the log could not be stamped: %s", faults.told(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def step(self) -> None:
        """Ask each authority that is due, all at once. One that fails holds up nobody and is asked again later."""
        if self.urls:
            now = self._clock()
            newest = await self.store.newest()
            due = [url for url in self.urls if await self._is_due(url, newest.get(url), now)]
            await self._ask_all(due)

    async def stamp_now(self) -> list[StampState]:
        """Ask all of them for the newest checkpoint, due or not."""
        await self._ask_all(self.urls)
        return await self.states()

    async def states(self) -> list[StampState]:
        """How it stands with each authority that is set, and with those that once were and still vouch."""
        newest = await self.store.newest()
        urls = (*self.urls, *(url for url in newest if url not in self.urls))
        return [StampState(urlsplit(url).netloc, newest.get(url), self._faults.get(url)) for url in urls]

    async def alarms(self) -> list[str]:
        if not self.urls:
            return []
        now, sentences = self._clock(), []
        newest = (await self.store.newest()).values()
        first = await self.store.first_unstamped(max((stamp.size for stamp in newest), default=0))
        if first is not None and now - entry.parse(first).time > ALARM_AFTER:
            sentences.append(
                "No authority has stamped what came into the log for more than a day: nobody outside says that it was there by "
                "now. Check the box's way out to the internet, and `GET /api/v1/time` for what the authorities said."
            )
        last = max((stamp.expires for stamp in newest), default=None)
        if last is not None and last - now < AGING:
            sentences.append(
                f"The certificates under the newest time stamps end on {last:%Y-%m-%d}, and no younger one was to be had: set "
                "another authority in `stamp_urls`."
            )
        if self._clock_off is not None:
            sentences.append(
                f"The box's clock and the last time stamp differ by {abs(self._clock_off).total_seconds():.0f} seconds: set "
                "the clock of the machine."
            )
        return sentences

    # --- one authority

    async def _is_due(self, url: str, newest: StoredStamp | None, now: datetime) -> bool:
        if now < self._not_before.get(url, now):
            return False
        if newest is None:
            return True
        if timedelta(0) <= now - newest.created < self._every:
            return False
        if await self.store.first_unstamped(newest.size) is not None:
            return True
        left, life = newest.expires - now, newest.expires - newest.valid_from
        return left < max(life / 10, _RENEW_LEFT) and now - newest.created >= _RENEW_EVERY

    async def _ask_all(self, urls: Sequence[str]) -> None:
        """All at once, and each to its end; then the box's own trouble, if it had any, is raised."""
        for outcome in await asyncio.gather(*(self._ask(url) for url in urls), return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def _ask(self, url: str) -> None:
        async with self._turns[url]:
            try:
                await self._stamp(url)
            except (OutsideError, StampRefused) as problem:
                self._fail(url, str(problem))
                return
            except BaseException:
                self._fail(url, "the box could not keep the stamp")
                raise
            self._faults.pop(url, None)
            self._failures.pop(url, None)
            self._not_before.pop(url, None)

    def _fail(self, url: str, words: str) -> None:
        failures = self._failures[url] = self._failures.get(url, 0) + 1
        wait = min(timedelta(seconds=_FIRST_RETRY * 2 ** min(failures - 1, 16)), self._every)
        self._faults[url], self._not_before[url] = words, self._clock() + wait
        log.warning("no time stamp from %s: %s", urlsplit(url).netloc, words)

    async def _stamp(self, url: str) -> None:
        signed = await self._notary.checkpoint()
        size = note.parse_checkpoint(note.parse_note(signed).body).size
        data, roots = signed.encode(), await self._pinned()
        request = make_request(data)
        response = await self._outside.post(
            url, request.der, "application/timestamp-query", seconds=_ASK_SECONDS, limit=MAX_TOKEN
        )
        token, stamp = await asyncio.to_thread(take_response, response, request, data, roots)
        await self._hold_against_beacons(stamp, size)
        crls = await self._crls(stamp)
        await asyncio.to_thread(check_stamp, token, data, roots, [crl.der for crl in crls])
        now = self._clock()
        off = now - stamp.time
        self._clock_off = off if abs(off) > CLOCK_TOLERANCE else None
        valid_from = x509.load_der_x509_certificate(stamp.certificates[0]).not_valid_before_utc
        await self.store.keep(url, signed, size, token, stamp, valid_from, crls, now)

    async def _pinned(self) -> Sequence[x509.Certificate]:
        if self._roots is None:
            self._roots = await asyncio.to_thread(self._load_roots)
        return self._roots

    async def _hold_against_beacons(self, stamp: Stamp, size: int) -> None:
        """A stamp of a time at which a beacon of its own tree was not known yet says something false: a verifier would see it."""
        await place_beacons(self._db)
        row = await self._db.fetch_one(
            'SELECT max(published) AS "published [timestamptz]" FROM time_beacon WHERE seq < {}', size
        )
        if row is not None and row["published"] is not None and row["published"] - stamp.time > _BEACON_TOLERANCE:
            raise StampRefused("its time is before that of a beacon in the log: the authority's clock is wrong")

    async def _crls(self, stamp: Stamp) -> list[RevocationList]:
        """Revocation data as far as it can be had: a stamp without it is worth more than none."""
        found: list[RevocationList] = []
        since = self._clock() - _CRL_KEPT
        for url in crl_addresses(stamp.certificates):
            crl = await self.store.recent_crl(url, since)
            if crl is None:
                try:
                    der = await self._outside.get(url, seconds=_CRL_SECONDS, limit=_MAX_CRL)
                    x509.load_der_x509_crl(der)
                except (OutsideError, ValueError, x509.InvalidVersion) as problem:
                    log.warning("no revocation list from %s: %s", urlsplit(url).netloc, problem)
                    continue
                crl = RevocationList(url, der, self._clock())
            found.append(crl)
        return found
