from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import timestamp
from deedbox_sync.errors import FormatError, SyncError
from sync_samples import times


@given(times)
def test_a_time_reads_back_as_itself(time: datetime) -> None:
    assert timestamp.parse(timestamp.encode(time)) == time


def test_the_form_has_six_decimals_and_z() -> None:
    assert timestamp.encode(datetime(2026, 3, 14, 9, 5, tzinfo=UTC)) == "2026-03-14T09:05:00.000000Z"
    assert timestamp.encode(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


def test_other_zones_are_turned_to_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert timestamp.encode(datetime(2026, 3, 14, 0, 30, tzinfo=berlin)) == "2026-03-13T23:30:00.000000Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(FormatError, match="no zone"):
        timestamp.encode(datetime(2026, 3, 14))


def test_a_time_whose_utc_is_before_year_one_is_refused() -> None:
    with pytest.raises(FormatError):
        timestamp.encode(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-14T09:05:00Z",
        "2026-03-14T09:05:00.000Z",
        "2026-03-14T09:05:00.0000000Z",
        "2026-03-14T09:05:00.000000+00:00",
        "2026-03-14t09:05:00.000000z",
        "2026-03-14 09:05:00.000000Z",
        "2026-03-14T09:05:60.000000Z",
        "2026-03-14T24:00:00.000000Z",
        "2026-02-29T09:05:00.000000Z",
        "0000-01-01T00:00:00.000000Z",
        "2026-W11-6T09:05:00.000000Z",
        "2026-03-14T09:05:00.00000٠Z",
        "2026-03-14T09:05:00.000000Z\n",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        timestamp.parse(text)


@given(st.text("0123456789-T:.Z", min_size=20, max_size=28))
def test_garbage_is_refused_or_is_the_wire_form(text: str) -> None:
    try:
        time = timestamp.parse(text)
    except SyncError:
        return
    assert timestamp.encode(time) == text
