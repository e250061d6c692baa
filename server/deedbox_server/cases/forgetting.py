"""Leave nothing of a party, or of a case's names, in what searches and conflict checks read: for erasure and disposal.

Not part of removing a party, which keeps it and its names. Whoever calls has made sure that no hold is over it.
"""

from __future__ import annotations

from uuid import UUID

from deedbox_server.cases import names, words
from deedbox_server.database import Database


async def forget_party(db: Database, party: UUID) -> None:
    """Delete a party with its names, postings and hits, in the caller's transaction."""
    assert db.in_transaction
    row = await db.fetch_one("SELECT case_id FROM case_party WHERE id = {}", party)
    if row is None:
        return
    await names.replace(db, row["case_id"], party, [])
    await db.execute("DELETE FROM conflict_hit WHERE party = {}", party)
    await db.execute("DELETE FROM case_party WHERE id = {}", party)
    await words.reindex(db, row["case_id"])
    await forget_unused_words(db)


async def forget_unused_words(db: Database) -> None:
    """Take words that no case and no name has any more out of the vocabulary."""
    unused = (
        "NOT EXISTS (SELECT 1 FROM case_posting WHERE case_posting.word = {table}.word)"
        " AND NOT EXISTS (SELECT 1 FROM party_name_word WHERE party_name_word.word = {table}.word)"
    )
    for table in ("case_word_trigram", "case_word"):
        await db.execute(f"DELETE FROM {table} WHERE {unused.format(table=table)}")
