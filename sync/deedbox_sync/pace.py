"""How often somebody may ask: so much at once, then so much a second, for each address (or account) and for all together."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_ADDRESSES = 4_096  # remembered; who asks from more of them meets the limit for all together


@dataclass
class _Bucket:
    left: float
    at: float


class Pace:
    """Of one event loop. `burst` at once and `rate` a second for one address; `together` times that for all."""

    def __init__(
        self, burst: float, rate: float, clock: Callable[[], float] = time.monotonic, *, together: float = 10
    ) -> None:
        self._burst = burst
        self._rate = rate
        self._clock = clock
        self._together = together
        self._all = _Bucket(together * burst, clock())
        self._addresses: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, address: str, count: float = 1) -> bool:
        """Whether this one may ask now, for so much; if so, it is counted."""
        return self.wait(address, count) == 0

    def wait(self, address: str, count: float = 1, *, burst: float | None = None, rate: float | None = None) -> float:
        """0 if this one may ask now, for so much, and then it is counted; else the seconds after which it may, if nobody else
        asks meanwhile. `burst` and `rate` are this one's own, if other than everybody's."""
        now, most, speed = self._clock(), burst or self._burst, rate or self._rate
        bucket = self._addresses.pop(address, None) or _Bucket(most, now)
        self._addresses[address] = bucket
        if len(self._addresses) > _MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        _refill(bucket, now, most, speed)
        _refill(self._all, now, self._together * self._burst, self._together * self._rate)
        missing = max((count - bucket.left) / speed, (count - self._all.left) / (self._together * self._rate))
        if missing > 0:
            return missing
        bucket.left -= count
        self._all.left -= count
        return 0


def _refill(bucket: _Bucket, now: float, burst: float, rate: float) -> None:
    bucket.left = min(burst, bucket.left + (now - bucket.at) * rate)
    bucket.at = now
