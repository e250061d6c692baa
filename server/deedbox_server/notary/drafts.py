"""What other packages hand to the notary: events with values to commit to, and the salts that hide them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from deedbox_server.vault.key_store import Salts
from deedbox_sync.canonical_json import Json
from deedbox_sync.commitment import SALT_LENGTH

__all__ = ["EntryDraft", "Salts", "new_salts"]


def new_salts(record: UUID, fields: Iterable[str]) -> Salts:
    """Fresh salts for one entry. They must be durable in the key store before the entry is staged."""
    names = tuple(fields)
    random = os.urandom(SALT_LENGTH * len(names))
    return Salts(record, {name: random[at * SALT_LENGTH : (at + 1) * SALT_LENGTH] for at, name in enumerate(names)})


@dataclass(frozen=True)
class EntryDraft:
    """An event for the log: `values` are committed to under `salts`, `data` is public and names no case or person."""

    kind: str
    salts: Salts
    values: Mapping[str, bytes]
    data: Mapping[str, Json] = field(default_factory=dict)
