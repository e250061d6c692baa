"""Item records (`formats/item.md`): what was done with one physical item, each bound to the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.custody import ACTOR, DIGEST_LENGTH, NO_DIGEST, SALT_LENGTH, Actor
from deedbox_sync.errors import FormatError

MAX_RECORD = 65_536
MAX_SEALS = 32
FIRST = "received"
LAST = frozenset({"returned", "disposed"})  # nothing follows
_WHERE = "item record"


@dataclass(frozen=True)
class ItemRecord:
    """One event in the life of an item. `detail` has the members that its kind asks for."""

    item: UUID
    number: int
    kind: str
    time: datetime
    happened: datetime
    actor: Actor
    previous: bytes
    detail: Mapping[str, Json]
    salt: bytes


def encode(record: ItemRecord) -> bytes:
    """The record's one byte string; FormatError where it breaks a rule of the format."""
    _check(record)
    data = canonical_json.encode(
        {
            "actor": {"id": record.actor.id, "name": record.actor.name, "via": record.actor.via},
            "detail": record.detail,
            "happened": timestamp.encode(record.happened),
            "item": str(record.item),
            "kind": record.kind,
            "number": record.number,
            "previous": record.previous.hex(),
            "salt": record.salt.hex(),
            "time": timestamp.encode(record.time),
            "v": 1,
        }
    )
    if len(data) > MAX_RECORD:
        raise FormatError(_WHERE, f"has {len(data)} bytes, at most {MAX_RECORD} are allowed")
    return data


def parse(data: bytes) -> ItemRecord:
    """The record of these bytes. A kind that is unknown here is a fault: there are no others."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_RECORD, where=_WHERE), _WHERE)
    fields.literal("v", 1)
    actor = fields.object("actor")
    record = ItemRecord(
        item=fields.uuid("item"),
        number=fields.integer("number", low=1),
        kind=fields.text("kind"),
        time=fields.time("time"),
        happened=fields.time("happened"),
        actor=Actor(actor.text("id"), actor.text("name"), actor.text("via")),
        previous=fields.hex("previous", DIGEST_LENGTH),
        detail=fields.members("detail"),
        salt=fields.hex("salt", SALT_LENGTH),
    )
    actor.done()
    fields.done()
    _check(record)
    return record


def digest(encoded: bytes) -> bytes:
    """What the log commits to, and the next record's `previous`."""
    return sha256(encoded).digest()


def committed_values(record: ItemRecord, encoded: bytes, case: UUID) -> dict[str, bytes]:
    """What the event's log entry commits to, by field."""
    return {"case": case.bytes, "person": record.actor.id.encode(), "record": digest(encoded)}


def _check(record: ItemRecord) -> None:
    if not ACTOR.fullmatch(record.actor.id):
        raise FormatError(f"{_WHERE}.actor.id", "is not account:UUID, device:UUID or box")
    if len(record.previous) != DIGEST_LENGTH or len(record.salt) != SALT_LENGTH:
        raise FormatError(_WHERE, "has a digest or a salt of another length")
    if record.number < 1 or (record.number == 1) != (record.previous == NO_DIGEST):
        raise FormatError(f"{_WHERE}.previous", "is zero for the first record and for no other")
    if (record.number == 1) != (record.kind == FIRST):
        raise FormatError(f"{_WHERE}.kind", f"is {FIRST} for the first record and for no other")
    if record.happened > record.time:
        raise FormatError(f"{_WHERE}.happened", "is later than it was recorded")
    check = _DETAILS.get(record.kind)
    if check is None:
        raise FormatError(f"{_WHERE}.kind", f"is none of {', '.join(sorted(_DETAILS))}")
    detail = Fields(record.detail, f"{_WHERE}.detail")
    check(detail)
    detail.done()


def _described(detail: Fields) -> None:
    described = detail.object("described")
    for name in ("description", "kind", "made", "serial"):
        described.text(name)
    described.done()


def _state(detail: Fields) -> None:
    state = detail.object("state")
    state.text("condition")
    state.text("place")
    seals = state.array("seals")
    if len(seals) > MAX_SEALS or not all(isinstance(seal, str) for seal in seals):
        raise state.fault("seals", f"are not at most {MAX_SEALS} texts")
    state.done()


def _seal_intact(detail: Fields) -> None:
    value = detail.value("seal_intact")
    if value is not None and not isinstance(value, bool):
        raise detail.fault("seal_intact", "is not true, false or null")


def _party(detail: Fields, name: str, *, signed: bool) -> None:
    party = detail.object(name)
    party.text("name")
    account, signature = party.optional_uuid("account"), party.optional_uuid("signature")
    if (account is not None and signature is not None) or (signed and account is None and signature is None):
        raise party.fault("signature", "is there for whoever has no account, and for nobody else")
    party.done()


def _received(detail: Fields) -> None:
    _described(detail)
    _state(detail)
    _party(detail, "from", signed=False)
    detail.optional_text("purpose")


def _handed_over(detail: Fields) -> None:
    _state(detail)
    _party(detail, "giver", signed=True)
    _party(detail, "receiver", signed=True)
    _seal_intact(detail)
    detail.optional_text("purpose")
    detail.uuid("handover")


def _examined(detail: Fields) -> None:
    _state(detail)
    _seal_intact(detail)
    detail.optional_text("purpose")


def _moved(detail: Fields) -> None:
    _state(detail)
    detail.optional_text("purpose")


def _photographed(detail: Fields) -> None:
    detail.uuid("exhibit")
    detail.optional_text("purpose")


_DETAILS: dict[str, Callable[[Fields], None]] = {
    "received": _received,
    "described": _described,
    "handed-over": _handed_over,
    "returned": _handed_over,
    "examined": _examined,
    "moved": _moved,
    "photographed": _photographed,
    "disposed": _moved,
}
