"""The record that tells a pairing, renewal or revocation in full; its log entry commits to its digest (pairing.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError

PAIRED: Final = "device.paired"
RENEWED: Final = "device.renewed"
REVOKED: Final = "device.revoked"
KINDS: Final = frozenset({PAIRED, RENEWED, REVOKED})
MAX_RECORD: Final = 4096  # a record has some 600 bytes; the longest device name adds 400

_WHERE: Final = "device record"


@dataclass(frozen=True)
class DeviceRecord:
    """What was done to one device. `by` is the actor's id; `certificate` is the SHA-256 of the issued one's DER.

    `certificate` and `serial` are None in a revocation, which ends all certificates of the device.
    """

    kind: str
    time: datetime
    by: str
    device: UUID
    account: UUID
    name: str
    statement_key: bytes
    certificate: bytes | None
    serial: str | None


def encode_device_record(record: DeviceRecord) -> bytes:
    _check(record)
    return canonical_json.encode(
        {
            "account": str(record.account),
            "by": record.by,
            "certificate": None if record.certificate is None else record.certificate.hex(),
            "device": str(record.device),
            "kind": record.kind,
            "name": record.name,
            "serial": record.serial,
            "statement_key": record.statement_key.hex(),
            "time": timestamp.encode(record.time),
            "v": 1,
        }
    )


def parse_device_record(data: bytes) -> DeviceRecord:
    """Strict; FormatError names the member."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_RECORD, where=_WHERE), _WHERE)
    fields.literal("v", 1)
    record = DeviceRecord(
        kind=fields.text("kind"),
        time=fields.time("time"),
        by=fields.text("by"),
        device=fields.uuid("device"),
        account=fields.uuid("account"),
        name=fields.text("name"),
        statement_key=fields.hex("statement_key", 32),
        certificate=fields.optional_hex("certificate", 32),
        serial=fields.optional_text("serial"),
    )
    fields.done()
    _check(record)
    return record


def digest(record: bytes) -> bytes:
    """What the log entry's `record` commitment is over."""
    return hashlib.sha256(record).digest()


def serial_text(serial: int) -> str:
    """A certificate's serial number as records, tables and lookups write it: lower-case hex of whole bytes."""
    return serial.to_bytes((serial.bit_length() + 7) // 8 or 1).hex()


def _check(record: DeviceRecord) -> None:
    if record.kind not in KINDS:
        raise FormatError(f"{_WHERE}.kind", "is not a kind of device record")
    issued = record.kind != REVOKED
    if (record.certificate is not None) is not issued or (record.serial is not None) is not issued:
        raise FormatError(_WHERE, "names a certificate if, and only if, one was issued")
    if record.serial is not None and not _is_serial(record.serial):
        raise FormatError(f"{_WHERE}.serial", "is not a serial number in lower-case hex")


def _is_serial(text: str) -> bool:
    try:
        return len(text) <= 40 and serial_text(int.from_bytes(bytes.fromhex(text))) == text  # RFC 5280: 20 octets
    except ValueError:
        return False
