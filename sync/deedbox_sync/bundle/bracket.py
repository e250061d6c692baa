"""The bracket of an exhibit: what outsiders say of when (formats/time.md, Bracket)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Bracket:
    """Not before a beacon's round, not after an outsider had seen the log with the exhibit in it; and by whom each is known.

    A side that nobody outside vouches for is None, and so is its witness.
    """

    not_before: datetime | None = None
    not_before_by: str | None = None
    not_after: datetime | None = None
    not_after_by: str | None = None
