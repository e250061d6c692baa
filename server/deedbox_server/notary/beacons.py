"""drand rounds for the log and for all who want to say "not before": asked of several endpoints, believed only when verified
(formats/time.md, Beacon)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from deedbox_server import faults
from deedbox_server.database import Database
from deedbox_server.notary.outside import Outside, OutsideError
from deedbox_server.notary.service import Notary
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.settings import SettingsError
from deedbox_sync import beacon as beacon_format
from deedbox_sync.beacon import QUICKNET, Beacon, Chain
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.drand import MAX_ANSWER, latest_url, parse_round
from deedbox_sync.errors import FormatError, SyncError

UNREACHABLE = "unreachable"
FALSE = "false"
STALE = "stale"

FRESH = timedelta(seconds=90)  # from the box's clock; further off, it is somebody's clock or network that is wrong
ALARM_AFTER = timedelta(minutes=30)
_CROWDED = 5_000  # entries; bundles leave out a run of more than 20,000 from a beacon to an exhibit
_ASK_SECONDS = 2.0
_REMEMBER_SECONDS = 30.0
_MAX_CHAIN = 4_096  # bytes of a file that describes a chain

# Where an entry came to stand is known once the sequencer has written it.
_PLACE = """
    UPDATE time_beacon SET seq = (SELECT seq FROM log_entry WHERE log_entry.record = time_beacon.record) WHERE seq IS NULL
