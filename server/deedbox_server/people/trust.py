"""How a change of trust in a device becomes a record, and an entry in the log, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from deedbox_server.database import Database
from deedbox_sync import uuid7
from deedbox_sync.device_record import DeviceRecord, digest, encode_device_record


class LogStager(Protocol):
    """The notary, as this package needs it."""

    async def record(self, kind: str, record_id: UUID, values: Mapping[str, bytes]) -> None:
        """Stages an entry that commits to `values`. Called inside the transaction that it belongs to: both or neither."""


async def write_trust_record(db: Database, stager: LogStager, record: DeviceRecord) -> UUID:
    """Stores the record and stages its entry, in the caller's transaction. Returns the id both carry."""
    assert db.in_transaction, "a record without the change it tells of would be a lie"
    record_id, encoded = uuid7.new(), encode_device_record(record)
    await db.insert_many(
        "trust_record",
        ("id", "device", "kind", "record", "created"),
        [(record_id, record.device, record.kind, encoded, record.time)],
    )
    await stager.record(record.kind, record_id, {"person": record.by.encode(), "record": digest(encoded)})
    return record_id


def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the DER, as records and people name a certificate."""
    return certificate.fingerprint(hashes.SHA256())
