"""The timeline of a case: all that has a time, in order, page by page, and no more than each may see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from deedbox_server import cursor
from deedbox_server.cases.timeline import Timeline, TimelineAsked, TimelineEntry, TimelineSource
from deedbox_server.errors import BadRequest, Denied, NotFound
from deedbox_server.evidence.custody import Event, new_event
from deedbox_server.evidence.exhibits import actor_of
from deedbox_server.evidence.timeline_dates import ExhibitDate, replace_dates
from deedbox_server.people.principal import Principal
from deedbox_server.vault.key_store import KeyBatch
from deedbox_sync import uuid7
from kit.open_box import Office

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVERYTHING = TimelineAsked()


async def add_event(
    office: Office,
    title: str,
    starts: datetime,
    *,
    shared: bool = False,
    kind: str = "hearing",
    case: UUID | None = None,
) -> None:
    await office.box.database.insert_many(
        "case_event",
        ("id", "case_id", "kind", "title", "starts", "zone", "certainty", "shared", "version", "created", "made_by"),
        [
            (
                uuid7.new(),
                case or office.case.id,
                kind,
                title,
                starts,
                "America/Chicago",
                "minute",
                shared,
                1,
                starts,
                "account:x",
            )
        ],
    )


async def add_exhibit(office: Office, name: str = "plan.pdf") -> UUID:
    item = office.desk.item(name, name.encode())
    await office.box.intake.batch(office.desk.sender(office.owner.id), [item], wait=0)
    await office.settle()
    return (await office.box.exhibits.page(office.principal, limit=500))[-1].id


async def member(office: Office, name: str, standing: str, role: str) -> Principal:
    account = await office.box.accounts.create(name, standing, "a long enough passphrase")
    await office.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(office.case.id, account.id, role)]
    )
    return Principal("account", account.id, None, name, "test", standing)


async def entries(
    office: Office, asked: TimelineAsked = EVERYTHING, *, who: Principal | None = None, limit: int = 100
) -> list[TimelineEntry]:
    """All pages."""
    found: list[TimelineEntry] = []
    after = None
    while True:
        page = await office.box.timeline.page(who or office.principal, office.case.id, asked, after=after, limit=limit)
        found += page.entries
        if page.next is None:
            return found
        after = page.next


async def test_whatever_has_a_time_stands_in_its_order_with_its_source(desk_and_box: Office) -> None:
    box = desk_and_box.box
    exhibit = await add_exhibit(desk_and_box)
    await replace_dates(box.database, exhibit, [ExhibitDate("taken", NOON - timedelta(days=9), None, "exact", "exif")])
    await add_event(desk_and_box, "Hearing", NOON)
    await box.database.insert_many(
        "case_party",
        ("id", "case_id", "kind", "name", "organisation", "aliases", "contacts", "version", "created"),
        [
            (
                uuid7.new(),
                desk_and_box.case.id,
                "defendant",
                "Müller GmbH",
                True,
                "[]",
                "[]",
                1,
                NOON + timedelta(days=1),
            )
        ],
    )
    found = await entries(desk_and_box)
    assert [entry.time for entry in found] == sorted(entry.time for entry in found)
    assert [(entry.kind, entry.title) for entry in found[:3]] == [
        ("taken", "plan.pdf"),
        ("hearing", "Hearing"),
        ("party-added", "Müller GmbH"),
    ]
    assert {(entry.kind, entry.source) for entry in found[3:]} == {
        ("case-opened", "opened"),
        ("captured", "captures"),
        ("received", "receipts"),
    }
    assert {entry.exhibit for entry in found if entry.kind in ("taken", "captured", "received")} == {exhibit}
    assert (found[0].zone, found[0].said_by) == (None, "the picture's own data (Exif)")
    assert (found[1].zone, found[1].certainty) == ("America/Chicago", "minute")


async def test_pages_of_any_length_give_the_whole_once_in_either_order(desk_and_box: Office) -> None:
    await add_exhibit(desk_and_box)
    for number in range(7):  # some at one and the same time
        await add_event(desk_and_box, f"Event {number}", NOON + timedelta(hours=number // 3))
    for backwards in (False, True):
        asked = TimelineAsked(backwards=backwards)
        whole = await entries(desk_and_box, asked)
        assert len(whole) == 10
        for limit in (1, 2, 3, 9):
            assert await entries(desk_and_box, asked, limit=limit) == whole
        assert whole == sorted(whole, key=lambda entry: (entry.time, entry.id), reverse=backwards)


async def test_entries_of_one_time_and_id_in_two_sources_are_both_shown(desk_and_box: Office) -> None:
    exhibit = await add_exhibit(desk_and_box)
    await desk_and_box.box.database.execute("UPDATE exhibit SET captured = received WHERE id = {}", exhibit)
    asked = TimelineAsked(sources=("captures", "receipts"))
    forwards = await entries(desk_and_box, asked, limit=1)
    assert [entry.kind for entry in forwards] == ["captured", "received"]
    assert await entries(desk_and_box, replace(asked, backwards=True), limit=1) == forwards[::-1]


async def test_what_comes_between_two_pages_shifts_nothing(desk_and_box: Office) -> None:
    for number in range(4):
        await add_event(desk_and_box, f"Event {number}", NOON + timedelta(hours=number))
    asked = TimelineAsked(sources=("events",))
    timeline, case = desk_and_box.box.timeline, desk_and_box.case.id
    first = await timeline.page(desk_and_box.principal, case, asked, limit=2)
    await add_event(desk_and_box, "before", NOON - timedelta(hours=1))
    await add_event(desk_and_box, "between", NOON + timedelta(hours=1, minutes=30))
    second = await timeline.page(desk_and_box.principal, case, asked, after=first.next, limit=10)
    assert [entry.title for entry in first.entries + second.entries] == [
        "Event 0",
        "Event 1",
        "between",
        "Event 2",
        "Event 3",
    ]


async def test_it_is_narrowed_by_source_kind_and_time(desk_and_box: Office) -> None:
    await add_exhibit(desk_and_box)
    await add_event(desk_and_box, "Hearing", NOON)
    await add_event(desk_and_box, "Call", NOON + timedelta(hours=1), kind="telephone")
    assert {entry.source for entry in await entries(desk_and_box, TimelineAsked(sources=("events",)))} == {"events"}
    narrowed = await entries(desk_and_box, TimelineAsked(kinds=("telephone", "received")))
    assert [entry.kind for entry in narrowed] == ["telephone", "received"]
    within = TimelineAsked(since=NOON, until=NOON + timedelta(hours=1))
    assert [entry.title for entry in await entries(desk_and_box, within)] == ["Hearing"]


async def test_an_outsider_sees_what_was_shared_and_nothing_of_evidence(desk_and_box: Office) -> None:
    await add_exhibit(desk_and_box)
    await add_event(desk_and_box, "Strategy", NOON)
    await add_event(desk_and_box, "Mediation", NOON, shared=True)
    other = await member(desk_and_box, "Otto Other", "outsider", "opposing-counsel")
    assert [entry.title for entry in await entries(desk_and_box, who=other)] == ["Mediation"]


async def test_who_may_not_read_evidence_gets_a_timeline_without_it(desk_and_box: Office) -> None:
    await add_exhibit(desk_and_box)
    await add_event(desk_and_box, "Hearing", NOON)
    with_key = replace(desk_and_box.principal, scopes=frozenset({"case:read"}))
    found = await entries(desk_and_box, who=with_key)
    assert {entry.source for entry in found} == {"opened", "events"}
    assert all(entry.exhibit is None for entry in found)
    assert await entries(desk_and_box, TimelineAsked(sources=("captures",)), who=with_key) == []


async def test_a_case_behind_a_wall_is_one_that_is_not_there(desk_and_box: Office) -> None:
    account = await desk_and_box.box.accounts.create("Sam Stranger", "paralegal", "a long enough passphrase")
    stranger = Principal("account", account.id, None, account.name, "test", account.role)
    for case in (desk_and_box.case.id, uuid7.new()):
        with pytest.raises(NotFound):
            await desk_and_box.box.timeline.page(stranger, case, EVERYTHING)
    without_scope = replace(desk_and_box.principal, scopes=frozenset({"evidence:read"}))
    with pytest.raises(Denied):
        await desk_and_box.box.timeline.page(without_scope, desk_and_box.case.id, EVERYTHING)


async def test_nothing_of_another_case_is_on_it(desk_and_box: Office) -> None:
    other = await desk_and_box.box.cases.open(desk_and_box.principal, "2026-0002", "Another")
    await add_event(desk_and_box, "theirs", NOON, case=other.id)
    await add_event(desk_and_box, "ours", NOON)
    assert [entry.title for entry in await entries(desk_and_box, TimelineAsked(sources=("events",)))] == ["ours"]


async def test_a_case_that_was_opened_on_a_day_says_the_day(desk_and_box: Office) -> None:
    await desk_and_box.box.database.execute("UPDATE legal_case SET opened = {}, closed = {}", "2024-02-29", NOON)
    opened, closed = await entries(desk_and_box)
    assert (opened.time, opened.certainty, opened.zone) == (datetime(2024, 2, 29, tzinfo=UTC), "day", None)
    assert (closed.kind, closed.time, closed.certainty) == ("case-closed", NOON, "exact")


async def test_a_cursor_of_something_else_is_refused(desk_and_box: Office) -> None:
    too_far = cursor.encode(10**18, uuid7.new().hex, "events")
    for text in (
        "",
        "x" * 2000,
        cursor.encode("a"),
        cursor.encode(1, "x", "events"),
        cursor.encode(1, "x", "stars"),
        too_far,
    ):
        with pytest.raises(BadRequest):
            await desk_and_box.box.timeline.page(desk_and_box.principal, desk_and_box.case.id, EVERYTHING, after=text)


async def test_an_unknown_source_is_refused_and_an_unknown_kind_is_empty(desk_and_box: Office) -> None:
    with pytest.raises(BadRequest):
        await entries(desk_and_box, TimelineAsked(sources=("stars",)))
    assert await entries(desk_and_box, TimelineAsked(kinds=("nothing-of-that-kind",))) == []


async def test_a_name_is_registered_once_and_names_an_operation_that_is(desk_and_box: Office) -> None:
    timeline = Timeline(desk_and_box.box.database, desk_and_box.box.permissions)
    source = TimelineSource("notes", "case.read", "note", "time", "kind", "title", "'a note'")
    timeline.register(source)
    for wrong in (source, replace(source, name="more", operation="no.such"), replace(source, name="a'b")):
        with pytest.raises(ValueError, match="timeline source"):
            timeline.register(wrong)


async def test_exporting_an_exhibit_is_a_milestone_and_looking_at_it_is_none(desk_and_box: Office) -> None:
    exhibit = await add_exhibit(desk_and_box)
    await desk_and_box.box.exhibits.show(desk_and_box.principal, {exhibit: desk_and_box.case.id})
    asked = TimelineAsked(sources=("exhibit-dates",))
    assert await entries(desk_and_box, asked) == []
    box = desk_and_box.box
    async with box.database.transaction():
        await box.custody.append([await _exported(desk_and_box, exhibit)])
    (milestone,) = await entries(desk_and_box, asked)
    assert (milestone.kind, milestone.exhibit, milestone.said_by) == ("exported", exhibit, "the record of custody")
    await replace_dates(box.database, exhibit, [])  # read again: what custody says stays
    assert await entries(desk_and_box, asked) == [milestone]


async def _exported(office: Office, exhibit: UUID) -> Event:
    detail = {"bundle": str(uuid7.new()), "purpose": None}
    event = new_event(exhibit, office.case.id, "exported", actor_of(office.principal), detail)
    await office.box.keys.commit(KeyBatch(salts=[event.salts]))
    return event
