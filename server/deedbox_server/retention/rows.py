"""Which rows go with an exhibit and with a case, and which stay and why. A table with such a column that is in none of these
fails a test: somebody has to decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from deedbox_server.database import Database

# Deleted with an exhibit, in this order: table, and the column with its id.
WITH_EXHIBIT: Final = (
    ("case_artifact", "exhibit"),
    ("derived", "exhibit"),
    ("download_link", "exhibit"),
    ("exhibit_date", "exhibit"),
    ("exhibit_digest", "exhibit"),
    ("item_photo", "exhibit"),
    ("job", "subject"),
    ("view_mark", "exhibit"),
    ("exhibit", "id"),
)

# Deleted with a whole case.
WITH_CASE: Final = (
    ("case_artifact", "case_id"),
    ("case_event", "case_id"),
    ("case_label", "case_id"),
    ("case_member", "case_id"),
    ("case_party", "case_id"),
    ("case_posting", "case_id"),
    ("case_record", "case_id"),
    ("case_relation", "case_id"),
    ("case_relation", "other"),
    ("conflict_check", "case_id"),
    ("conflict_hit", "case_id"),
    ("download_link", "case_id"),
    ("exhibit_date", "case_id"),
    ("glass_request", "case_id"),
    ("paper", "case_id"),
    ("party_name", "case_id"),
)

# What stays when an exhibit or a case is gone, and why that is right.
STAYS: Final[Mapping[str, str]] = {
    "audit_record.case_id": "those of a case go with their salts, but for those of its holds and its disposal",
    "audit_record.object": "goes with its case",
    "blob.case_id": "goes by blob, after its keys",
    "case_record.object": "goes with the artifact, with its salts",
    "case_wall.case_id": "still bars from the tombstones; its reason is emptied",
    "custody_event.exhibit": "the chain that proves who had it: it names people, not contents",
    "disposal.case_id": "the request itself",
    "exhibit.case_id": "goes by exhibit",
    "identifier.exhibit": "an identifier is public and is not given again; it proves nothing of the contents",
    "item.case_id": "a thing is not destroyed by a row; a case with things that are still here is not disposed of",
    "item_event.case_id": "the custody of things, as that of exhibits",
    "legal_hold.case_id": "lifted ones: that they were",
    "legal_hold.subject": "lifted ones: that they were",
    "refiled_exhibit.case_id": "ids only: a number that was given is not given again",
    "refiled_exhibit.exhibit": "ids only",
    "statement.case_id": "the desk's journal chains by its digest; its envelope goes",
    "statement.exhibit": "the desk's journal chains by its digest; its envelope goes",
    "tombstone.case_id": "what stays",
    "tombstone.object": "what stays",
    "upload.case_id": "an id and a size; a case with open uploads is not disposed of",
}

# What a vacuum has to go through on Postgres afterwards.
TOUCHED: Final = tuple(
    sorted(
        {table for table, _ in (*WITH_EXHIBIT, *WITH_CASE)}
        | {"audit_record", "blob", "blob_part", "case_wall", "case_word", "case_word_trigram", "deskless_upload"}
        | {"job_step", "kept_answer", "legal_case", "party_name_word", "statement"}
    )
)


async def forget_answers(db: Database) -> None:
    """Answers that are kept to be given again may tell of what has just gone: that they were given stays, what they said does
    not."""
    await db.execute("UPDATE kept_answer SET headers = NULL, body = NULL WHERE body IS NOT NULL")


async def delete_in(db: Database, table: str, column: str, values: Sequence[UUID]) -> None:
    """Delete the rows whose `column` is one of these, one by one of them: a hold's trigger then tells of that one."""
    await db.execute_many(f'DELETE FROM "{table}" WHERE "{column}" = {{}}', [(value,) for value in values])
