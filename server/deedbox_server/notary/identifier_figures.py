"""How minting goes, for metrics and alarms: counts since this process started, shares of the last hour."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deedbox_server.database import Database
from deedbox_server.people.clock import Clock, system_clock

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds
HOUR: Final = timedelta(hours=1)
MOST_FALLBACK: Final = 0.10
MOST_REFUSED: Final = 0.05
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Histogram:
    """Seconds that calls took: for each of BUCKETS how many took at most that, and how many there were in all."""

    cumulative: tuple[int, ...]
    count: int
    sum: float


class Figures:
    """Used from one event loop."""

    def __init__(self, db: Database, *, clock: Clock = system_clock) -> None:
        self._db = db
        self._clock = clock
        self.minted: Counter[str] = Counter(box=0, device=0, fallback=0)
        self.outcomes: Counter[str] = Counter(reconciled=0, known=0, refused=0)
        self._minutes: deque[tuple[datetime, Counter[str]]] = deque()
        self._buckets = [0] * len(BUCKETS)
        self._calls = 0
        self._seconds = 0.0

    def took(self, seconds: float) -> None:
        """A call that minted was answered after so long."""
        self._calls += 1
        self._seconds += seconds
        for place, most in enumerate(BUCKETS):
            if seconds <= most:
                self._buckets[place] += 1
                break

    @property
    def latency(self) -> Histogram:
        cumulative, so_far = [], 0
        for count in self._buckets:
            so_far += count
            cumulative.append(so_far)
        return Histogram(tuple(cumulative), self._calls, self._seconds)

    def reconciled(self, outcomes: Counter[str]) -> None:
        """What came of one call's records, by state."""
        self.outcomes.update(outcomes)
        now = self._clock()
        if not self._minutes or now - self._minutes[-1][0] >= _MINUTE:
            self._minutes.append((now, Counter()))
        self._minutes[-1][1].update(outcomes)
        self._forget(now)

    @property
    def refused_share(self) -> float:
        """Of the records that this process was asked to reconcile in the last hour."""
        self._forget(self._clock())
        asked: Counter[str] = Counter()
        for _, outcomes in self._minutes:
            asked.update(outcomes)
        return asked["refused"] / asked.total() if asked.total() else 0.0

    async def fallback_share(self) -> float:
        """Of the identifiers of the last hour, minted here or reconciled then, whichever process did it."""
        row = await self._db.fetch_one(
            "SELECT COALESCE(SUM(box + device + fallback), 0) AS total, COALESCE(SUM(fallback), 0) AS fallback"
            " FROM identifier_batch WHERE created > {}",
            self._clock() - HOUR,
        )
        assert row is not None
        return row["fallback"] / row["total"] if row["total"] else 0.0

    async def alarms(self) -> list[str]:
        sentences = []
        if (share := await self.fallback_share()) > MOST_FALLBACK:
            sentences.append(
                f"{share:.0%} of the last hour's identifiers came from a fallback service: see why the box could not be reached."
            )
        if (share := self.refused_share) > MOST_REFUSED:
            sentences.append(
                f"{share:.0%} of the identifiers that the box was asked to reconcile in the last hour were refused: see the "
                "fallback service's own report, or the desk's."
            )
        return sentences

    def _forget(self, now: datetime) -> None:
        while self._minutes and now - self._minutes[0][0] > HOUR:
            self._minutes.popleft()
