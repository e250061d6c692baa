"""data/bundle.json: what is in the bundle, and which claim each file is to prove (formats/bundle.md).

The index proves nothing by itself; a verifier holds each of its values against statement, log and custody.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.bundle.layout import MAX_INDEX, MAX_TOKENS
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError


@dataclass(frozen=True)
class BundledCase:
    """Log and custody commit to the id; number and title are the firm's words and are not proven."""

    id: UUID
    number: str
    title: str


@dataclass(frozen=True)
class IndexedDerived:
    """A derived document; `event` is the custody event that tells of its making."""

    id: UUID
    form: str
    path: str
    content: bytes
    size: int
    event: int


@dataclass(frozen=True)
class IndexedExhibit:
    """`received` is the log index of its `exhibit.received` entry, `exported` the number of its last custody event."""

    id: UUID
    number: int
    path: str
    name: str
    size: int
    content: bytes
    statement: bytes
    captured: bool
    received: int
    exported: int
    derived: tuple[IndexedDerived, ...]


@dataclass(frozen=True)
class IndexedStamp:
    """A checkpoint of the tree of `size` that outsiders saw: cosigned, or stamped by 1 … `tokens` authorities."""

    size: int
    tokens: int


@dataclass(frozen=True)
class BundleIndex:
    bundle: UUID
    made: datetime
    box: UUID
    case: BundledCase
    origin: str
    vkey: str
    checkpoint_size: int
    exhibits: tuple[IndexedExhibit, ...]
    devices: tuple[UUID, ...]
    stamps: tuple[IndexedStamp, ...]


def encode_index(index: BundleIndex) -> bytes:
    return canonical_json.encode(
        {
            "v": 1,
            "bundle": str(index.bundle),
            "made": timestamp.encode(index.made),
            "box": str(index.box),
            "case": {"id": str(index.case.id), "number": index.case.number, "title": index.case.title},
            "origin": index.origin,
            "vkey": index.vkey,
            "checkpoint_size": index.checkpoint_size,
            "exhibits": [_encode_exhibit(exhibit) for exhibit in index.exhibits],
            "devices": [str(device) for device in index.devices],
            "stamps": [{"size": stamp.size, "tokens": stamp.tokens} for stamp in index.stamps],
        }
    )


def _encode_exhibit(exhibit: IndexedExhibit) -> Mapping[str, Json]:
    return {
        "id": str(exhibit.id),
        "number": exhibit.number,
        "path": exhibit.path,
        "name": exhibit.name,
        "size": exhibit.size,
        "content": exhibit.content.hex(),
        "statement": exhibit.statement.hex(),
        "captured": exhibit.captured,
        "received": exhibit.received,
        "exported": exhibit.exported,
        "derived": [
            {
                "id": str(item.id),
                "form": item.form,
                "path": item.path,
                "content": item.content.hex(),
                "size": item.size,
                "event": item.event,
            }
            for item in exhibit.derived
        ],
    }


def parse_index(data: bytes) -> BundleIndex:
    """Strict; exhibits ascend by number, stamps by size, devices by id, and none of them is there twice."""
    where = "data/bundle.json"
    fields = Fields(canonical_json.parse_object(data, limit=MAX_INDEX, where=where), where)
    fields.literal("v", 1)
    case = fields.object("case")
    index = BundleIndex(
        bundle=fields.uuid("bundle"),
        made=fields.time("made"),
        box=fields.uuid("box"),
        case=BundledCase(id=case.uuid("id"), number=case.text("number"), title=case.text("title")),
        origin=fields.text("origin"),
        vkey=fields.text("vkey"),
        checkpoint_size=fields.integer("checkpoint_size", low=1),
        exhibits=tuple(_parse_exhibit(item) for item in fields.objects("exhibits")),
        devices=tuple(_uuids(fields, "devices")),
        stamps=tuple(_parse_stamp(item) for item in fields.objects("stamps")),
    )
    case.done()
    fields.done()
    _ascending(fields, "exhibits", [exhibit.number for exhibit in index.exhibits])
    _ascending(fields, "devices", [str(device) for device in index.devices])
    _ascending(fields, "stamps", [stamp.size for stamp in index.stamps])
    if not index.exhibits:
        raise fields.fault("exhibits", "is empty")
    if len({exhibit.id for exhibit in index.exhibits}) != len(index.exhibits):
        raise fields.fault("exhibits", "names an exhibit twice")
    return index


def _parse_exhibit(fields: Fields) -> IndexedExhibit:
    exhibit = IndexedExhibit(
        id=fields.uuid("id"),
        number=fields.integer("number", low=1),
        path=fields.text("path"),
        name=fields.text("name"),
        size=fields.integer("size"),
        content=fields.hex("content", 32),
        statement=fields.hex("statement", 32),
        captured=fields.boolean("captured"),
        received=fields.integer("received"),
        exported=fields.integer("exported", low=1),
        derived=tuple(_parse_derived(item) for item in fields.objects("derived")),
    )
    fields.done()
    return exhibit


def _parse_derived(fields: Fields) -> IndexedDerived:
    derived = IndexedDerived(
        id=fields.uuid("id"),
        form=fields.word("form"),
        path=fields.text("path"),
        content=fields.hex("content", 32),
        size=fields.integer("size"),
        event=fields.integer("event", low=1),
    )
    fields.done()
    return derived


def _parse_stamp(fields: Fields) -> IndexedStamp:
    stamp = IndexedStamp(fields.integer("size", low=1), fields.integer("tokens", high=MAX_TOKENS))
    fields.done()
    return stamp


def _uuids(fields: Fields, name: str) -> list[UUID]:
    found = []
    for text in fields.texts(name):
        try:
            value = UUID(text)
        except ValueError as problem:
            raise fields.fault(name, "has something that is no UUID") from problem
        if str(value) != text:
            raise fields.fault(name, "has a UUID that is not in its usual form")
        found.append(value)
    return found


def _ascending(fields: Fields, name: str, keys: list[int] | list[str]) -> None:
    for before, after in itertools.pairwise(keys):
        if not before < after:  # type: ignore[operator]  # both are of one list, so of one type
            raise FormatError(f"{fields.where}.{name}", f"{after} stands after {before}, they do not ascend")
