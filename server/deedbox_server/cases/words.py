"""The words by which cases and names are found: written with what they stand in, in the same transaction.

Two places: `card` (number, title, docket), which whoever reads a case may see, and `party` (the client, names of parties), which
is for the firm. Words have their trigrams and sounds once, however many cases have them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from deedbox_server.cases import folding
from deedbox_server.database import Database

CARD: Final = "card"
PARTY: Final = "party"


async def learn(db: Database, words: Iterable[str]) -> None:
    """Put words into the vocabulary. In one order, so that two transactions never wait for each other crosswise."""
    wanted = sorted(set(words))
    known = {row["word"] for row in await db.fetch_in("SELECT word FROM case_word WHERE word IN", wanted)}
    new = [word for word in wanted if word not in known]
    sounds = [(word, folding.sounds(word)) for word in new]
    await db.execute_many(
        "INSERT INTO case_word (word, sound, codex) VALUES ({}, {}, {}) ON CONFLICT (word) DO NOTHING",
        [(word, sound.metaphone, sound.codex) for word, sound in sounds],
    )
    await db.execute_many(
        "INSERT INTO case_word_trigram (trigram, word) VALUES ({}, {}) ON CONFLICT (trigram, word) DO NOTHING",
        [(trigram, word) for word in new for trigram in sorted(folding.trigrams(word))],
    )


async def reindex(db: Database, case: UUID) -> None:
    """Have a case found by what it and its parties are called now, and by nothing else."""
    wanted = await _wanted(db, case)
    rows = await db.fetch("SELECT id, word, place FROM case_posting WHERE case_id = {}", case)
    there = {(row["place"], row["word"]): row["id"] for row in rows}
    await learn(db, (word for _, word in wanted - there.keys()))
    await db.insert_many(
        "case_posting",
        ("word", "place", "case_id"),
        [(word, place, case) for place, word in sorted(wanted - there.keys())],
    )
    await db.execute_many(
        "DELETE FROM case_posting WHERE id = {}", [(there[gone],) for gone in sorted(there.keys() - wanted)]
    )


async def _wanted(db: Database, case: UUID) -> set[tuple[str, str]]:
    row = await db.fetch_one("SELECT number, title, docket, client FROM legal_case WHERE id = {}", case)
    assert row is not None
    names = await db.fetch(
        "SELECT party_name.name FROM party_name JOIN case_party ON case_party.id = party_name.party"
        " WHERE party_name.case_id = {} AND case_party.removed IS NULL",
        case,
    )
    card = folding.all_words((row["number"], row["title"], row["docket"] or ""))
    party = folding.all_words((row["client"] or "", *(name["name"] for name in names)))
    return {(CARD, word) for word in card} | {(PARTY, word) for word in party}
