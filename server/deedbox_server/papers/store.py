"""Papers as they are kept: the signed PDF and the notes for counsel encrypted in the vault, a row, an entry in the log."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import NotFound
from deedbox_server.evidence.custody import Custody, new_event
from deedbox_server.evidence.exhibits import actor_of
from deedbox_server.notary.drafts import EntryDraft, new_salts
from deedbox_server.notary.service import Notary
from deedbox_server.papers import record as paper_record
from deedbox_server.papers.facts import Record
from deedbox_server.papers.record import PaperRecord, RecordedExhibit
from deedbox_server.people.principal import Principal
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync.custody import SALT_LENGTH

_COLUMNS = (
    "id",
    "case_id",
    "kind",
    "title",
    "content",
    "size",
    "unsigned",
    "pages",
    "blob",
    "notes",
    "notes_content",
    "notes_size",
    "signature",
    "shows_content",
    "made_by",
    "created",
    "record",
)
_PAGE = 500


@dataclass(frozen=True)
class Finished:
    """A signed paper that is not kept yet. `shown` are the exhibits of whose content it has a copy."""

    title: str
    pdf: bytes
    unsigned: int
    pages: int
    notes: bytes
    signature: str
    shown: tuple[UUID, ...] = ()
    parts: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A kept paper."""

    id: UUID
    case: UUID
    kind: str
    title: str
    content: bytes
    size: int
    unsigned: int
    pages: int
    blob: UUID
    notes: UUID
    signature: str
    shows_content: bool
    made_by: str
    created: datetime
    record: PaperRecord


class PaperStore:
    def __init__(self, db: Database, vault: Vault, keys: KeyStore, notary: Notary, custody: Custody) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._notary = notary
        self._custody = custody

    async def keep(self, principal: Principal, kind: str, record: Record, finished: Finished) -> Paper:
        """Durable on return, with its log entry staged, and an `exported` event on each exhibit whose content is in it."""
        actor, case = actor_of(principal), record.case.id
        told = PaperRecord(
            paper=record.paper,
            case=case,
            kind=kind,
            time=record.made,
            actor=actor,
            content=hashlib.sha256(finished.pdf).digest(),
            size=len(finished.pdf),
            exhibits=tuple(RecordedExhibit(one.exhibit.id, one.mark, one.exhibit.content) for one in record.exhibits),
            parts=finished.parts,
            salt=os.urandom(SALT_LENGTH),
        )
        data = paper_record.encode(told)
        values = paper_record.committed_values(told, data)
        salts = new_salts(record.paper, values)
        detail = {"bundle": str(record.paper), "purpose": f"in the paper: {finished.title}"}
        events = [new_event(exhibit, case, "exported", actor, detail) for exhibit in finished.shown]
        pack = await self._vault.write_pack(case, [finished.pdf, finished.notes])
        batch = KeyBatch(part_keys=pack.keys.part_keys, salts=[salts, *(event.salts for event in events)])
        await self._keys.commit(batch)
        pdf, notes = pack.blobs
        paper = Paper(
            record.paper,
            case,
            kind,
            finished.title,
            told.content,
            told.size,
            finished.unsigned,
            finished.pages,
            pdf.blob,
            notes.blob,
            finished.signature,
            bool(finished.shown),
            actor.name,
            record.made,
            told,
        )
        async with self._db.transaction():
            blobs, parts = self._vault.record_rows(pack.blobs)
            await self._db.insert_many("blob", blobs.columns, blobs.rows)
            await self._db.insert_many("blob_part", parts.columns, parts.rows)
            await self._db.insert_many("paper", _COLUMNS, [_row(paper, finished.notes, data)])
            if events:
                await self._custody.append(events)
            await self._notary.stage([EntryDraft(paper_record.ENTRY_KIND, salts, values)])
        return paper

    async def find(self, paper: UUID) -> Paper:
        row = await self._db.fetch_one(f"SELECT {', '.join(_COLUMNS)} FROM paper WHERE id = {{}}", paper)
        if row is None:
            raise NotFound
        return _paper(row)

    async def of_case(self, case: UUID, after: UUID | None, limit: int) -> list[Paper]:
        """Oldest first, after the cursor."""
        rows = await self._db.fetch(
            f"SELECT {', '.join(_COLUMNS)} FROM paper WHERE case_id = {{}} AND id > {{}} ORDER BY id LIMIT "
            f"{min(max(limit, 1), _PAGE):d}",
            case,
            after or UUID(int=0),
        )
        return [_paper(row) for row in rows]

    async def read(self, blob: UUID) -> bytes:
        """All of a stored PDF."""
        reader = await self._vault.open(blob)
        try:
            return b"".join([piece async for piece in reader.read(0, reader.size)])
        finally:
            reader.close()


def _row(paper: Paper, notes: bytes, record: bytes) -> Sequence[Any]:
    """Values in the order of _COLUMNS."""
    made = (
        paper.id,
        paper.case,
        paper.kind,
        paper.title,
        paper.content,
        paper.size,
        paper.unsigned,
        paper.pages,
        paper.blob,
    )
    kept = (paper.notes, hashlib.sha256(notes).digest(), len(notes))
    return (*made, *kept, paper.signature, paper.shows_content, paper.made_by, paper.created, record)


def _paper(row: dict[str, Any]) -> Paper:
    return Paper(
        id=row["id"],
        case=row["case_id"],
        kind=row["kind"],
        title=row["title"],
        content=row["content"],
        size=row["size"],
        unsigned=row["unsigned"],
        pages=row["pages"],
        blob=row["blob"],
        notes=row["notes"],
        signature=row["signature"],
        shows_content=row["shows_content"],
        made_by=row["made_by"],
        created=row["created"],
        record=paper_record.parse(row["record"]),
    )
