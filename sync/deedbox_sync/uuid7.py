"""UUID version 7 (RFC 9562 5.7): 48 bits of Unix milliseconds, then random bits. Sorts by time of making."""

import os
import time
from uuid import UUID

from deedbox_sync.errors import FormatError

RANDOM_BYTES = 10
_MAX_MS = (1 << 48) - 1


def uuid7(now_ms: int, random: bytes) -> UUID:
    """The UUID of a millisecond and ten random bytes, of which 74 bits are kept."""
    if not 0 <= now_ms <= _MAX_MS:
        raise FormatError("uuid7", "time is outside 48 bits")
    if len(random) != RANDOM_BYTES:
        raise FormatError("uuid7", f"needs {RANDOM_BYTES} random bytes")
    value = now_ms << 80 | int.from_bytes(random)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=value)


def new() -> UUID:
    """A fresh one from the clock and the system's randomness. Order within one millisecond is not promised."""
    return uuid7(time.time_ns() // 1_000_000, os.urandom(RANDOM_BYTES))
