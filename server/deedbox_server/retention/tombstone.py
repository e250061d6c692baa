"""Tombstones (formats/erasure.md): what stays of an exhibit, a case or a person that is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from deedbox_server.people.erasing import Kept
from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError

MAX_BYTES: Final = 1 << 20  # the reasons why thousands of things were kept take half of it
SALT_LENGTH: Final = 32
DIGEST_LENGTH: Final = 32
WHATS: Final = ("case", "exhibit", "person")
CASE_ENTRY: Final = "case.disposed"
PERSON_ENTRY: Final = "person.erased"
_WHERE: Final = "tombstone"


@dataclass(frozen=True)
class Decision:
    """Somebody asked, or approved; `via` is how who approved was recognised, None of who asked."""

    id: str
    name: str
    time: datetime
    via: str | None = None


@dataclass(frozen=True)
class Erased:
    """Log entries whose records and salts are gone: how many, and a digest that binds their record ids."""

    count: int
    digest: bytes

    @classmethod
    def of(cls, records: Iterable[UUID]) -> Erased:
        """The records in any order; each counts once."""
        ids = sorted({record.bytes for record in records})
        return cls(len(ids), sha256(b"".join(ids)).digest())


NOTHING_ERASED: Final = Erased.of(())


@dataclass(frozen=True)
class Tombstone:
    id: UUID
    what: str
    object: UUID
    case: UUID | None
    asked: Decision
    approved: Decision
    reason: str
    rule: str | None
    request: UUID
    time: datetime
    number: int | None = None
    content: bytes | None = None
    statement: bytes | None = None
    size: int | None = None
    erased: Erased = NOTHING_ERASED
    kept: tuple[Kept, ...] = ()
    desks: tuple[UUID, ...] = ()
    backups_until: datetime | None = None
    salt: bytes = field(default_factory=lambda: os.urandom(SALT_LENGTH), repr=False)


def encode(tombstone: Tombstone) -> bytes:
    """Canonical JSON. FormatError where it is larger than a tombstone may be, or of no kind there is."""
    if tombstone.what not in WHATS:
        raise FormatError(f"{_WHERE}.what", f"is none of {', '.join(WHATS)}")
    data = canonical_json.encode(
        {
            "approved": _decision(tombstone.approved) | {"via": tombstone.approved.via or ""},
            "asked": _decision(tombstone.asked),
            "backups_until": None if tombstone.backups_until is None else timestamp.encode(tombstone.backups_until),
            "case": _text(tombstone.case),
            "content": _hex(tombstone.content),
            "desks": [str(desk) for desk in tombstone.desks],
            "erased": {"count": tombstone.erased.count, "digest": tombstone.erased.digest.hex()},
            "kept": [{"object": _text(one.object), "what": one.what, "why": one.why} for one in tombstone.kept],
            "number": tombstone.number,
            "object": str(tombstone.object),
            "reason": tombstone.reason,
            "request": str(tombstone.request),
            "rule": tombstone.rule,
            "salt": tombstone.salt.hex(),
            "size": tombstone.size,
            "statement": _hex(tombstone.statement),
            "time": timestamp.encode(tombstone.time),
            "tombstone": str(tombstone.id),
            "v": 1,
            "what": tombstone.what,
        }
    )
    if len(data) > MAX_BYTES:
        raise FormatError(_WHERE, f"has {len(data)} bytes, at most {MAX_BYTES} are allowed")
    return data


def parse(data: bytes) -> Tombstone:
    fields = Fields(canonical_json.parse_object(data, limit=MAX_BYTES, where=_WHERE), _WHERE)
    fields.literal("v", 1)
    asked, approved, erased = fields.object("asked"), fields.object("approved"), fields.object("erased")
    kept = []
    for one in fields.objects("kept"):
        kept.append(Kept(one.word("what"), one.optional_uuid("object"), one.text("why")))
        one.done()
    tombstone = Tombstone(
        id=fields.uuid("tombstone"),
        what=fields.word("what"),
        object=fields.uuid("object"),
        case=fields.optional_uuid("case"),
        asked=Decision(asked.text("id"), asked.text("name"), asked.time("time")),
        approved=Decision(approved.text("id"), approved.text("name"), approved.time("time"), approved.text("via")),
        reason=fields.text("reason"),
        rule=fields.optional_text("rule"),
        request=fields.uuid("request"),
        time=fields.time("time"),
        number=fields.optional_integer("number", low=1),
        content=fields.optional_hex("content", DIGEST_LENGTH),
        statement=fields.optional_hex("statement", DIGEST_LENGTH),
        size=fields.optional_integer("size"),
        erased=Erased(erased.integer("count"), erased.hex("digest", DIGEST_LENGTH)),
        kept=tuple(kept),
        desks=tuple(_uuid(text) for text in fields.texts("desks")),
        backups_until=fields.optional_time("backups_until"),
        salt=fields.hex("salt", SALT_LENGTH),
    )
    for part in (asked, approved, erased, fields):
        part.done()
    if tombstone.what not in WHATS:
        raise fields.fault("what", f"is none of {', '.join(WHATS)}")
    return tombstone


def digest(encoded: bytes) -> bytes:
    """What binds it to the log: in an exhibit's last custody record, or as the `record` that the entry commits to."""
    return sha256(encoded).digest()


def committed_values(tombstone: Tombstone, encoded: bytes) -> dict[str, bytes]:
    """What the entry of a case's or a person's tombstone commits to."""
    values = {"person": tombstone.approved.id.encode(), "record": digest(encoded)}
    return values if tombstone.case is None else values | {"case": tombstone.case.bytes}


def _decision(decision: Decision) -> dict[str, Json]:
    return {"id": decision.id, "name": decision.name, "time": timestamp.encode(decision.time)}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _uuid(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text:
        raise FormatError(f"{_WHERE}.desks", "has something that is no UUID")
    return found
