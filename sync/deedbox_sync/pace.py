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
    """Of one event loop. `burst` at once and `rate` a second for one address; ten times that for all."""

    def __init__(self, burst: float, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._rate = rate
        self._clock = clock
        self._all = _Bucket(10 * burst, clock())
        self._addresses: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, address: str, count: float = 1) -> bool:
        """Whether this one may ask now, for so much; if so, it is counted."""
        now = self._clock()
        bucket = self._addresses.pop(address, None) or _Bucket(self._burst, now)
        self._addresses[address] = bucket
        if len(self._addresses) > _MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        _refill(bucket, now, self._burst, self._rate)
        _refill(self._all, now, 10 * self._burst, 10 * self._rate)
        if bucket.left < count or self._all.left < count:
            return False
        bucket.left -= count
        self._all.left -= count
        return True


def _refill(bucket: _Bucket, now: float, burst: float, rate: float) -> None:
    bucket.left = min(burst, bucket.left + (now - bucket.at) * rate)
    bucket.at = now
