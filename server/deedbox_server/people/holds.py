"""Whether a legal hold is over something: asked by everything that deletes (formats/erasure.md, Hold)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import OnHold

_OVER: Final = "SELECT id FROM legal_hold WHERE lifted IS NULL AND (kind, subject) IN "


async def refuse_if_held(
    db: Database, *, case: UUID | None = None, exhibit: UUID | None = None, person: UUID | None = None
) -> None:
    """OnHold while a hold is over any of these; called inside the transaction that deletes. An exhibit and a party lie in their
    case, and a case's hold is over them too. `person` is a party's or an account's id.

    Placing a hold waits for that transaction, and the other way round: on Postgres by the case's row, or the account's.
    """
    assert db.in_transaction, "a hold that is looked for earlier may be placed meanwhile"
    cases = {case} if case is not None else set()
    for table, one in (("exhibit", exhibit), ("case_party", person)):
        if one is not None and (row := await db.fetch_one(f"SELECT case_id FROM {table} WHERE id = {{}}", one)):
            cases.add(row["case_id"])
    await lock(db, cases, person)
    subjects = [("case", one) for one in cases]
    subjects += [("exhibit", exhibit)] if exhibit is not None else []
    subjects += [("party", person), ("account", person)] if person is not None else []
    if subjects and await db.fetch(f"{_OVER}({', '.join(['({}, {})'] * len(subjects))})", *_flat(subjects)):
        raise OnHold


async def lock(db: Database, cases: set[UUID], account: UUID | None = None) -> None:
    """Have whoever places or looks for holds on these wait for the end of this transaction; SQLite has one writer anyhow."""
    if db.dialect == "postgres":
        await db.fetch_in("SELECT id FROM legal_case WHERE id IN ", sorted(cases), suffix=" ORDER BY id FOR UPDATE")
        if account is not None:
            await db.fetch("SELECT id FROM account WHERE id = {} FOR UPDATE", account)


def _flat(subjects: list[tuple[str, UUID]]) -> list[object]:
    return [value for subject in subjects for value in subject]
