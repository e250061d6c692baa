"""Capture and gap statements (`formats/statement.md`): what a desk says, and signs, before any byte is sent.

The values are checked when a payload is encoded or parsed, by the same rules; a dataclass alone promises nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from deedbox_sync import beacon, canonical_json, timestamp
from deedbox_sync.beacon import Beacon
from deedbox_sync.canonical_json import Fields, Json, decimal
from deedbox_sync.dsse import MAX_ENVELOPE
from deedbox_sync.errors import FormatError
from deedbox_sync.file_facts import FileFacts, file_members, read_file_facts

__all__ = [
    "CAPTURE_TYPE",
    "DIGEST_LENGTH",
    "GAP_TYPE",
    "MAX_ENVELOPE",
    "NO_DIGEST",
    "SALT_LENGTH",
    "STATEMENT_TYPE",
    "SUBJECT_DIGESTS",
    "CaptureStatement",
    "Captured",
    "DeviceRef",
    "FileFacts",
    "GapStatement",
    "JournalPlace",
    "Operator",
    "ReadException",
    "Source",
    "Tool",
    "digest",
    "encode_payload",
    "parse_payload",
]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
CAPTURE_TYPE = "urn:deedbox:capture:v1"
GAP_TYPE = "urn:deedbox:gap:v1"
DIGEST_LENGTH = 32
SALT_LENGTH = 32
NO_DIGEST = bytes(DIGEST_LENGTH)
# Of the digests a subject may carry, the lengths in bytes. sha256 is always there, the others serve legacy lists.
SUBJECT_DIGESTS = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}

_BOOT_LENGTH = 16
# No zone has ever been further from UTC than a day.
_MAX_UTC_OFFSET_S = 86_400


@dataclass(frozen=True)
class Captured:
    """When, by the desk's own clock, and what is known about that clock. `beacon`: the newest drand round that the desk knew."""

    time: datetime
    zone: str | None
    utc_offset_s: int
    monotonic_ns: int
    boot: bytes | None = None
    box_offset_ms: int | None = None
    box_seen: datetime | None = None
    beacon: Beacon | None = None


@dataclass(frozen=True)
class DeviceRef:
    """`key` is the SHA-256 of the raw Ed25519 public key that verifies the envelope."""

    id: UUID
    name: str
    key: bytes


@dataclass(frozen=True)
class JournalPlace:
    """The statement's number in its device's chain, and the digest of the statement before it."""

    sequence: int
    previous: bytes


@dataclass(frozen=True)
class Operator:
    """Who sat at the desk, and the word for how that was known (`none` where it was not)."""

    name: str
    account: UUID | None
    authenticated: str


@dataclass(frozen=True)
class Source:
    """What the file was taken from, as far as known."""

    medium: str | None = None
    make: str | None = None
    serial: str | None = None
    account: str | None = None


@dataclass(frozen=True)
class Tool:
    name: str
    version: str


@dataclass(frozen=True)
class ReadException:
    """What went wrong while reading: a word that code compares, and a text for people."""

    kind: str
    detail: str


@dataclass(frozen=True)
class CaptureStatement:
    """One file as it was captured. `digests` maps digest names to bytes and has `sha256` at least."""

    digests: Mapping[str, bytes]
    captured: Captured
    device: DeviceRef
    file: FileFacts
    journal: JournalPlace
    operator: Operator
    tool: Tool
    method: str
    salt: bytes
    case: UUID | None = None
    labels: tuple[str, ...] = ()
    place: str | None = None
    purpose: str | None = None
    source: Source = field(default_factory=Source)
    exceptions: tuple[ReadException, ...] = ()
    supersedes: bytes | None = None

    @property
    def content(self) -> bytes:
        """The SHA-256 of the captured bytes."""
        return self.digests["sha256"]


@dataclass(frozen=True)
class GapStatement:
    """Closes the journal numbers `first` … `last`, whose statements are lost, and takes the next number itself."""

    device: DeviceRef
    captured: Captured
    first: int
    last: int
    journal: JournalPlace
    reason: str
    salt: bytes


def digest(payload: bytes) -> bytes:
    """The statement digest: the statement's name everywhere, and its idempotency key."""
    return sha256(payload).digest()


