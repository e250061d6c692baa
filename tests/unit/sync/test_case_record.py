"""Case records: one byte string per record, strictly read (formats/case.md)."""

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import case_record
from deedbox_sync.case_record import CaseRecord
from deedbox_sync.errors import FormatError

RECORDS = st.builds(
    CaseRecord,
    action=st.sampled_from(case_record.ACTIONS),
    actor=st.uuids().map("account:{}".format),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    via=st.just("session:x"),
    artifact=st.uuids(),
    case=st.uuids(),
    content=st.binary(min_size=32, max_size=32),
    exhibit=st.none(),
    kind=st.sampled_from(["document", "note"]),
    shared=st.booleans(),
    time=st.datetimes(timezones=st.just(UTC)),
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
    version=st.integers(1, 1000),
    salt=st.binary(min_size=32, max_size=32),
)


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: CaseRecord) -> None:
    data = case_record.encode(record)
    assert case_record.parse(data) == record
    values = case_record.committed_values(record, data)
    assert values["case"] == record.case.bytes
    assert values["content"] == record.content
    assert values["record"] == case_record.digest(data)


@given(RECORDS)
def test_what_breaks_a_rule_is_refused(record: CaseRecord) -> None:
    for wrong in (
        replace(record, action="burnt"),
        replace(record, kind="thing"),
        replace(record, kind="evidence"),
        replace(record, exhibit=record.case),
        replace(record, content=b"short"),
        replace(record, salt=b""),
        replace(record, title="x" * case_record.MAX_BYTES),
    ):
        with pytest.raises(FormatError):
            case_record.encode(wrong)


@given(RECORDS)
def test_no_other_bytes_are_that_record(record: CaseRecord) -> None:
    data = case_record.encode(record)
    for wrong in (data + b" ", data.replace(b'"v":1', b'"v":2'), data.replace(b'"v":1,', b""), b"{}", b"[]"):
        with pytest.raises(FormatError):
            case_record.parse(wrong)
