from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import canonical_json, clock
from deedbox_sync.beacon import QUICKNET, Beacon, round_at
from deedbox_sync.canonical_json import Fields
from deedbox_sync.clock import ClockFinding, apart, clock_finding, sentence
from deedbox_sync.errors import FormatError
from deedbox_sync.statement import Captured
from sync_samples import NOON, captured

TWO_YEARS = timedelta(days=731)
PAIRED = NOON - timedelta(days=30)


def statement(time: datetime, **changes: object) -> Captured:
    made = Captured(time, None, 0, 0)
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names members of the class


def seen(offset: timedelta) -> dict[str, object]:
    return {"box_offset_ms": offset // timedelta(milliseconds=1), "box_seen": NOON}


def beacon(time: datetime) -> Beacon:
    return Beacon(QUICKNET.hash, round_at(QUICKNET, time), bytes(48))


def found(said: Captured) -> ClockFinding:
    return clock_finding(said, NOON, PAIRED)


def test_a_clock_that_was_held_against_the_boxs_agrees() -> None:
    said = statement(NOON - timedelta(days=3), **seen(timedelta(seconds=-2)))
    assert found(said) == ClockFinding("agrees", -2000)


def test_a_clock_of_which_nothing_is_known_is_unknown() -> None:
    assert found(statement(NOON - timedelta(days=3))) == ClockFinding("unknown", None)


def test_two_minutes_are_forgiven() -> None:
    assert found(statement(NOON + timedelta(seconds=120))).word == "unknown"
    assert found(statement(NOON, **seen(timedelta(seconds=-120)))).word == "agrees"


def test_a_statement_from_the_future_is_by_a_clock_that_is_ahead() -> None:
    assert found(statement(NOON + TWO_YEARS)) == ClockFinding("ahead", 731 * 86_400_000)


def test_a_desk_that_knows_its_clock_to_be_ahead_is_believed_however_late_the_statement_comes() -> None:
    said = statement(NOON + TWO_YEARS - timedelta(days=20), **seen(TWO_YEARS))
    assert found(said) == ClockFinding("ahead", 731 * 86_400_000)


def test_a_desk_that_knows_its_clock_to_be_behind_is_believed() -> None:
    said = statement(NOON - TWO_YEARS, **seen(-TWO_YEARS))
    assert found(said) == ClockFinding("behind", -731 * 86_400_000)


def test_nothing_was_captured_before_the_device_was_paired() -> None:
    assert found(statement(PAIRED - timedelta(hours=1))) == ClockFinding("behind", -3_600_000)


def test_nothing_was_captured_before_the_round_that_it_names() -> None:
    said = statement(NOON - timedelta(days=2), beacon=beacon(NOON - timedelta(days=1)))
    assert found(said).word == "behind"
    assert found(replace(said, beacon=replace(said.beacon, chain=bytes(32)))).word == "unknown"  # type: ignore[type-var]


def test_a_round_of_no_year_says_nothing() -> None:
    assert found(statement(NOON, beacon=Beacon(QUICKNET.hash, canonical_json.MAX_INTEGER, bytes(48)))).word == "unknown"


@given(captured(), st.booleans())
def test_every_finding_reads_back_as_itself(said: Captured, at_once: bool) -> None:
    made = clock_finding(said, said.time if at_once else NOON, PAIRED)
    assert clock.read(Fields(clock.members(made), "clock")) == made


@pytest.mark.parametrize(
    ("word", "offset"), [("unknown", 0), ("agrees", None), ("agrees", 120_001), ("ahead", -130_000), ("slow", None)]
)
def test_a_finding_whose_word_is_not_its_offsets_is_refused(word: str, offset: int | None) -> None:
    with pytest.raises(FormatError):
        clock.read(Fields({"finding": word, "offset_ms": offset}, "clock"))


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (timedelta(days=730), "2 years ahead"),
        (-timedelta(days=400), "13 months behind"),
        (timedelta(days=45), "45 days ahead"),
        (timedelta(minutes=61), "61 minutes ahead"),
        (-timedelta(seconds=119), "2 minutes behind"),
        (timedelta(seconds=80), "80 seconds ahead"),
    ],
)
def test_the_distance_of_two_clocks_in_words(offset: timedelta, words: str) -> None:
    assert apart(offset // timedelta(milliseconds=1)) == words


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (ClockFinding("ahead", 63_072_000_000), "The desk’s clock was 2 years ahead of the box’s."),
        (ClockFinding("behind", -600_000), "The desk’s clock was 10 minutes behind the box’s."),
        (ClockFinding("agrees", -40), "The desk’s clock agreed with the box’s to 1 second."),
        (ClockFinding("agrees", 61_001), "The desk’s clock agreed with the box’s to 62 seconds."),
        (ClockFinding("unknown", None), "The desk’s clock had not been held against the box’s."),
    ],
)
def test_a_finding_is_one_sentence_for_people(finding: ClockFinding, words: str) -> None:
    assert sentence(finding) == words
