"""The bundle's JSON files besides the index: log entries with their proofs, custody, devices, consistency proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.bundle.layout import MAX_CONSISTENCY, MAX_CUSTODY, MAX_DEVICE, MAX_ENTRIES
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.commitment import FIELDS, SALT_LENGTH, Opening
from deedbox_sync.ed25519 import parse_public_key
from deedbox_sync.errors import FormatError

_MAX_CONSISTENCY_PATH = 64  # one hash more than an inclusion path (RFC 9162 2.1.4)
_MAX_VALUE = 256  # bytes of an opened value; commitment.py holds the length of each field


@dataclass(frozen=True)
class ProvenEntry:
    """A log entry's exact bytes and its inclusion path to the root of the bundle's checkpoint."""

    index: int
    entry: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class CustodyEvent:
    """One custody event: told (`record`, canonical JSON) or withheld (`commitment`, the SHA-256 of the record).

    `openings` open commitments of the log entry at `index`: all of them for a told event, `record` for a withheld one.
    """

    number: int
    index: int
    record: bytes | None
    commitment: bytes | None
    openings: tuple[Opening, ...]


@dataclass(frozen=True)
class CustodyFile:
    """custody.json: the events 1 … n of one exhibit."""

    exhibit: UUID
    events: tuple[CustodyEvent, ...]


@dataclass(frozen=True)
class DeviceRecord:
    """A `device.*` record (canonical JSON), what opens its log entry, and the certificate (DER) it tells of."""

    index: int
    record: bytes
    openings: tuple[Opening, ...]
    certificate: bytes | None


@dataclass(frozen=True)
class DeviceFile:
    """devices/UUID.json: how the box came to trust the device, in log order."""

    device: UUID
    statement_key: bytes
    records: tuple[DeviceRecord, ...]


def encode_entries(entries: Sequence[ProvenEntry]) -> bytes:
    return canonical_json.encode(
        [
            {
                "entry": encode_base64(item.entry),
                "index": item.index,
                "proof": [encode_base64(node) for node in item.path],
            }
            for item in entries
        ]
    )


def parse_entries(data: bytes) -> tuple[ProvenEntry, ...]:
    """Ascending by index, none twice. Whether the paths lead anywhere is for the caller to verify."""
    where = "data/log/entries.json"
    items = canonical_json.parse(data, limit=MAX_ENTRIES, where=where)
    if not isinstance(items, list):
        raise FormatError(where, "is not an array")
    entries: list[ProvenEntry] = []
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise FormatError(f"{where}[{place}]", "is not an object")
        fields = Fields(item, f"{where}[{place}]")
        entries.append(ProvenEntry(fields.integer("index"), fields.base64("entry"), _path(fields, "proof")))
        fields.done()
        if place and entries[-2].index >= entries[-1].index:
            raise fields.fault("index", "does not ascend")
    return tuple(entries)


def encode_custody(custody: CustodyFile) -> bytes:
    return canonical_json.encode(
        {
            "v": 1,
            "exhibit": str(custody.exhibit),
            "events": [
                {
                    "number": event.number,
                    "index": event.index,
                    "record": None if event.record is None else _value_of(event.record),
                    "commitment": None if event.commitment is None else event.commitment.hex(),
                    "openings": encode_openings(event.openings),
                }
                for event in custody.events
            ],
        }
    )


def parse_custody(data: bytes, where: str) -> CustodyFile:
    """Each event is either told or withheld. Numbers, chain and openings are for the caller to verify."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_CUSTODY, where=where), where)
    fields.literal("v", 1)
    custody = CustodyFile(fields.uuid("exhibit"), tuple(_parse_event(item) for item in fields.objects("events")))
    fields.done()
    return custody


def _parse_event(fields: Fields) -> CustodyEvent:
    told = fields.optional_object("record")
    event = CustodyEvent(
        number=fields.integer("number", low=1),
        index=fields.integer("index"),
        record=None if told is None else canonical_json.encode(fields.members("record")),
        commitment=fields.optional_hex("commitment", 32),
        openings=parse_openings(fields, "openings"),
    )
    fields.done()
    if (event.record is None) == (event.commitment is None):
        raise FormatError(fields.where, "is neither told nor withheld, or both")
    return event


def encode_device(device: DeviceFile) -> bytes:
    return canonical_json.encode(
        {
            "v": 1,
            "device": str(device.device),
            "statement_key": device.statement_key.hex(),
            "records": [
                {
                    "index": item.index,
                    "record": _value_of(item.record),
                    "openings": encode_openings(item.openings),
                    "certificate": None if item.certificate is None else encode_base64(item.certificate),
                }
                for item in device.records
            ],
        }
    )


def parse_device(data: bytes, where: str) -> DeviceFile:
    """Records ascend by log index. What they say and whether the log holds them is for the caller to verify."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_DEVICE, where=where), where)
    fields.literal("v", 1)
    device = DeviceFile(
        fields.uuid("device"),
        fields.hex("statement_key", 32),
        tuple(_parse_device_record(item) for item in fields.objects("records")),
    )
    fields.done()
    parse_public_key(device.statement_key, where=f"{where}.statement_key")
    indexes = [record.index for record in device.records]
    if indexes != sorted(set(indexes)):
        raise fields.fault("records", "do not ascend by log index")
    return device


def _parse_device_record(fields: Fields) -> DeviceRecord:
    record = DeviceRecord(
        index=fields.integer("index"),
        record=canonical_json.encode(fields.members("record")),
        openings=parse_openings(fields, "openings"),
        certificate=None if fields.value("certificate") is None else fields.base64("certificate"),
    )
    fields.done()
    return record


def encode_consistency(size: int, path: Sequence[bytes]) -> bytes:
    """stamps/SIZE.json: from the stamped tree of `size` to the tree of the bundle's checkpoint."""
    return canonical_json.encode({"v": 1, "size": size, "consistency": [encode_base64(node) for node in path]})


def parse_consistency(data: bytes, where: str) -> tuple[int, tuple[bytes, ...]]:
    fields = Fields(canonical_json.parse_object(data, limit=MAX_CONSISTENCY, where=where), where)
    fields.literal("v", 1)
    size, path = fields.integer("size", low=1), _path(fields, "consistency")
    fields.done()
    return size, path


def encode_openings(openings: Sequence[Opening]) -> Mapping[str, Json]:
    return {item.field: {"salt": item.salt.hex(), "value": item.value.hex()} for item in openings}


def parse_openings(fields: Fields, name: str) -> tuple[Opening, ...]:
    """Sorted by field. Whether they open anything is for the caller to verify."""
    members = fields.object(name)
    found = []
    for field in FIELDS:
        if members.has(field):
            opening = members.object(field)
            found.append(Opening(field, opening.hex("salt", SALT_LENGTH), _value(opening)))
            opening.done()
    members.done()
    return tuple(found)


def _value(opening: Fields) -> bytes:
    text = opening.text("value")
    if len(text) > 2 * _MAX_VALUE:
        raise opening.fault("value", "is longer than allowed")
    return opening.hex("value", len(text) // 2)


def _value_of(record: bytes) -> Json:
    return canonical_json.parse(record, limit=MAX_CUSTODY, where="record")


def _path(fields: Fields, name: str) -> tuple[bytes, ...]:
    nodes = tuple(parse_base64(text, where=f"{fields.where}.{name}") for text in fields.texts(name))
    if len(nodes) > _MAX_CONSISTENCY_PATH or any(len(node) != 32 for node in nodes):
        raise fields.fault(name, f"is not at most {_MAX_CONSISTENCY_PATH} hashes of 32 bytes")
    return nodes
