"""One row of the trail as it is read, whichever record tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

from deedbox_server.database import Row
from deedbox_sync import audit_record, canonical_json, custody, device_record
from deedbox_sync.canonical_json import Json

MAX_PAPER_RECORD: Final = 1 << 20  # as papers are written


@dataclass(frozen=True)
class Told:
    """`id` is the record's, under which its log entry is kept; `digest` is what the entry commits to; `seq` is the entry's
    number, None while it is pending. `source` says where the record is: the trail, an exhibit's custody, a paper, trust in
    devices."""

    id: UUID
    source: Literal["audit", "custody", "paper", "trust"]
    time: datetime
    outcome: str
    operation: str
    actor: str
    name: str
    via: str
    device: UUID | None
    address: str | None
    case: UUID | None
    object: UUID | None
    detail: Mapping[str, Json]
    digest: bytes
    seq: int | None = None


def of_audit(row: Row) -> Told:
    """Of a row with id, case_id, record."""
    record = audit_record.parse(row["record"])
    return Told(
        id=row["id"],
        source="audit",
        time=record.time,
        outcome=record.outcome,
        operation=record.operation,
        actor=record.actor,
        name=record.name,
        via=record.via,
        device=record.device,
        address=record.address,
        case=record.case,
        object=record.object,
        detail=record.detail,
        digest=audit_record.digest(row["record"]),
    )


def of_custody(row: Row) -> Told:
    """Of a row with id, case_id (the exhibit's), record. Custody keeps no address."""
    record = custody.parse(row["record"])
    return Told(
        id=row["id"],
        source="custody",
        time=record.time,
        outcome=outcome_of(record.kind),
        operation=f"exhibit.{record.kind}",
        actor=record.actor.id,
        name=record.actor.name,
        via=record.actor.via,
        device=_device(record.actor.id),
        address=None,
        case=row["case_id"],
        object=record.exhibit,
        detail=record.detail,
        digest=custody.digest(row["record"]),
    )


def of_paper(row: Row) -> Told:
    """Of a row with id, case_id, kind, created, record (formats/paper.md)."""
    actor = canonical_json.parse_object(row["record"], limit=MAX_PAPER_RECORD, where="paper record")["actor"]
    assert isinstance(actor, dict), "what made the record wrote one"
    return Told(
        id=row["id"],
        source="paper",
        time=row["created"],
        outcome="changed",
        operation="paper.make",
        actor=str(actor["id"]),
        name=str(actor["name"]),
        via=str(actor["via"]),
        device=_device(str(actor["id"])),
        address=None,
        case=row["case_id"],
        object=row["id"],
        detail={"kind": row["kind"]},
        digest=sha256(row["record"]).digest(),
    )


def of_trust(row: Row) -> Told:
    """Of a row with id, record."""
    record = device_record.parse_device_record(row["record"])
    return Told(
        id=row["id"],
        source="trust",
        time=record.time,
        outcome="changed",
        operation=record.kind,
        actor=record.by,
        name="",
        via="",
        device=_device(record.by),
        address=None,
        case=None,
        object=record.device,
        detail={"account": str(record.account), "name": record.name, "serial": record.serial},
        digest=device_record.digest(row["record"]),
    )


def outcome_of(kind: str) -> str:
    """What a custody event of this kind is among the trail's outcomes."""
    return "viewed" if kind in ("downloaded", "viewed") else "changed"


def _device(actor: str) -> UUID | None:
    kind, _, text = actor.partition(":")
    return UUID(text) if kind == "device" else None
