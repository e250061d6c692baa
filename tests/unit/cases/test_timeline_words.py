"""Times as people read them."""

from datetime import UTC, datetime

import pytest

from deedbox_server.cases.timeline_words import in_words

TIME = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "certainty", "words"),
    [
        ("UTC", "exact", "4 May 2026, 03:02:01 (UTC)"),
        ("+02:00", "exact", "4 May 2026, 05:02:01 (+02:00)"),
        ("-05:30", "minute", "3 May 2026, 21:32 (-05:30)"),
        ("America/Chicago", "minute", "3 May 2026, 22:02 (America/Chicago)"),
        (None, "exact", "4 May 2026, 03:02:01 (zone not told)"),
        ("", "minute", "4 May 2026, 03:02 (zone not told)"),
        ("Mars/Olympus", "exact", "4 May 2026, 03:02:01 (UTC)"),
        (None, "day", "4 May 2026"),
        ("America/Chicago", "day", "3 May 2026"),
        (None, "month", "May 2026"),
        (None, "year", "2026"),
        (None, "about", "about 4 May 2026"),
    ],
)
def test_a_time_is_told_no_more_exactly_than_it_is(zone: str | None, certainty: str, words: str) -> None:
    assert in_words(TIME, zone, certainty) == words


def test_the_first_day_of_all_is_told_in_utc_where_it_has_no_day_before() -> None:
    assert in_words(datetime(1, 1, 1, tzinfo=UTC), "-05:00", "exact") == "1 January 0001, 00:00:00 (UTC)"