def encode_payload(statement: CaptureStatement | GapStatement) -> bytes:
    """The payload to sign; FormatError where the statement breaks a rule of the format."""
    capture = isinstance(statement, CaptureStatement)
    members: dict[str, Json] = {
        "_type": STATEMENT_TYPE,
        "predicateType": CAPTURE_TYPE if capture else GAP_TYPE,
        **(_capture_members(statement) if isinstance(statement, CaptureStatement) else _gap_members(statement)),
    }
    payload = canonical_json.encode(members)
    if len(payload) > MAX_ENVELOPE:
        raise FormatError("statement", f"has {len(payload)} bytes, at most {MAX_ENVELOPE} are allowed")
    if _read(members) != statement:  # what was just encoded needs no decoding to be read
        raise FormatError("statement", "does not read back as what was written")
    return payload


def parse_payload(payload: bytes) -> CaptureStatement | GapStatement:
    """The statement of a payload, each member checked; the signature and the bytes it speaks of are not."""
    return _read(canonical_json.parse_object(payload, limit=MAX_ENVELOPE, where="statement"))


def _read(members: Mapping[str, Json]) -> CaptureStatement | GapStatement:
    fields = Fields(members, "statement")
    fields.literal("_type", STATEMENT_TYPE)
    kind = fields.text("predicateType")
    subjects = fields.objects("subject")
    predicate = fields.object("predicate")
    fields.done()
    if len(subjects) != 1:
        raise fields.fault("subject", "is not exactly one")
    if kind == CAPTURE_TYPE:
        return _read_capture(subjects[0], predicate)
    if kind == GAP_TYPE:
        return _read_gap(subjects[0], predicate)
    raise fields.fault("predicateType", "is none that is known here")


def _capture_members(statement: CaptureStatement) -> dict[str, Json]:
    source = statement.source
    return {
        "subject": [
            {
                "name": statement.file.name,
                "digest": {name: value.hex() for name, value in statement.digests.items()},
            }
        ],
        "predicate": {
            "captured": _captured_members(statement.captured),
            "case": _text(statement.case),
            "device": _device_members(statement.device),
            "exceptions": [{"kind": item.kind, "detail": item.detail} for item in statement.exceptions],
            "file": file_members(statement.file),
            "journal": _journal_members(statement.journal),
            "labels": list(statement.labels),
            "method": statement.method,
            "operator": {
                "name": statement.operator.name,
                "account": _text(statement.operator.account),
                "authenticated": statement.operator.authenticated,
            },
            "place": statement.place,
            "purpose": statement.purpose,
            "salt": statement.salt.hex(),
            "source": {
                "medium": source.medium,
                "make": source.make,
                "serial": source.serial,
                "account": source.account,
            },
            "supersedes": _hex(statement.supersedes),
            "tool": {"name": statement.tool.name, "version": statement.tool.version},
        },
    }


def _gap_members(statement: GapStatement) -> dict[str, Json]:
    return {
        "subject": [{"name": "journal", "digest": {"sha256": statement.journal.previous.hex()}}],
        "predicate": {
            "captured": _captured_members(statement.captured),
            "device": _device_members(statement.device),
            "first": statement.first,
            "journal": _journal_members(statement.journal),
            "last": statement.last,
            "reason": statement.reason,
            "salt": statement.salt.hex(),
        },
    }


def _captured_members(captured: Captured) -> Json:
    return {
        "time": timestamp.encode(captured.time),
        "zone": captured.zone,
        "utc_offset_s": captured.utc_offset_s,
        "monotonic_ns": decimal(captured.monotonic_ns),
        "boot": _hex(captured.boot),
        "box_offset_ms": captured.box_offset_ms,
        "box_seen": None if captured.box_seen is None else timestamp.encode(captured.box_seen),
        "beacon": None if captured.beacon is None else beacon.members(captured.beacon),
    }


def _device_members(device: DeviceRef) -> Json:
    return {"id": str(device.id), "name": device.name, "key": device.key.hex()}


