"""Case records (formats/case.md): that an exhibit, a document or a note belongs to a case; the log commits to their digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError

ENTRY_KIND: Final = "case.artifact"
ACTIONS: Final = ("added", "changed", "removed")
KINDS: Final = ("evidence", "document", "note")
MAX_BYTES: Final = 65_536
SALT_LENGTH: Final = 32

_WHERE: Final = "case record"


@dataclass(frozen=True)
class CaseRecord:
    """`actor` is an id as in custody records, `name` what people call it, `via` how it was recognised."""

    action: str
    actor: str
    name: str
    via: str
    artifact: UUID
    case: UUID
    content: bytes
    exhibit: UUID | None
    kind: str
    shared: bool
    time: datetime
    title: str
    version: int
    salt: bytes


def encode(record: CaseRecord) -> bytes:
    """Canonical JSON. FormatError where it breaks a rule of the format, or is larger than a record may be."""
    _check(record)
    data = canonical_json.encode(
        {
            "action": record.action,
            "actor": {"id": record.actor, "name": record.name, "via": record.via},
            "artifact": str(record.artifact),
            "case": str(record.case),
            "content": record.content.hex(),
            "exhibit": None if record.exhibit is None else str(record.exhibit),
            "kind": record.kind,
            "salt": record.salt.hex(),
            "shared": record.shared,
            "time": timestamp.encode(record.time),
            "title": record.title,
            "v": 1,
            "version": record.version,
        }
    )
    if len(data) > MAX_BYTES:
        raise FormatError(_WHERE, f"has more than {MAX_BYTES} bytes")
    return data


def parse(data: bytes) -> CaseRecord:
    """The inverse of `encode`; FormatError for anything that it does not write."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_BYTES, where=_WHERE), _WHERE)
    fields.literal("v", 1)
    actor = fields.object("actor")
    record = CaseRecord(
        action=fields.text("action"),
        actor=actor.text("id"),
        name=actor.text("name"),
        via=actor.text("via"),
        artifact=fields.uuid("artifact"),
        case=fields.uuid("case"),
        content=fields.hex("content", 32),
        exhibit=fields.optional_uuid("exhibit"),
        kind=fields.text("kind"),
        shared=fields.boolean("shared"),
        time=fields.time("time"),
        title=fields.text("title"),
        version=fields.integer("version", low=1),
        salt=fields.hex("salt", SALT_LENGTH),
    )
    actor.done()
    fields.done()
    _check(record)
    return record


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def committed_values(record: CaseRecord, data: bytes) -> dict[str, bytes]:
    """What the entry `case.artifact` commits to (formats/log.md)."""
    return {
        "case": record.case.bytes,
        "content": record.content,
        "person": record.actor.encode(),
        "record": digest(data),
    }


def _check(record: CaseRecord) -> None:
    """The rules that the members' types do not show."""
    for name, value, known in (("action", record.action, ACTIONS), ("kind", record.kind, KINDS)):
        if value not in known:
            raise FormatError(f"{_WHERE}.{name}", f"is none of {', '.join(known)}")
    if (record.exhibit is not None) != (record.kind == "evidence"):
        raise FormatError(f"{_WHERE}.exhibit", "is named by evidence, and by nothing else")
    if len(record.content) != 32 or len(record.salt) != SALT_LENGTH:
        raise FormatError(_WHERE, "has a digest or salt of another length than 32 bytes")
