"""Once for each box: the dates of exhibits that were read before it kept dates."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.documents.derived import FACTS
from deedbox_server.vault.errors import BlobDamaged
from deedbox_sync.errors import FormatError

_MARK: Final = "exhibit_dates"  # in `setting`: the last exhibit that was done, or that all were
_ALL: Final = "all"
_PAGE: Final = 200

_log = logging.getLogger(__name__)


async def date_what_was_read(db: Database, date_exhibit: Callable[[UUID], Awaitable[None]]) -> int:
    """Each exhibit that has facts, oldest first, by `date_exhibit`; how many. Goes on where a stopped box left off, and does
    nothing once all were done: reading dates what comes later."""
    row = await db.fetch_one("SELECT value FROM setting WHERE name = {}", _MARK)
    if row is not None and row["value"] == _ALL:
        return 0
    last, done = UUID(hex=row["value"]) if row is not None else UUID(int=0), 0
    while exhibits := await _next(db, last):
        for exhibit in exhibits:
            try:
                await date_exhibit(exhibit)
            except (BlobDamaged, FormatError) as error:  # the audit names it; it hides no other
                _log.warning("the dates of exhibit %s could not be read: %s", exhibit, type(error).__name__)
        last, done = exhibits[-1], done + len(exhibits)
        await _keep(db, last.hex)
    await _keep(db, _ALL)
    return done


async def _next(db: Database, last: UUID) -> list[UUID]:
    rows = await db.fetch(
        f"SELECT DISTINCT exhibit FROM derived WHERE exhibit > {{}} AND form = {{}} ORDER BY exhibit LIMIT {_PAGE:d}",
        last,
        FACTS,
    )
    return [row["exhibit"] for row in rows]


async def _keep(db: Database, value: str) -> None:
    await db.execute(
        "INSERT INTO setting (name, value) VALUES ({}, {}) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        _MARK,
        value,
    )