def _journal_members(journal: JournalPlace) -> Json:
    return {"sequence": journal.sequence, "previous": journal.previous.hex()}


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _read_capture(subject: Fields, predicate: Fields) -> CaptureStatement:
    name = subject.text("name")
    named = subject.object("digest")
    digests = {kind: named.hex(kind, length) for kind, length in SUBJECT_DIGESTS.items() if named.has(kind)}
    named.done()
    subject.done()
    if "sha256" not in digests:
        raise subject.fault("digest", "has no sha256")
    statement = CaptureStatement(
        digests=digests,
        captured=_read_captured(predicate.object("captured")),
        device=_read_device(predicate.object("device")),
        file=read_file_facts(predicate.object("file")),
        journal=_read_journal(predicate.object("journal")),
        operator=_read_operator(predicate.object("operator")),
        tool=_read_tool(predicate.object("tool")),
        method=predicate.word("method"),
        salt=predicate.hex("salt", SALT_LENGTH),
        case=predicate.optional_uuid("case"),
        labels=predicate.texts("labels"),
        place=predicate.optional_text("place"),
        purpose=predicate.optional_text("purpose"),
        source=_read_source(predicate.object("source")),
        exceptions=tuple(_read_exception(item) for item in predicate.objects("exceptions")),
        supersedes=predicate.optional_hex("supersedes", DIGEST_LENGTH),
    )
    predicate.done()
    if statement.file.name != name:
        raise subject.fault("name", "is not the file's name")
    if (statement.journal.sequence == 1) != (statement.journal.previous == NO_DIGEST):
        raise predicate.fault("journal.previous", "is zero for the first statement and for no other")
    return statement


def _read_gap(subject: Fields, predicate: Fields) -> GapStatement:
    subject.literal("name", "journal")
    named = subject.object("digest")
    previous = named.hex("sha256", DIGEST_LENGTH)
    named.done()
    subject.done()
    statement = GapStatement(
        device=_read_device(predicate.object("device")),
        captured=_read_captured(predicate.object("captured")),
        first=predicate.integer("first", low=1),
        last=predicate.integer("last", low=1),
        journal=_read_journal(predicate.object("journal")),
        reason=predicate.text("reason"),
        salt=predicate.hex("salt", SALT_LENGTH),
    )
    predicate.done()
    if not statement.first <= statement.last or statement.journal.sequence != statement.last + 1:
        raise predicate.fault("journal.sequence", "is not the number after first … last")
    if statement.journal.previous != previous:
        raise subject.fault("digest.sha256", "is not the journal's previous digest")
    if (statement.first == 1) != (previous == NO_DIGEST):
        raise predicate.fault("journal.previous", "is zero where the gap begins with statement 1, and only there")
    return statement


def _read_captured(fields: Fields) -> Captured:
    known = fields.optional_object("beacon")
    captured = Captured(
        time=fields.time("time"),
        zone=fields.optional_text("zone"),
        utc_offset_s=fields.integer("utc_offset_s", low=-_MAX_UTC_OFFSET_S, high=_MAX_UTC_OFFSET_S),
        monotonic_ns=fields.decimal("monotonic_ns"),
        boot=fields.optional_hex("boot", _BOOT_LENGTH),
        box_offset_ms=fields.optional_integer("box_offset_ms", low=-canonical_json.MAX_INTEGER),
        box_seen=fields.optional_time("box_seen"),
        beacon=None if known is None else beacon.read(known),
    )
    fields.done()
    if captured.monotonic_ns < 0:
        raise fields.fault("monotonic_ns", "is negative")
    if (captured.box_offset_ms is None) != (captured.box_seen is None):
        raise fields.fault("box_offset_ms", "and box_seen are known together or not at all")
    return captured


def _read_device(fields: Fields) -> DeviceRef:
    device = DeviceRef(fields.uuid("id"), fields.text("name"), fields.hex("key", DIGEST_LENGTH))
    fields.done()
    return device


def _read_journal(fields: Fields) -> JournalPlace:
    journal = JournalPlace(fields.integer("sequence", low=1), fields.hex("previous", DIGEST_LENGTH))
    fields.done()
    return journal


def _read_operator(fields: Fields) -> Operator:
    operator = Operator(fields.text("name"), fields.optional_uuid("account"), fields.word("authenticated"))
    fields.done()
    return operator


def _read_source(fields: Fields) -> Source:
    source = Source(
        medium=fields.optional_text("medium"),
        make=fields.optional_text("make"),
        serial=fields.optional_text("serial"),
        account=fields.optional_text("account"),
    )
    fields.done()
    return source


def _read_tool(fields: Fields) -> Tool:
    tool = Tool(fields.text("name"), fields.text("version"))
    fields.done()
    return tool


def _read_exception(fields: Fields) -> ReadException:
    exception = ReadException(fields.word("kind"), fields.text("detail"))
    fields.done()
    return exception
