"""Counters of the box's identifiers: none is given twice, whatever happens to the process that got it."""

from __future__ import annotations

import asyncio
from typing import Final

from deedbox_server.database import Database

_BLOCK: Final = 10_000  # counters that one commit sets aside; what a process has left when it ends is never used


class Counters:
    """Blocks are set aside durably before the first counter of one is handed out. Several processes may share the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._next = self._end = 0
        self._turn = asyncio.Lock()

    async def take(self, count: int) -> range:
        """So many counters that nobody else has or will have. Not inside a transaction, which could still be rolled back."""
        assert not self._db.in_transaction, "a counter must outlive whatever it is used in"
        if not 0 < count <= _BLOCK:
            raise ValueError(f"1 to {_BLOCK} counters at a time")
        async with self._turn:
            if self._end - self._next < count:
                row = await self._db.fetch_one(
                    "INSERT INTO identifier_counter (id, next) VALUES (1, {}) ON CONFLICT (id)"
                    " DO UPDATE SET next = identifier_counter.next + {} RETURNING next",
                    _BLOCK,
                    _BLOCK,
                )
                assert row is not None
                self._next, self._end = row["next"] - _BLOCK, row["next"]
            taken = range(self._next, self._next + count)
            self._next += count
        return taken
