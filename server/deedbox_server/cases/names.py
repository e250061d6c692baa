"""Names of parties and clients as conflict checks find them. Those of parties that were removed stay: who was once a party can
still be in conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_server.cases import folding, words
from deedbox_server.database import Database
from deedbox_sync import uuid7

CLIENT: Final = "client"  # the kind of the name that stands in the case itself


@dataclass(frozen=True)
class Name:
    """A name and what kind of name it is: `name`, `alias`, `former`, `client`."""

    kind: str
    text: str


async def replace(db: Database, case: UUID, party: UUID | None, names: Sequence[Name]) -> None:
    """Have a party, or the case's client where `party` is None, found by these names and no others."""
    of_whom = "case_id = {} AND party IS NULL" if party is None else "case_id = {} AND party = {}"
    args = (case,) if party is None else (case, party)
    await db.execute(f"DELETE FROM party_name_word WHERE name IN (SELECT id FROM party_name WHERE {of_whom})", *args)
    await db.execute(f"DELETE FROM party_name WHERE {of_whom}", *args)
    rows: list[tuple[object, ...]] = []
    postings: list[tuple[str, UUID]] = []
    for name in names:
        folded = folding.name(name.text)
        if folded.words:  # a name of nothing but signs meets no other
            row = uuid7.new()
            rows.append((row, case, party, name.kind, name.text, folded.key, folded.joined, len(set(folded.words))))
            postings += [(word, row) for word in sorted(set(folded.words))]
    await words.learn(db, (word for word, _ in postings))
    await db.insert_many("party_name", ("id", "case_id", "party", "kind", "name", "folded", "joined", "words"), rows)
    await db.insert_many("party_name_word", ("word", "name"), postings)
