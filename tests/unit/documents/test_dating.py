"""When exhibits say that they were made: from their facts, on the timeline, also for what was read long ago."""

from datetime import UTC, datetime

import pytest

from deedbox_server.cases.timeline import TimelineAsked
from deedbox_server.documents.dating import dates_of
from deedbox_server.documents.dating_again import date_what_was_read
from deedbox_server.documents.derived import FACTS, JSON_TYPE, encode_facts
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.evidence.timeline_dates import ExhibitDate
from deedbox_sync.canonical_json import Json
from kit.open_box import Office

pytestmark = pytest.mark.anyio

DAY = (2026, 5, 4)


def picture(**facts: Json) -> tuple[ExhibitDate, ...]:
    return dates_of({"kind": "picture", **facts})


def mail(date: str) -> tuple[ExhibitDate, ...]:
    return dates_of({"kind": "mail", "headers": {"Date": date}})


def test_a_picture_without_a_zone_is_dated_by_a_clock_of_unknown_zone() -> None:
    (taken,) = picture(taken="2026:05:04 14:03:22")
    assert taken == ExhibitDate("taken", datetime(*DAY, 14, 3, 22, tzinfo=UTC), None, "exact", "exif")


def test_a_picture_with_a_zone_is_dated_in_it() -> None:
    (taken,) = picture(taken="2026:05:04 14:03:22", taken_zone="-05:00")
    assert (taken.time, taken.zone) == (datetime(*DAY, 19, 3, 22, tzinfo=UTC), "-05:00")


def test_the_time_of_satellites_is_utc_and_a_later_writing_is_a_date_of_its_own() -> None:
    found = picture(taken="2026:05:04 14:03:22", written="2026:05:05 09:00:00", gps={"time_utc": "2026:05:04 19:03:20"})
    assert [(date.kind, date.zone, date.source) for date in found] == [
        ("taken", None, "exif"),
        ("written", None, "exif"),
        ("located", "UTC", "gps"),
    ]
    assert len(picture(taken="2026:05:04 14:03:22", written="2026:05:04 14:03:22")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "2026:13:04 14:03:22",
        "yesterday",
        "",
        "    :  :     :  :  ",
        "1799:01:01 00:00:00",
        7,
        None,
    ],
)
def test_what_is_no_time_is_no_date(text: Json) -> None:
    assert picture(taken=text, gps={"time_utc": text}) == ()


@pytest.mark.parametrize(
    ("date", "hour", "zone"),
    [
        ("Mon, 4 May 2026 10:00:00 +0200", 8, "+02:00"),
        ("Mon, 4 May 2026 10:00:00 -0530", 15, "-05:30"),
        ("Mon, 4 May 2026 10:00:00 -0000", 10, None),
        ("Mon, 4 May 2026 10:00:00 GMT", 10, "+00:00"),
    ],
)
def test_a_mail_is_dated_by_its_header_in_the_zone_that_it_names(date: str, hour: int, zone: str | None) -> None:
    (sent,) = mail(date)
    assert (sent.kind, sent.time.hour, sent.zone, sent.source) == ("sent", hour, zone, "mail")


@pytest.mark.parametrize("date", ["", "no date", "Mon, 4 May 1201 10:00:00 +0200", "Mon, 4 May 2026 10:00:00 +9900"])
def test_a_mail_with_a_senseless_date_has_none(date: str) -> None:
    assert mail(date) == ()


def test_facts_of_other_kinds_have_no_dates() -> None:
    assert dates_of({"kind": "pdf", "pages": 3}) == ()
    assert dates_of({}) == ()
    assert dates_of({"kind": "mail", "headers": None}) == ()


async def test_what_was_read_before_there_were_timelines_is_dated_once(desk_and_box: Office) -> None:
    box = desk_and_box.box
    sender = desk_and_box.desk.sender(desk_and_box.owner.id)
    await box.intake.batch(
        sender, [desk_and_box.desk.item("a.jpg", b"a"), desk_and_box.desk.item("b.jpg", b"b")], wait=0
    )
    await desk_and_box.settle()
    first, second = await box.exhibits.page(desk_and_box.principal)
    facts = encode_facts({"kind": "picture", "taken": "2026:05:04 14:03:22"})
    for exhibit in (first, second):
        await box.deriver.add_derived(exhibit.id, [DerivedDraft(FACTS, JSON_TYPE, facts, "tests 1")])
    # The bytes of one are damaged: that hides nothing of the other.
    await box.database.execute(
        "UPDATE blob SET size = size + 1 WHERE id IN (SELECT blob FROM derived WHERE exhibit = {})", first.id
    )
    assert await date_what_was_read(box.database, box.reading.date_exhibit) == 2
    assert await date_what_was_read(box.database, box.reading.date_exhibit) == 0
    asked = TimelineAsked(kinds=("taken",))
    (entry,) = (await box.timeline.page(desk_and_box.principal, desk_and_box.case.id, asked)).entries
    assert (entry.exhibit, entry.title, entry.zone) == (second.id, "b.jpg", None)
