"""Audit records (formats/audit.md): who did, saw or was refused what, from where; the log commits to their digest."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError

OUTCOMES: Final = ("changed", "refused", "viewed")
MAX_BYTES: Final = 65_536
SALT_LENGTH: Final = 32
MAX_IDS: Final = 1_000  # of one record of a list; a longer list is several records
MAX_WHY: Final = 500  # characters; a sentence for people

_WHERE: Final = "audit record"
_ACTOR: Final = re.compile(r"box|(?:account|device):[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OPERATION: Final = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*")
_MAX_OPERATION: Final = 64  # as kinds of log entries


@dataclass(frozen=True)
class AuditRecord:
    """`actor` is an id as in custody records, `name` what people call it, `via` how it was recognised. `salt` keeps the record
    from being guessed from its digest."""

    actor: str
    name: str
    via: str
    device: UUID | None
    address: str | None
    outcome: str
    operation: str
    case: UUID | None
    object: UUID | None
    detail: Mapping[str, Json]
    time: datetime
    salt: bytes


def new(
    actor: str,
    name: str,
    via: str,
    *,
    device: UUID | None,
    address: str | None,
    outcome: str,
    operation: str,
    case: UUID | None,
    object: UUID | None,
    detail: Mapping[str, Json],
    time: datetime,
) -> AuditRecord:
    """A record under a fresh salt."""
    salt = os.urandom(SALT_LENGTH)
    return AuditRecord(actor, name, via, device, address, outcome, operation, case, object, detail, time, salt)


def encode(record: AuditRecord) -> bytes:
    """The record's one byte string; FormatError where it breaks a rule of the format."""
    _check(record)
    data = canonical_json.encode(
        {
            "actor": {"id": record.actor, "name": record.name, "via": record.via},
            "address": record.address,
            "case": None if record.case is None else str(record.case),
            "detail": dict(record.detail),
            "device": None if record.device is None else str(record.device),
            "object": None if record.object is None else str(record.object),
            "operation": record.operation,
            "outcome": record.outcome,
            "salt": record.salt.hex(),
            "time": timestamp.encode(record.time),
            "v": 1,
        }
    )
    if len(data) > MAX_BYTES:
        raise FormatError(_WHERE, f"has more than {MAX_BYTES} bytes")
    return data


def parse(data: bytes) -> AuditRecord:
    """The record of these bytes. What a change's `detail` says is taken as it is."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_BYTES, where=_WHERE), _WHERE)
    fields.literal("v", 1)
    actor = fields.object("actor")
    record = AuditRecord(
        actor=actor.text("id"),
        name=actor.text("name"),
        via=actor.text("via"),
        device=fields.optional_uuid("device"),
        address=fields.optional_text("address"),
        outcome=fields.text("outcome"),
        operation=fields.text("operation"),
        case=fields.optional_uuid("case"),
        object=fields.optional_uuid("object"),
        detail=fields.members("detail"),
        time=fields.time("time"),
        salt=fields.hex("salt", SALT_LENGTH),
    )
    actor.done()
    fields.done()
    _check(record)
    return record


def _check(record: AuditRecord) -> None:
    """The rules that the members' types do not show."""
    if not _ACTOR.fullmatch(record.actor):
        raise FormatError(f"{_WHERE}.actor.id", "is not account:UUID, device:UUID or box")
    if record.outcome not in OUTCOMES:
        raise FormatError(f"{_WHERE}.outcome", f"is none of {', '.join(OUTCOMES)}")
    if len(record.operation) > _MAX_OPERATION or not _OPERATION.fullmatch(record.operation):
        raise FormatError(f"{_WHERE}.operation", "is not lower-case words joined by dots or hyphens")
    if len(record.salt) != SALT_LENGTH:
        raise FormatError(f"{_WHERE}.salt", f"is not {SALT_LENGTH} bytes")
    detail = Fields(record.detail, f"{_WHERE}.detail")
    if record.outcome == "refused":
        detail.word("reason")
        detail.integer("count", low=1)
        if len(detail.text("why")) > MAX_WHY:
            raise detail.fault("why", f"has more than {MAX_WHY} characters")
        detail.done()
    if record.outcome == "viewed" and record.detail:
        _check_list(detail)


def _check_list(detail: Fields) -> None:
    """What was shown of a list: the ids, each once, and how many."""
    ids = detail.texts("ids")
    count = detail.integer("count", low=1, high=MAX_IDS)
    detail.done()
    if count != len(ids) or len(set(ids)) != len(ids):
        raise detail.fault("count", "is not how many ids there are, each once")
    for place, text in enumerate(ids):
        Fields({"id": text}, f"{detail.where}.ids[{place}]").uuid("id")


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def committed_values(record: AuditRecord, data: bytes) -> dict[str, bytes]:
    """What the entry `audit.OUTCOME` commits to (formats/log.md)."""
    values = {"person": record.actor.encode(), "record": digest(data)}
    return values if record.case is None else values | {"case": record.case.bytes}
