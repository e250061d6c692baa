"""Custody records (`formats/custody.md`): what happened to one exhibit, each bound to the one before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from deedbox_sync import canonical_json, clock, timestamp
from deedbox_sync.canonical_json import Fields, Json, is_word
from deedbox_sync.errors import FormatError

# A record is a few hundred bytes; the rest is room for purposes that people type.
MAX_RECORD = 65_536
DIGEST_LENGTH = 32
SALT_LENGTH = 32
NO_DIGEST = bytes(DIGEST_LENGTH)
REFILED = "refiled"
LANES = ("batch", "held", "spool", "stream", "upload")

_IS_REFILED = b'"kind":"refiled"'  # so that of thousands of views none is read only to see that it is one
ACTOR = re.compile(r"box|(?:account|device):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


@dataclass(frozen=True)
class Actor:
    """Who acted: `account:UUID`, `device:UUID` or `box`; by what name people know them; by what way they came in."""

    id: str
    name: str
    via: str


@dataclass(frozen=True)
class CustodyRecord:
    """One event in the life of an exhibit. `detail` has the members that its kind asks for; `salt` is random, so that the digest
    of a withheld record tells nothing to whoever guesses."""

    exhibit: UUID
    number: int
    kind: str
    time: datetime
    actor: Actor
    previous: bytes
    detail: Mapping[str, Json]
    salt: bytes


def encode(record: CustodyRecord) -> bytes:
    """The record's one byte string; FormatError where it breaks a rule of the format."""
    _check(record)
    data = canonical_json.encode(
        {
            "actor": {"id": record.actor.id, "name": record.actor.name, "via": record.actor.via},
            "detail": record.detail,
            "exhibit": str(record.exhibit),
            "kind": record.kind,
            "number": record.number,
            "previous": record.previous.hex(),
            "salt": record.salt.hex(),
            "time": timestamp.encode(record.time),
            "v": 1,
        }
    )
    if len(data) > MAX_RECORD:
        raise FormatError("custody record", f"has {len(data)} bytes, at most {MAX_RECORD} are allowed")
    return data


def parse(data: bytes) -> CustodyRecord:
    """The record of these bytes. The detail of a kind that is unknown here is taken as it is."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_RECORD, where="custody record"), "custody record")
    fields.literal("v", 1)
    actor = fields.object("actor")
    record = CustodyRecord(
        exhibit=fields.uuid("exhibit"),
        number=fields.integer("number", low=1),
        kind=fields.text("kind"),
        time=fields.time("time"),
        actor=Actor(actor.text("id"), actor.text("name"), actor.text("via")),
        previous=fields.hex("previous", DIGEST_LENGTH),
        detail=fields.members("detail"),
        salt=fields.hex("salt", SALT_LENGTH),
    )
    actor.done()
    fields.done()
    _check(record)
    return record


def _check(record: CustodyRecord) -> None:
    """The rules that the members' types do not show."""
    if record.number < 1:
        raise FormatError("custody record.number", "is not 1 or more")
    if not is_word(record.kind):
        raise FormatError("custody record.kind", "is not a lower-case word")
    if not ACTOR.fullmatch(record.actor.id):
        raise FormatError("custody record.actor.id", "is not account:UUID, device:UUID or box")
    if len(record.previous) != DIGEST_LENGTH:
        raise FormatError("custody record.previous", f"is not {DIGEST_LENGTH} bytes")
    if len(record.salt) != SALT_LENGTH:
        raise FormatError("custody record.salt", f"is not {SALT_LENGTH} bytes")
    if (record.number == 1) != (record.previous == NO_DIGEST):
        raise FormatError("custody record.previous", "is zero for the first record and for no other")
    check = _DETAILS.get(record.kind)
    if check is not None:
        detail = Fields(record.detail, "custody record.detail")
        check(detail)
        detail.done()


def digest(encoded: bytes) -> bytes:
    """What the log commits to, and the next record's `previous`."""
    return sha256(encoded).digest()


def committed_values(record: CustodyRecord, encoded: bytes, case: UUID) -> dict[str, bytes]:
    """What the event's log entry commits to, by field: `encoded` are the record's bytes, `case` is the exhibit's."""
    values = {"case": case.bytes, "person": record.actor.id.encode(), "record": digest(encoded)}
    for name in committed_details(record.detail):
        values[name] = bytes.fromhex(str(record.detail[name]))
    return values


def cases_of(encoded: Sequence[bytes | None], last: UUID) -> list[UUID]:
    """The case that each of these records, all of an exhibit's in order, is logged for; `last` is where the exhibit is now.

    An exhibit that was `refiled` was before that in the case that the record tells of. None is an event that is not told; what
    is no record leads nowhere, and is for the caller to find.
    """
    cases = []
    for data in reversed(encoded):
        cases.append(last)
        if data is not None and _IS_REFILED in data:
            try:
                record = parse(data)
            except FormatError:
                continue
            if record.kind == REFILED:
                last = UUID(str(record.detail["from"]))
    return cases[::-1]


def committed_details(detail: Mapping[str, Json]) -> tuple[str, ...]:
    """Which members of a detail the entry commits to by themselves."""
    return tuple(name for name in ("content", "statement") if name in detail)


def _check_received(detail: Fields) -> None:
    detail.hex("statement", DIGEST_LENGTH)
    detail.hex("content", DIGEST_LENGTH)
    detail.integer("size")
    if detail.text("lane") not in LANES:
        raise detail.fault("lane", f"is none of {', '.join(LANES)}")
    captured = detail.boolean("captured")
    found = detail.optional_object("clock")
    if captured != (found is not None):
        raise detail.fault("clock", "is told of what a desk captured, and of nothing else")
    if found is not None:
        clock.read(found)


def _check_derived(detail: Fields) -> None:
    detail.uuid("derived")
    detail.word("form")
    detail.hex("content", DIGEST_LENGTH)
    detail.integer("size")
    detail.text("producer")


def _check_exported(detail: Fields) -> None:
    detail.uuid("bundle")
    detail.optional_text("purpose")


def _check_read(detail: Fields) -> None:
    quarter = detail.time("quarter")
    if quarter.minute % 15 or quarter.second or quarter.microsecond:
        raise detail.fault("quarter", "is not the start of a quarter hour")


def _check_superseded(detail: Fields) -> None:
    detail.uuid("by")


def _check_refiled(detail: Fields) -> None:
    origin, target = detail.uuid("from"), detail.uuid("to")
    detail.integer("from_number", low=1)
    detail.integer("to_number", low=1)
    detail.optional_text("reason")
    if origin == target:
        raise detail.fault("to", "is the case that it came from")


_DETAILS = {
    "received": _check_received,
    "derived": _check_derived,
    "exported": _check_exported,
    "viewed": _check_read,
    "downloaded": _check_read,
    "superseded": _check_superseded,
    REFILED: _check_refiled,
}
