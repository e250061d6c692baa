"""Item records: each kind asks for its own detail, and only one byte string says a thing."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import item_record
from deedbox_sync.canonical_json import Json
from deedbox_sync.custody import NO_DIGEST, Actor
from deedbox_sync.errors import FormatError
from deedbox_sync.item_record import FIRST, ItemRecord
from sync_samples import NOON, assert_strict, mutated

ITEM, OTHER = UUID(int=1), str(UUID(int=2))
STATE: Json = {"condition": "dry", "place": "shelf 3", "seals": ["A 001"]}
WORDS: Json = {"description": "hammer", "kind": "tool", "made": "", "serial": ""}
OURS: Json = {"account": OTHER, "name": "Anna", "signature": None}
THEIRS: Json = {"account": None, "name": "Roe", "signature": OTHER}
_OVER: dict[str, Json] = {
    "giver": OURS,
    "handover": OTHER,
    "purpose": None,
    "receiver": THEIRS,
    "seal_intact": True,
    "state": STATE,
}
DETAILS: dict[str, dict[str, Json]] = {
    "received": {"described": WORDS, "from": {**THEIRS, "signature": None}, "purpose": "found", "state": STATE},  # type: ignore[dict-item]
    "described": {"described": WORDS},
    "handed-over": _OVER,
    "returned": _OVER,
    "examined": {"purpose": None, "seal_intact": None, "state": STATE},
    "moved": {"purpose": None, "state": STATE},
    "photographed": {"exhibit": OTHER, "purpose": None},
    "disposed": {"purpose": "destroyed", "state": STATE},
}


def record(kind: str = FIRST, **changes: object) -> ItemRecord:
    number, previous = (1, NO_DIGEST) if kind == FIRST else (2, bytes(range(32)))
    actor = Actor("box", "Firm's box", "tests")
    made = ItemRecord(ITEM, number, kind, NOON, NOON, actor, previous, DETAILS[kind], bytes(32))
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names members of the class


@pytest.mark.parametrize("kind", DETAILS)
def test_each_kind_asks_for_its_own_detail(kind: str) -> None:
    assert item_record.parse(item_record.encode(record(kind))) == record(kind)
    for name in DETAILS[kind]:
        less = {key: value for key, value in DETAILS[kind].items() if key != name}
        with pytest.raises(FormatError, match="detail"):
            item_record.encode(record(kind, detail=less))
    with pytest.raises(FormatError, match="detail"):
        item_record.encode(record(kind, detail={**DETAILS[kind], "extra": 1}))


@given(st.data())
def test_mutated_records_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = item_record.encode(record(data.draw(st.sampled_from(sorted(DETAILS)))))
    assert_strict(item_record.parse, item_record.encode, data.draw(mutated(encoded)))


@pytest.mark.parametrize(
    "broken",
    [
        record(previous=bytes(range(32))),
        record("moved", previous=NO_DIGEST),
        record("moved", number=1, previous=NO_DIGEST),
        replace(record("moved"), kind="lost"),
        record(happened=NOON.replace(year=NOON.year + 1)),
        record(salt=bytes(31)),
        record(actor=Actor("somebody", "x", "y")),
        record("handed-over", detail={**_OVER, "giver": {"account": None, "name": "Roe", "signature": None}}),
        record("handed-over", detail={**_OVER, "giver": {"account": OTHER, "name": "Roe", "signature": OTHER}}),
        record("moved", detail={"purpose": None, "state": {"condition": "", "place": "", "seals": ["x"] * 33}}),
    ],
    ids=range(10),
)
def test_what_breaks_a_rule_cannot_be_written(broken: ItemRecord) -> None:
    with pytest.raises(FormatError):
        item_record.encode(broken)
