"""The life line's geometry: order is kept, words have room, and the two ends are the two ends."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.evidence.life_line import Moment, in_words, positions

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
spans = st.floats(0, 1e9).map(lambda seconds: timedelta(seconds=seconds))


def moments(gaps: list[timedelta], room: float = 0.0) -> list[Moment]:
    times = itertools.accumulate(gaps, initial=NOON)
    return [Moment("viewed", time, room) for time in times]


@given(st.lists(spans, min_size=1, max_size=30))
def test_moments_stand_in_their_order_between_the_ends(gaps: list[timedelta]) -> None:
    places = positions(moments(gaps))
    assert places[0] == 0.0
    assert places[-1] == pytest.approx(1.0)
    assert all(before < after for before, after in itertools.pairwise(places))


@given(st.lists(spans, min_size=1, max_size=4))
def test_words_have_their_room(gaps: list[timedelta]) -> None:
    places = positions(moments(gaps, room=0.2))
    assert all(after - before >= 0.2 - 1e-9 for before, after in itertools.pairwise(places))


def test_more_words_than_there_is_room_for_share_it() -> None:
    places = positions(moments([timedelta(seconds=1)] * 10, room=0.2))
    assert [round(after - before, 6) for before, after in itertools.pairwise(places)] == [0.1] * 10


def test_a_longer_time_is_a_longer_way() -> None:
    places = positions(moments([timedelta(seconds=1), timedelta(days=1), timedelta(days=1000)]))
    steps = [after - before for before, after in itertools.pairwise(places)]
    assert steps == sorted(steps)


def test_a_clock_that_was_ahead_leads_nowhere_back() -> None:
    places = positions([Moment("captured", NOON), Moment("received", NOON - timedelta(hours=1))])
    assert places == (0.0, 1.0)


@pytest.mark.parametrize("count", [0, 1])
def test_a_line_with_nothing_between_its_ends(count: int) -> None:
    assert positions(moments([])[:count]) == (0.0,) * count


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "under a second"),
        (0.4, "under a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7199, "1 hour"),
        (86_400 * 2, "2 days"),
        (86_400 * 40, "1 month"),
        (86_400 * 800, "2 years"),
    ],
)
def test_durations_are_words(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
