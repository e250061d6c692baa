"""Conflict checks and their hits as rows."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from deedbox_server.cases.conflict import OFFICER, AskedName, Check, Hit
from deedbox_server.database import Database, Row
from deedbox_server.errors import Conflict, NotFound
from deedbox_server.people import Principal

CHECK: Final = (
    "id, case_id, account, made_by, created, subject, names, state, outcome, reason, settled, settled_by, version"
)
_HIT: Final = (
    "conflict_hit.id, conflict_hit.check_id, conflict_hit.case_id, legal_case.number, legal_case.title, conflict_hit.party,"
    " case_party.kind AS party_kind, case_party.removed, conflict_hit.asked, conflict_hit.found, conflict_hit.name_kind,"
    " conflict_hit.how, conflict_hit.sure, conflict_hit.result, conflict_hit.reason, conflict_hit.settled,"
    " conflict_hit.settled_by"
)
HITS: Final = (
    f"SELECT {_HIT} FROM conflict_hit JOIN legal_case ON legal_case.id = conflict_hit.case_id"
    " LEFT JOIN case_party ON case_party.id = conflict_hit.party WHERE conflict_hit.check_id = {}"
)


def is_officer(principal: Principal) -> bool:
    return principal.kind == "account" and OFFICER in principal.duties


async def find(db: Database, principal: Principal, check: UUID) -> Row:
    """The row of a check that the principal made, or that they settle as the officer; NotFound for any other."""
    row = await db.fetch_one(f"SELECT {CHECK} FROM conflict_check WHERE id = {{}}", check)
    own = row is not None and principal.account is not None and row["account"] == principal.account
    if row is None or not (own or is_officer(principal)):
        raise NotFound
    return row


async def bind(db: Database, principal: Principal, check: UUID, case: UUID) -> None:
    """Say which case was opened after a check, in the caller's transaction. NotFound for a check that is not the principal's;
    Conflict for one that belongs to a case already.
    """
    await find(db, principal, check)
    bound = await db.fetch(
        "UPDATE conflict_check SET case_id = {}, version = version + 1 WHERE id = {} AND case_id IS NULL RETURNING id",
        case,
        check,
    )
    if not bound:
        raise Conflict("This conflict check belongs to another case: make one for this case.")


def read(row: Row, hits: tuple[Hit, ...] = ()) -> Check:
    return Check(
        row["id"],
        row["case_id"],
        row["made_by"],
        row["created"],
        row["subject"],
        msgspec.json.decode(row["names"], type=tuple[AskedName, ...]),
        row["state"],
        row["outcome"],
        row["reason"],
        row["settled"],
        row["settled_by"],
        row["version"],
        hits,
    )


def read_hit(row: Row) -> Hit:
    """A hit of a row of HITS."""
    return Hit(
        row["id"],
        row["case_id"],
        row["number"],
        row["title"],
        row["party"],
        row["party_kind"],
        row["removed"] is not None,
        row["asked"],
        row["found"],
        row["name_kind"],
        row["how"],
        row["sure"],
        row["result"],
        row["reason"],
        row["settled"],
        row["settled_by"],
    )
