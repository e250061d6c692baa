"""The outside times of exhibits: where each one's receipt stands in the log, and what outsiders say of that place."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.notary.brackets import Brackets
from deedbox_sync.bundle.bracket import Bracket


async def received_indexes(db: Database, exhibits: Sequence[UUID]) -> dict[UUID, int]:
    """The log index of each exhibit's `received` entry; those that the log has not taken yet are missing."""
    rows = await db.fetch_in(
        "SELECT c.exhibit, e.seq FROM custody_event c JOIN log_entry e ON e.record = c.id WHERE c.number = 1 AND c.exhibit IN ",
        exhibits,
    )
    return {row["exhibit"]: row["seq"] for row in rows}


async def exhibit_brackets(db: Database, brackets: Brackets, exhibits: Sequence[UUID]) -> dict[UUID, Bracket]:
    """The bracket of each of these exhibits, an empty one where nobody outside has said anything yet."""
    indexes = await received_indexes(db, exhibits)
    found = await brackets.of(list(indexes.values()))
    return {exhibit: found[indexes[exhibit]] if exhibit in indexes else Bracket() for exhibit in exhibits}
