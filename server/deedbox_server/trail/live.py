"""Live events: what has just happened, to whoever listens, behind the wall as it stands when each event leaves (SY-6).

Every listener has its own place in the log and takes what comes after it, from a window in memory or from the database: there is
no queue for each, so that a slow one costs nothing. One that falls too far behind is told to load anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, DatabaseError
from deedbox_server.errors import DeedboxError, Denied, TooMany
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.trail.happened import Audience, Happened, happened, head
from deedbox_server.trail.states import States

EVERY: Final = 0.5  # seconds between looks at the log, while anybody listens
HEARTBEAT: Final = 15.0  # seconds: proxies close what is silent for thirty or sixty
WINDOW: Final = 2_000  # events kept in memory for those who listen
MAX_BEHIND: Final = 5_000  # log entries that are caught up with; whoever lacks more loads anew
MAX_STREAMS: Final = 20  # of one account: windows of a browser, and programs
LIFE: Final = 3600.0  # seconds; then a client comes again, with a fresh look at who it is
_GROUP: Final = 20  # events for which the wall is asked once, and that leave as one piece

log = logging.getLogger("deedbox.live")


@dataclass(frozen=True)
class Beat:
    """Nothing happened that the listener may know; the stream is alive, and has come as far as entry `seq`."""

    seq: int


@dataclass(frozen=True)
class Reset:
    """Events were lost: load anew what is shown. `seq` is where the stream goes on."""

    seq: int


Piece = tuple[Happened, ...] | Beat | Reset


class Live:
    """Of one event loop. `stop` ends every stream, for good."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        alarms: Callable[[], Awaitable[list[str]]],
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._clock = clock
        self._states = States(db, alarms)
        self._window: deque[Happened] = deque(maxlen=WINDOW)
        self._from = -1  # the window has everything after this number
        self._seq: int | None = None  # up to here; None while nobody listens
        self._listeners: Counter[str] = Counter()
        self._grown = asyncio.Event()
        self._stopped = False

    async def run(self) -> None:
        """Look at the log while anybody listens, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.step()
            except (DatabaseError, DeedboxError) as error:
                log.error("live events are late: %s", type(error).__name__)

    async def step(self) -> None:
        """One look."""
        if not self._listeners:
            self._window.clear()
            self._seq = None
            return
        before = (self._seq, self._states.version)
        if self._seq is None:
            self._from = self._seq = await head(self._db)
        while True:
            found, last = await happened(self._db, self._seq)
            for one in found:
                if len(self._window) == WINDOW:
                    self._from = self._window[0].seq or 0
                self._window.append(one)
            if last == self._seq:
                break
            self._seq = last
        await self._states.look()
        if before != (self._seq, self._states.version):
            self._wake()

    def stop(self) -> None:
        """Every stream ends at once: a box that stops waits for none of them."""
        self._stopped = True
        self._wake()

    async def listen(self, principal: Principal, last: int | None = None) -> AsyncIterator[Piece]:
        """Pieces as they come, from after entry `last` or from now on, until the principal's session, key or account ends, or
        LIFE is over. TooMany where its account has too many streams; Denied for whoever may not listen."""
        self._permissions.require(principal, "events.listen")
        who = str(principal.account)
        if self._listeners[who] >= MAX_STREAMS:
            raise TooMany(f"an account has at most {MAX_STREAMS} streams of events: close one", retry_after=60)
        return self._pieces(principal, last, who)

    async def _pieces(self, principal: Principal, last: int | None, who: str) -> AsyncIterator[Piece]:
        self._listeners[who] += 1
        try:
            newest = await head(self._db)
            place, version = newest if last is None else last, 0
            if not -1 <= place <= newest or newest - place > MAX_BEHIND:
                yield Reset(newest)
                place = newest
            ends = asyncio.get_running_loop().time() + LIFE
            while not self._stopped and asyncio.get_running_loop().time() < ends:
                grown, before = self._grown, place
                told, place, lost = await self._after(place)
                states, version = self._states.after(version)
                if lost:
                    yield Reset(place)
                for start in range(0, len(told) + len(states), _GROUP):
                    if (now := await self._still(principal)) is None:
                        return
                    if shown := await self._shown(now, [*told, *states][start : start + _GROUP]):
                        yield shown
                if place == before and not states and not await _set(grown, HEARTBEAT):
                    if await self._still(principal) is None:
                        return
                    yield Beat(place)
        finally:
            self._listeners[who] -= 1
            if not self._listeners[who]:
                del self._listeners[who]

    async def _after(self, place: int) -> tuple[list[Happened], int, bool]:
        """What came after this place, the next place, and whether something in between is lost."""
        if self._seq is None:
            return [], place, False
        if place >= self._from:
            told = [one for one in self._window if (one.seq or 0) > place]
            return told, max(place, self._seq), False
        if self._seq - place > MAX_BEHIND:
            return [], self._seq, True
        told, last = await happened(self._db, place)
        return told, last, False

    # --- who may be told

    async def _still(self, principal: Principal) -> Principal | None:
        """The principal as it is now; None once its account, session, key or device is no more."""
        account = await self._db.fetch_one("SELECT role, disabled FROM account WHERE id = {}", principal.account)
        if account is None or account["disabled"]:
            return None
        now = self._clock()
        if principal.session is not None:
            asked: tuple[str, tuple[object, ...]] = (
                "SELECT id FROM people_session WHERE id = {} AND expires > {}",
                (principal.session, now),
            )
        elif principal.kind == "device":
            asked = ("SELECT id FROM device WHERE id = {} AND revoked IS NULL", (principal.device,))
        elif principal.via.startswith("api-key:"):
            asked = (
                "SELECT id FROM api_key WHERE handle = {} AND revoked IS NULL AND (expires IS NULL OR expires > {})",
                (principal.via.removeprefix("api-key:"), now),
            )
        else:
            return replace(principal, role=account["role"])
        return replace(principal, role=account["role"]) if await self._db.fetch(asked[0], *asked[1]) else None

    async def _shown(self, principal: Principal, told: Sequence[Happened]) -> tuple[Happened, ...]:
        """Those of these events that the principal may be told now."""
        watches = self._may(principal, "time.read") and principal.cases is None
        cases = sorted({one.case for one in told if one.case is not None})
        seen = {
            Audience.FIRM: await self._where(principal, "case.members", cases),  # an operation of the firm's roles
            Audience.EVIDENCE: await self._where(principal, "evidence.read", cases),
        }
        rest = [one for one in told if one.case not in seen[Audience.FIRM] and one.audience is Audience.FIRM]
        shared = await self._shared(principal, [one.object for one in rest if one.object is not None])

        def may_know(one: Happened) -> bool:
            if one.audience is Audience.WATCHERS or one.case is None:
                return watches
            return one.case in seen[one.audience] or one.object in shared

        return tuple(one for one in told if may_know(one))

    async def _where(self, principal: Principal, operation: str, cases: Sequence[UUID]) -> set[UUID]:
        """Those of the cases in which the principal may do this."""
        if not cases or not self._may(principal, operation):
            return set()
        wall = self._permissions.wall(principal, operation)
        rows = await self._db.fetch_in(
            f"SELECT id FROM legal_case WHERE {wall.on('legal_case.id')} AND id IN ", cases, *wall.args
        )
        return {row["id"] for row in rows}

    async def _shared(self, principal: Principal, objects: Sequence[UUID]) -> set[UUID]:
        """Those of these events and artifacts of cases that were shared with outsiders, where the principal is one."""
        found: set[UUID] = set()
        for table, operation in (("case_event", "event.read"), ("case_artifact", "artifact.read")):
            if not objects or not self._may(principal, operation):
                continue
            wall = self._permissions.wall(principal, operation)
            rows = await self._db.fetch_in(
                f"SELECT id FROM {table} WHERE shared = {{}} AND removed IS NULL AND {wall.on(f'{table}.case_id')}"
                " AND id IN ",
                objects,
                True,
                *wall.args,
            )
            found |= {row["id"] for row in rows}
        return found

    def _may(self, principal: Principal, operation: str) -> bool:
        try:
            self._permissions.require(principal, operation)
        except Denied:
            return False
        return True

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


async def _set(event: asyncio.Event, seconds: float) -> bool:
    """Whether it is set within this time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            return True
    return False
