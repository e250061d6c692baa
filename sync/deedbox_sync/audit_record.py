"""Audit records (formats/audit.md): who did, saw or was refused what, from where; the log commits to their digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Json
from deedbox_sync.errors import FormatError

OUTCOMES: Final = ("changed", "refused", "viewed")
MAX_BYTES: Final = 65_536
SALT_LENGTH: Final = 32


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
    """Canonical JSON. FormatError where it is larger than a record may be."""
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
        raise FormatError("audit record", f"has more than {MAX_BYTES} bytes")
    return data


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def committed_values(record: AuditRecord, data: bytes) -> dict[str, bytes]:
    """What the entry `audit.OUTCOME` commits to (formats/log.md)."""
    values = {"person": record.actor.encode(), "record": digest(data)}
    return values if record.case is None else values | {"case": record.case.bytes}