"""

log = logging.getLogger("deedbox.time")


@dataclass(frozen=True)
class Heard:
    """What asking gave: a fresh verified beacon, or the word for why there is none, and how far off the newest round was."""

    beacon: Beacon | None
    absent: str | None
    behind: timedelta | None = None  # the box's clock minus the newest verified round's time, where that is too far


class Beacons:
    """Without endpoints (or with `outside` off) nobody is asked and nothing is written."""

    def __init__(
        self,
        db: Database,
        notary: Notary,
        outside: Outside,
        *,
        chain: Chain,
        urls: Sequence[str],
        seconds: int,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._notary = notary
        self._outside = outside
        self.chain = chain
        self._urls = tuple(latest_url(url, chain) for url in urls)
        self._every = timedelta(seconds=seconds)
        self._clock = clock
        self._heard: Heard | None = None
        self._had = clock()  # when the last beacon was had; the box's start, until there is one

    @property
    def latest(self) -> Beacon | None:
        """The newest verified round that this process knows, if its time is within 90 s of the clock's."""
        beacon = self._heard.beacon if self._heard is not None else None
        return beacon if beacon is not None and abs(self._clock() - self.published(beacon)) <= FRESH else None

    @property
    def absent(self) -> str | None:
        """Why there was no beacon when it was last asked for, in one of the format's words."""
        return self._heard.absent if self._heard is not None else None

    def published(self, beacon: Beacon) -> datetime:
        return beacon_format.round_time(self.chain, beacon.round)

    async def run(self) -> None:
        """Ask again and again until cancelled."""
        while self._urls:
            try:
                await self.step()
            except Exception as error:  # database gone, log suspended: the next round comes all the same
                log.error("a beacon could not be written down: %s", faults.told(error))
            await asyncio.sleep(_REMEMBER_SECONDS)

    async def step(self) -> None:
        """Ask once, and write an entry where one is due."""
        if not self._urls:
            return
        heard = self._heard = await self._ask()
        if heard.beacon is not None:
            self._had = self._clock()
        if await self._is_due() or (heard.beacon is not None and await self._is_crowded()):
            await self._write(heard)

    async def alarms(self) -> list[str]:
        if not self._urls or self._heard is None:
            return []
        sentences = []
        now, behind = self._clock(), self._heard.behind
        if behind is not None and behind < timedelta(0):
            sentences.append(
                f"The box's clock is at least {_span(-behind)} behind the drand network: set the clock of the machine."
            )
        elif behind is not None:
            sentences.append(
                f"By the box's clock the newest beacon is {_span(behind)} old: set the clock of the machine, or the drand "
                "network stands still."
            )
        if now - self._had > ALARM_AFTER:
            sentences.append(
                f"No beacon could be had for {_span(now - self._had)} ({self._heard.absent or UNREACHABLE}): nobody outside "
                "says that what comes in now is not older. Check the box's way out to the internet."
            )
        return sentences

    async def _is_due(self) -> bool:
        row = await self._db.fetch_one('SELECT max(created) AS "created [timestamptz]" FROM time_beacon')
        last = row["created"] if row is not None else None
        # A clock that was set back must not keep the log without beacons until it is late again.
        return last is None or not timedelta(0) <= self._clock() - last < self._every

    async def _is_crowded(self) -> bool:
        """Whether so much came into the log since the last beacon that another one is worth an entry before its time."""
        await place_beacons(self._db)
        row = await self._db.fetch_one("SELECT max(seq) AS seq FROM time_beacon WHERE round IS NOT NULL")
        last = row["seq"] if row is not None else None
        return (await self._notary.head()).size - (last or 0) > _CROWDED

    async def _write(self, heard: Heard) -> None:
        beacon = heard.beacon
        absent: dict[str, Json] = {"absent": heard.absent, "chain": self.chain.hash.hex()}
        data = beacon_format.members(beacon) if beacon is not None else absent
        async with self._db.transaction():
            record = await self._notary.publish("time.beacon", data)
            published = self.published(beacon) if beacon is not None else None
            round_ = beacon.round if beacon is not None else None
            await self._db.insert_many(
                "time_beacon",
                ("record", "chain", "round", "published", "absent", "created"),
                [(record, self.chain.hash, round_, published, heard.absent, self._clock())],
            )

    async def _ask(self) -> Heard:
        """All endpoints at once; the first fresh round that verifies wins, the others are not waited for."""
        asked = [
            asyncio.create_task(self._outside.get(url, seconds=_ASK_SECONDS, limit=MAX_ANSWER)) for url in self._urls
        ]
        word, newest = UNREACHABLE, None
        try:
            for answered in asyncio.as_completed(asked):
                try:
                    beacon = parse_round(await answered, self.chain)
                    beacon_format.verify_beacon(beacon, self.chain)
                    published = self.published(beacon)
                except OutsideError:
                    continue
                except SyncError:
                    word = FALSE if word == UNREACHABLE else word
                    continue
                if abs(self._clock() - published) <= FRESH:
                    return Heard(beacon, None)
                word, newest = STALE, max(published, newest or published)
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return Heard(None, word, self._clock() - newest if newest is not None else None)


async def place_beacons(db: Database) -> None:
    """Fill in where beacons' entries came to stand in the log; who looks for one by its place calls this first."""
    # Looked for first: who only reads must not wait for a writer.
    if await db.fetch("SELECT record FROM time_beacon WHERE seq IS NULL LIMIT 1"):
        await db.execute(_PLACE)


def chain_of(setting: str | None) -> Chain:
    """The chain that `beacon_chain` means: none is quicknet, else JSON or the path of a file with it."""
    if setting is None:
        return QUICKNET
    try:
        text = setting
        if not setting.lstrip().startswith("{"):
            with Path(setting).open("rb") as file:
                text = file.read(_MAX_CHAIN).decode()
        told = json.loads(text)
        if not isinstance(told, dict):
            raise FormatError("beacon_chain", "is not an object")
        return beacon_format.read_chain(Fields(told, "beacon_chain"))
    except (OSError, ValueError, RecursionError) as problem:
        raise SettingsError(f"beacon_chain is no chain of drand: {problem}.") from problem


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    if minutes < 120:
        return f"{max(minutes, 1)} minutes" if minutes != 1 else "1 minute"
    return f"{minutes // 60} hours" if minutes < 2 * 1440 else f"{minutes // 1440} days"
