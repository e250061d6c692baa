"""What other packages hand to the notary: events with values to commit to, and the salts that hide them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from deedbox_server.vault.key_store import SaltRow
from deedbox_sync.canonical_json import Json

SALT_BYTES = 32


@dataclass(frozen=True)
class Salts:
    """The salts of one entry, by field. They must be durable in the key store before the entry is staged."""

    record: UUID
    by_field: Mapping[str, bytes]

    def rows(self) -> list[SaltRow]:
        return [SaltRow(self.record, name, salt) for name, salt in self.by_field.items()]


def new_salts(record: UUID, fields: Iterable[str]) -> Salts:
    return Salts(record, {name: os.urandom(SALT_BYTES) for name in fields})


@dataclass(frozen=True)
class EntryDraft:
    """An event for the log: `values` are committed to under `salts`, `data` is public and names no case or person."""

    kind: str
    salts: Salts
    values: Mapping[str, bytes]
    data: Mapping[str, Json] = field(default_factory=dict)
