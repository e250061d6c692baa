from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import canonical_json, custody
from deedbox_sync.custody import LANES, NO_DIGEST, Actor, CustodyRecord
from deedbox_sync.errors import FormatError
from sync_samples import NOON, assert_strict, custody_records, mutated

EXHIBIT, OTHER = UUID(int=1), str(UUID(int=2))
DETAILS: dict[str, dict[str, canonical_json.Json]] = {
    "received": {
        "captured": True,
        "clock": {"finding": "agrees", "offset_ms": -40},
        "content": "00" * 32,
        "lane": "spool",
        "size": 7,
        "statement": "11" * 32,
    },
    "derived": {"content": "00" * 32, "derived": OTHER, "form": "text", "producer": "ocrmypdf 17", "size": 7},
    "exported": {"bundle": OTHER, "purpose": None},
    "viewed": {"quarter": "2026-03-14T12:15:00.000000Z"},
    "downloaded": {"quarter": "2026-03-14T12:00:00.000000Z"},
    "superseded": {"by": OTHER},
    "refiled": {"from": str(EXHIBIT), "from_number": 4, "reason": None, "to": OTHER, "to_number": 1},
}


def record(kind: str = "received", **changes: object) -> CustodyRecord:
    made = CustodyRecord(
        EXHIBIT, 1, kind, NOON, Actor("box", "Firm's box", "desk"), NO_DIGEST, DETAILS[kind], bytes(32)
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names members of the class


@given(custody_records())
def test_a_record_reads_back_as_itself(made: CustodyRecord) -> None:
    assert custody.parse(custody.encode(made)) == made


@given(st.data())
def test_mutated_records_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = custody.encode(data.draw(custody_records() | st.sampled_from([record(kind) for kind in DETAILS])))
    assert_strict(custody.parse, custody.encode, data.draw(mutated(encoded)))


@pytest.mark.parametrize("kind", DETAILS)
def test_each_kind_of_the_spine_asks_for_its_own_detail(kind: str) -> None:
    assert custody.parse(custody.encode(record(kind))) == record(kind)
    for name in DETAILS[kind]:
        with pytest.raises(FormatError, match="detail"):
            custody.encode(record(kind, detail={key: DETAILS[kind][key] for key in DETAILS[kind] if key != name}))
    with pytest.raises(FormatError, match="detail"):
        custody.encode(record(kind, detail={**DETAILS[kind], "extra": 1}))


@pytest.mark.parametrize("lane", LANES)
def test_every_lane_has_its_word(lane: str) -> None:
    custody.encode(record(detail={**DETAILS["received"], "lane": lane}))


@pytest.mark.parametrize(
    "broken",
    [
        record(number=0),
        record(number=2),
        record(previous=bytes([1]) * 32),
        record(previous=bytes(31)),
        record(kind="received", detail={**DETAILS["received"], "lane": "pigeon"}),
        record(kind="received", detail={**DETAILS["received"], "clock": None}),
        record(kind="received", detail={**DETAILS["received"], "captured": False}),
        record(kind="received", detail={**DETAILS["received"], "clock": {"finding": "agrees", "offset_ms": None}}),
        record(kind="received", detail={**DETAILS["received"], "clock": {"finding": "ahead", "offset_ms": 120_000}}),
        record(kind="viewed", detail={"quarter": "2026-03-14T12:16:00.000000Z"}),
        record(kind="viewed", detail={"quarter": "2026-03-14T12:15:00.000001Z"}),
        replace(record(), kind="Received"),
        record(actor=Actor("anna", "Anna", "web")),
        record(actor=Actor(f"account:{OTHER.upper()}x", "Anna", "web")),
        record(actor=Actor(f"account:{OTHER}\n", "Anna", "web")),
    ],
)
def test_what_breaks_a_rule_cannot_be_written(broken: CustodyRecord) -> None:
    with pytest.raises(FormatError):
        custody.encode(broken)


def test_a_chain_of_records_is_bound_by_digests() -> None:
    first = custody.encode(record())
    second = record("viewed", number=2, previous=custody.digest(first))
    assert custody.parse(custody.encode(second)).previous == custody.digest(first)


def test_a_record_is_at_most_64_kib() -> None:
    with pytest.raises(FormatError, match="at most"):
        custody.encode(record("exported", detail={"bundle": OTHER, "purpose": "x" * custody.MAX_RECORD}))
