"""The record of a paper (sync/formats/paper.md): the log's `paper.made` entry commits to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields
from deedbox_sync.custody import SALT_LENGTH, Actor
from deedbox_sync.errors import FormatError

ENTRY_KIND = "paper.made"
MAX_RECORD = 1 << 20  # a thousand exhibits with long numbers take a third of it
_DIGEST = 32
_WHERE = "paper record"


@dataclass(frozen=True)
class RecordedExhibit:
    """An exhibit that a paper is about, under the number it has there, with its digest."""

    id: UUID
    mark: str
    content: bytes


@dataclass(frozen=True)
class PaperRecord:
    """What was made, of what, by whom. `content` is the SHA-256 of the PDF; `parts` are the papers in a packet."""

    paper: UUID
    case: UUID
    kind: str
    time: datetime
    actor: Actor
    content: bytes
    size: int
    exhibits: tuple[RecordedExhibit, ...]
    parts: tuple[UUID, ...]
    salt: bytes


def encode(record: PaperRecord) -> bytes:
    data = canonical_json.encode(
        {
            "actor": {"id": record.actor.id, "name": record.actor.name, "via": record.actor.via},
            "case": str(record.case),
            "content": record.content.hex(),
            "exhibits": [
                {"content": one.content.hex(), "id": str(one.id), "mark": one.mark} for one in record.exhibits
            ],
            "kind": record.kind,
            "paper": str(record.paper),
            "parts": [str(part) for part in record.parts],
            "salt": record.salt.hex(),
            "size": record.size,
            "time": timestamp.encode(record.time),
            "v": 1,
        }
    )
    if len(data) > MAX_RECORD:
        raise FormatError(_WHERE, f"has {len(data)} bytes, at most {MAX_RECORD} are allowed")
    return data


def parse(data: bytes) -> PaperRecord:
    fields = Fields(canonical_json.parse_object(data, limit=MAX_RECORD, where=_WHERE), _WHERE)
    fields.literal("v", 1)
    actor = fields.object("actor")
    exhibits = []
    for one in fields.objects("exhibits"):
        exhibits.append(RecordedExhibit(one.uuid("id"), one.text("mark"), one.hex("content", _DIGEST)))
        one.done()
    record = PaperRecord(
        paper=fields.uuid("paper"),
        case=fields.uuid("case"),
        kind=fields.word("kind"),
        time=fields.time("time"),
        actor=Actor(actor.text("id"), actor.text("name"), actor.text("via")),
        content=fields.hex("content", _DIGEST),
        size=fields.integer("size"),
        exhibits=tuple(exhibits),
        parts=tuple(_uuid(text) for text in fields.texts("parts")),
        salt=fields.hex("salt", SALT_LENGTH),
    )
    actor.done()
    fields.done()
    return record


def committed_values(record: PaperRecord, encoded: bytes) -> dict[str, bytes]:
    """What the log entry commits to, by field."""
    return {
        "case": record.case.bytes,
        "content": record.content,
        "person": record.actor.id.encode(),
        "record": sha256(encoded).digest(),
    }


def _uuid(text: str) -> UUID:
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != text:
        raise FormatError(f"{_WHERE}.parts", "has something that is no UUID")
    return parsed
