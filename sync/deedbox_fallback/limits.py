"""How much one caller may ask of the service."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_fallback.errors import TooMany
from deedbox_sync.identifier import MAX_BATCH

MAX_BODY: Final = 128 << 10  # bytes; 1,000 items of some 80
MAX_WAITING: Final = 500_000  # identifiers; half a gigabyte of disk, and an hour of the box's work when it is back
MAX_CONNECTIONS: Final = 200  # at once; a firm has some ten programs that ask

PER_SECOND: Final = 500  # identifiers of one key; more would keep others from the one thread that makes them
BURST: Final = 5 * MAX_BATCH


@dataclass
class _Bucket:
    left: float
    at: float


class RateLimit:
    """A bucket for each key. Times are of a monotonic clock; a restart fills the buckets."""

    def __init__(self) -> None:
        self._buckets: dict[UUID, _Bucket] = {}

    def take(self, key: UUID, count: int, now: float) -> None:
        """TooMany, with the seconds to wait, where the key has had its share. Only of keys that exist, so that they stay few."""
        bucket = self._buckets.setdefault(key, _Bucket(BURST, now))
        bucket.left = min(bucket.left + (now - bucket.at) * PER_SECOND, BURST)
        bucket.at = now
        if bucket.left < count:
            wait = math.ceil((count - bucket.left) / PER_SECOND)
            raise TooMany(f"try again in {wait} s", retry_after=wait)
        bucket.left -= count
