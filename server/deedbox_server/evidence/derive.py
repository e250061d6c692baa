"""Derived documents: stored as evidence is, each with its custody event and entry; the original is never touched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import NotFound
from deedbox_server.evidence.custody import Custody, ExhibitMoved, new_event
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import uuid7
from deedbox_sync.canonical_json import Json
from deedbox_sync.custody import Actor

BOX = Actor(id="box", name="Deedbox", via="worker")


@dataclass(frozen=True)
class DerivedDraft:
    form: str
    media_type: str
    data: bytes
    producer: str


class Deriver:
    def __init__(self, db: Database, vault: Vault, keys: KeyStore, custody: Custody) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._custody = custody

    async def add_derived(self, exhibit: UUID, drafts: Sequence[DerivedDraft]) -> list[UUID]:
        """Store what was made from an exhibit, all or nothing; a form and producer that it has already is kept as it is."""
        while True:
            try:
                return await self._add(exhibit, drafts)
            except ExhibitMoved:  # into another case, whose key these bytes then need
                continue

    async def _add(self, exhibit: UUID, drafts: Sequence[DerivedDraft]) -> list[UUID]:
        row = await self._db.fetch_one("SELECT case_id FROM exhibit WHERE id = {}", exhibit)
        if row is None:
            raise NotFound("There is no such exhibit.")
        case: UUID = row["case_id"]
        held = {
            (have["form"], have["producer"]): have["id"]
            for have in await self._db.fetch("SELECT id, form, producer FROM derived WHERE exhibit = {}", exhibit)
        }
        new = [draft for draft in drafts if (draft.form, draft.producer) not in held]
        if new:
            held |= await self._store(exhibit, case, new)
        return [held[draft.form, draft.producer] for draft in drafts]

    async def _store(self, exhibit: UUID, case: UUID, drafts: Sequence[DerivedDraft]) -> dict[tuple[str, str], UUID]:
        pack = await self._vault.write_pack(case, [draft.data for draft in drafts])
        ids = [uuid7.new() for _ in drafts]
        events = []
        for draft, derived in zip(drafts, ids, strict=True):
            detail: dict[str, Json] = {
                "content": hashlib.sha256(draft.data).hexdigest(),
                "derived": str(derived),
                "form": draft.form,
                "producer": draft.producer,
                "size": len(draft.data),
            }
            events.append(new_event(exhibit, case, "derived", BOX, detail))
        salts = [event.salts for event in events]
        await self._keys.commit(KeyBatch(part_keys=pack.keys.part_keys, salts=salts))
        now = datetime.now(UTC)
        async with self._db.transaction():
            blobs, parts = self._vault.record_rows(pack.blobs)
            await self._db.insert_many("blob", blobs.columns, blobs.rows)
            await self._db.insert_many("blob_part", parts.columns, parts.rows)
            numbers = await self._custody.append(events)
            rows = []
            for draft, derived, event, blob in zip(drafts, ids, events, pack.blobs, strict=True):
                rows.append(
                    (
                        derived,
                        exhibit,
                        draft.form,
                        draft.media_type,
                        bytes.fromhex(str(event.detail["content"])),
                        len(draft.data),
                        blob.blob,
                        draft.producer,
                        now,
                        numbers[event.id],
                    )
                )
            await self._db.insert_many("derived", _COLUMNS, rows)
        return {(draft.form, draft.producer): derived for draft, derived in zip(drafts, ids, strict=True)}


_COLUMNS = ("id", "exhibit", "form", "media_type", "content", "size", "blob", "producer", "created", "event")
