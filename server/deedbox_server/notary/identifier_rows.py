"""How identifiers are kept: a batch is one row, one log entry, and a row for each record of its array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.notary.drafts import EntryDraft, Salts
from deedbox_server.notary.service import Notary

MINTED: Final = "id.minted"
RECONCILED: Final = "id.reconciled"

_LAST_FIRST: Final = " ORDER BY identifier_batch.created DESC, identifier_batch.id DESC, identifier.place DESC"


@dataclass(frozen=True)
class Kept:
    """One identifier of a batch. `canonical` is what it resolves to, None for one of the box. A desk's names the exhibit of this
    content that the desk sent, or will send."""

    value: bytes
    record: bytes
    canonical: bytes | None = None
    exhibit: UUID | None = None
    device: UUID | None = None
    content: bytes | None = None


@dataclass(frozen=True)
class Asked:
    """An idempotency key, with whose it is, and the digest of what was asked with it."""

    key: str
    request: bytes


@dataclass(frozen=True)
class Batch:
    """What one call made, in the order of the array that the log commits to. `counts` by kind of issuer."""

    salts: Salts
    kind: Literal["id.minted", "id.reconciled"]
    created: datetime
    kept: Sequence[Kept]
    counts: dict[str, int]
    asked: Asked | None = field(default=None)


def array(records: Sequence[bytes]) -> bytes:
    """The canonical JSON array of records that are canonical JSON."""
    return b"[%s]" % b",".join(records)


async def store(db: Database, notary: Notary, batch: Batch) -> None:
    """Rows and entry, in the caller's transaction; the salts are durable already. UniqueViolation where one is there."""
    asked = batch.asked
    await db.insert_many(
        "identifier_batch",
        ("id", "kind", "asked", "request", "created", "box", "device", "fallback"),
        [
            (
                batch.salts.record,
                batch.kind,
                asked.key if asked else None,
                asked.request if asked else None,
                batch.created,
                *(batch.counts.get(kind, 0) for kind in ("box", "device", "fallback")),
            )
        ],
    )
    await db.insert_many(
        "identifier",
        ("value", "made_in", "place", "record", "canonical", "exhibit", "device", "content"),
        [
            (
                kept.value,
                batch.salts.record,
                place,
                kept.record,
                kept.canonical,
                kept.exhibit,
                kept.device,
                kept.content,
            )
            for place, kept in enumerate(batch.kept)
        ],
    )
    digest = sha256(array([kept.record for kept in batch.kept])).digest()
    await notary.stage([EntryDraft(batch.kind, batch.salts, {"record": digest})])


async def find(db: Database, values: Sequence[bytes]) -> dict[bytes, Kept]:
    rows = await db.fetch_in("SELECT value, record, canonical FROM identifier WHERE value IN ", values)
    return {row["value"]: Kept(row["value"], row["record"], row["canonical"]) for row in rows}


async def batch_of(db: Database, value: bytes) -> UUID:
    row = await db.fetch_one("SELECT made_in FROM identifier WHERE value = {}", value)
    assert row is not None
    batch: UUID = row["made_in"]
    return batch


async def answered(db: Database, key: str) -> tuple[bytes, list[bytes]] | None:
    """The digest of what was asked with this idempotency key, and the records that were answered; None for a new key."""
    row = await db.fetch_one("SELECT id, request FROM identifier_batch WHERE asked = {}", key)
    if row is None:
        return None
    rows = await db.fetch("SELECT record FROM identifier WHERE made_in = {} ORDER BY place", row["id"])
    return row["request"], [kept["record"] for kept in rows]


async def aliases(db: Database, canonical: bytes) -> list[bytes]:
    rows = await db.fetch("SELECT value FROM identifier WHERE canonical = {} ORDER BY value", canonical)
    return [row["value"] for row in rows]


async def exhibit_of(db: Database, canonical: bytes) -> UUID | None:
    """What an identifier of the box names: the exhibit it was minted for, else the first that a desk sent of the content that it
    gave an identifier which resolves to this one."""
    row = await db.fetch_one("SELECT exhibit FROM identifier WHERE value = {}", canonical)
    if row is not None and row["exhibit"] is not None:
        exhibit: UUID = row["exhibit"]
        return exhibit
    sent = await db.fetch(
        "SELECT exhibit.id FROM identifier JOIN exhibit ON exhibit.content = identifier.content"
        " AND exhibit.device = identifier.device AND exhibit.case_id IN (SELECT id FROM legal_case)"
        " WHERE identifier.canonical = {} ORDER BY exhibit.id LIMIT 1",
        canonical,
    )
    return sent[0]["id"] if sent else None


async def of_exhibits(db: Database, exhibits: Sequence[UUID]) -> dict[UUID, bytes]:
    """The first identifier of the box that each of these exhibits was given, else its desk's, of those that have one."""
    named = await db.fetch_in(
        "SELECT exhibit.id, identifier.canonical FROM exhibit JOIN identifier ON identifier.content = exhibit.content"
        " AND identifier.device = exhibit.device JOIN identifier_batch ON identifier_batch.id = identifier.made_in"
        " WHERE exhibit.id IN ",
        exhibits,
        suffix=_LAST_FIRST,
    )
    rows = await db.fetch_in(
        "SELECT identifier.exhibit, identifier.value FROM identifier"
        " JOIN identifier_batch ON identifier_batch.id = identifier.made_in"
        " WHERE identifier.canonical IS NULL AND identifier.exhibit IN ",
        exhibits,
        suffix=_LAST_FIRST,
    )
    # of several the first comes last
    return {row["id"]: row["canonical"] for row in named} | {row["exhibit"]: row["value"] for row in rows}
