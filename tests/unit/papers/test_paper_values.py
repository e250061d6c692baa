"""Numbers, fields and records of papers: strict where they come in, the same bytes where they go out."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.errors import BadRequest
from deedbox_server.papers import record as paper_record
from deedbox_server.papers.all_kinds import KINDS
from deedbox_server.papers.document import Blank
from deedbox_server.papers.fields import MAX_VALUE, Field, read_fields
from deedbox_server.papers.numbering import Scheme, letters
from deedbox_server.papers.record import PaperRecord, RecordedExhibit
from deedbox_server.papers.tagged import tagged_join
from deedbox_sync import uuid7
from deedbox_sync.custody import Actor
from deedbox_sync.errors import FormatError
from papers_made import delivery_note


@pytest.mark.parametrize(
    ("pattern", "number", "mark"),
    [
        ("{number}", 7, "7"),
        ("PX-{number:03}", 7, "PX-007"),
        ("PX-{number:03}", 1234, "PX-1234"),
        ("{party} Ex. {number}", 3, "Smith Ex. 3"),
        ("{letter}", 27, "AA"),
        ("Ex. {letter}", 702, "Ex. ZZ"),
    ],
)
def test_a_firms_scheme_numbers_exhibits(pattern: str, number: int, mark: str) -> None:
    assert Scheme(pattern, "Smith").mark(number) == mark


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "PX",
        "{number",
        "{number}{number}",
        "{number}{letter}",
        "{number!r}",
        "{number:>99999999}",
        "{0}",
        "{x}",
        "{number.real}",
        "{letter:03}",
        "{number:03d}",
        "line\n{number}",
        "x" * 101 + "{number}",
    ],
)
def test_a_scheme_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(BadRequest):
        Scheme(pattern, "Smith")


def test_a_scheme_that_names_a_party_wants_to_know_which() -> None:
    with pytest.raises(BadRequest, match="say which one"):
        Scheme("{party} Ex. {number}")


@given(st.text(max_size=60))
def test_any_pattern_is_a_scheme_or_a_plain_refusal(pattern: str) -> None:
    try:
        made = Scheme(pattern, "Smith").mark(12)
    except BadRequest:
        return
    assert len(made) < 200


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_letters_tell_numbers_apart(one: int, other: int) -> None:
    assert (letters(one) == letters(other)) == (one == other)


_FIELDS = (
    Field("name", "Name", "x"),
    Field("day", "Day", "x", format="date"),
    Field("way", "Way", "x", choices=("a", "b")),
)


def test_what_is_not_given_is_a_line_to_fill_in() -> None:
    given_ = read_fields(_FIELDS, {"name": "  ", "day": "2026-03-08"})
    assert isinstance(given_.run("name"), Blank) and given_.run("day") == "March 8, 2026"
    assert [field.name for field in given_.missing] == ["name", "way"]


@pytest.mark.parametrize(
    "values", [{"other": "x"}, {"name": "x" * (MAX_VALUE + 1)}, {"day": "8 March"}, {"day": "2026-02-30"}, {"way": "c"}]
)
def test_each_bad_value_is_named(values: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as refused:
        read_fields(_FIELDS, values)
    assert str(refused.value.extra["errors"]).count("fields.") == 1


def test_every_kind_explains_itself() -> None:
    for kind in KINDS.values():
        assert kind.title and kind.help and kind.counsel and kind.exhibits in ("any", "some", "one", "none")
        names = [field.name for field in kind.fields]
        assert len(set(names)) == len(names)
        assert all(field.label and field.help and field.by for field in kind.fields)


def _record(**changes: object) -> PaperRecord:
    given_: dict[str, object] = {
        "paper": uuid7.new(),
        "case": uuid7.new(),
        "kind": "certificate-902-14",
        "time": datetime(2026, 3, 1, tzinfo=UTC),
        "actor": Actor(f"account:{uuid7.new()}", "Olivia Owner", "password"),
        "content": os.urandom(32),
        "size": 17,
        "exhibits": (RecordedExhibit(uuid7.new(), "PX-001", os.urandom(32)),),
        "parts": (uuid7.new(),),
        "salt": os.urandom(32),
    }
    return PaperRecord(**(given_ | changes))  # type: ignore[arg-type]


def test_a_record_reads_back_and_commits_to_its_pdf() -> None:
    made = _record()
    data = paper_record.encode(made)
    assert paper_record.parse(data) == made
    assert paper_record.committed_values(made, data)["content"] == made.content


@given(st.binary(max_size=400))
def test_no_bytes_are_taken_for_a_record_that_are_none(data: bytes) -> None:
    with pytest.raises(FormatError):
        paper_record.parse(data)


def test_a_record_with_something_more_is_refused() -> None:
    data = paper_record.encode(_record())
    with pytest.raises(FormatError):
        paper_record.parse(data.replace(b'"kind"', b'"kin":1,"kind"'))


def test_joined_papers_keep_their_tags_apart() -> None:
    note = delivery_note(2)
    with pikepdf.open(io.BytesIO(tagged_join([note, note, note]))) as whole:
        root = whole.Root.StructTreeRoot
        assert [str(part.S) for part in root.K.K] == ["/Part"] * 3
        keys = [int(page.obj.StructParents) for page in whole.pages]
        assert len(set(keys)) == len(keys) == 6
        numbers = {int(one) for one in list(root.ParentTree.Nums)[::2]}
        assert set(keys) <= numbers and root.ParentTreeNextKey > max(numbers)
