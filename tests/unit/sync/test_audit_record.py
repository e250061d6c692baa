from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import audit_record
from deedbox_sync.audit_record import MAX_IDS, OUTCOMES, AuditRecord
from deedbox_sync.canonical_json import Json
from deedbox_sync.errors import FormatError
from sync_samples import NOON, assert_strict, counts, digests, json_objects, mutated, texts, times, words

ONE, TWO = str(UUID(int=1)), str(UUID(int=2))
DETAILS: dict[str, dict[str, Json]] = {
    "changed": {"fields": ["title"], "was": "open"},
    "refused": {"count": 3, "reason": "second-factor-needed", "why": "show it again"},
    "viewed": {"count": 2, "ids": [ONE, TWO]},
}


def record(outcome: str = "changed", **changes: object) -> AuditRecord:
    made = AuditRecord(
        actor=f"account:{ONE}",
        name="Ada",
        via="session:abc",
        device=None,
        address="192.0.2.1",
        outcome=outcome,
        operation="party.write",
        case=UUID(int=3),
        object=UUID(int=4),
        detail=DETAILS[outcome],
        time=NOON,
        salt=bytes(32),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names members of the class


@st.composite
def audit_records(draw: st.DrawFn) -> AuditRecord:
    outcome = draw(st.sampled_from(OUTCOMES))
    ids = draw(st.lists(st.uuids(), min_size=1, max_size=3, unique=True))
    detail: dict[str, Json] = {
        "changed": draw(json_objects),
        "refused": {"count": draw(counts.filter(bool)), "reason": draw(words), "why": draw(texts)},
        "viewed": draw(st.sampled_from([{}, {"count": len(ids), "ids": [str(one) for one in ids]}])),
    }[outcome]
    kind = draw(st.sampled_from(["account", "device"]))
    return AuditRecord(
        actor=draw(st.just("box") | st.uuids().map(lambda one: f"{kind}:{one}")),
        name=draw(texts),
        via=draw(texts),
        device=draw(st.none() | st.uuids()),
        address=draw(st.none() | texts),
        outcome=outcome,
        operation=draw(st.sampled_from(["search", "party.write", "account.self"])),
        case=draw(st.none() | st.uuids()),
        object=draw(st.none() | st.uuids()),
        detail=detail,
        time=draw(times),
        salt=draw(digests),
    )


@given(audit_records())
def test_a_record_reads_back_as_itself(made: AuditRecord) -> None:
    assert audit_record.parse(audit_record.encode(made)) == made


@given(st.data())
def test_mutated_records_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = audit_record.encode(data.draw(audit_records()))
    assert_strict(audit_record.parse, audit_record.encode, data.draw(mutated(encoded)))


@pytest.mark.parametrize(
    "made",
    [
        record(actor="Ada"),
        record(actor=f"account:{ONE}x"),
        record(outcome="changed", operation="Party.Write"),
        record(operation="x" * 65),
        record(salt=bytes(31)),
        replace(record(), outcome="seen"),
        record("refused", detail={"reason": "denied", "why": ""}),
        record("refused", detail={"count": 1, "reason": "denied", "why": "x" * 501}),
        record("refused", detail={"count": 1, "reason": "denied"}),
        record("refused", detail={"count": 0, "reason": "denied", "why": ""}),
        record("refused", detail={"count": 1, "reason": "Not Allowed", "why": ""}),
        record("refused", detail={"count": 1, "reason": "denied", "why": "x", "more": 1}),
        record("viewed", detail={"count": 1, "ids": [ONE, TWO]}),
        record("viewed", detail={"count": 2, "ids": [ONE, ONE]}),
        record("viewed", detail={"count": 1, "ids": ["one"]}),
        record("viewed", detail={"count": 0, "ids": []}),
        record("viewed", detail={"count": 1, "ids": [ONE], "more": 1}),
        record(detail={"long": "x" * audit_record.MAX_BYTES}),
    ],
)
def test_what_breaks_a_rule_is_not_written(made: AuditRecord) -> None:
    with pytest.raises(FormatError):
        audit_record.encode(made)


def test_the_longest_list_fits_a_record() -> None:
    ids: list[Json] = [str(UUID(int=number)) for number in range(MAX_IDS)]
    made = record("viewed", detail={"count": MAX_IDS, "ids": ids})
    assert audit_record.parse(audit_record.encode(made)) == made


def test_the_log_commits_to_record_person_and_case() -> None:
    data = audit_record.encode(record())
    digest = audit_record.digest(data)
    assert audit_record.committed_values(record(), data) == {
        "case": UUID(int=3).bytes,
        "person": f"account:{ONE}".encode(),
        "record": digest,
    }
    assert audit_record.committed_values(record(case=None), data).keys() == {"person", "record"}
