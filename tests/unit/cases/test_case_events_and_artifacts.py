"""Events and artifacts: in order, shared or not, bound to the case in the log."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cases_box import CasesBox, make_cases_box
from deedbox_server.cases.artifact import ArtifactChange, NewArtifact
from deedbox_server.cases.event import EventChange, NewEvent
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, NotFound, PreconditionFailed
from deedbox_server.people.principal import Principal
from deedbox_sync import case_record, uuid7

pytestmark = pytest.mark.anyio

NINE = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def box(database: Database) -> CasesBox:
    return make_cases_box(database)


async def outsider(box: CasesBox, case: object) -> Principal:
    person = box.person("outsider")
    await box.join(person, case, "court")  # type: ignore[arg-type]
    return person


async def test_events_stand_in_the_order_in_which_they_happened(box: CasesBox) -> None:
    case = await box.case("x")
    for hours in (2, 0, 1):
        await box.events.add(box.owner, case.id, NewEvent("call", f"{hours}", NINE + timedelta(hours=hours)))
    first = await box.events.of(box.owner, case.id, limit=2)
    assert [one.facts.title for one in first.items] == ["0", "1"]
    assert first.items[0].facts.starts == datetime(2026, 3, 1, 8, tzinfo=UTC)
    await box.events.add(box.owner, case.id, NewEvent("call", "before the cursor", NINE))
    rest = await box.events.of(box.owner, case.id, after=first.next, limit=2)
    assert [one.facts.title for one in rest.items] == ["2"]


NO_EVENTS = [
    NewEvent("call", "x", NINE, ends=NINE - timedelta(seconds=1)),
    NewEvent("call", "x", NINE, zone="Mars/Olympus"),
    NewEvent("call", "x", NINE, zone="../../etc/passwd"),
    NewEvent("call", "x", NINE, zone="\x00"),
    NewEvent("call", "x", datetime(2026, 3, 1)),
    NewEvent("call", "x", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))),
]


async def test_what_is_no_event_is_refused(box: CasesBox) -> None:
    case = await box.case("x")
    for event in NO_EVENTS:
        with pytest.raises(BadRequest):
            await box.events.add(box.owner, case.id, event)


async def test_an_event_is_changed_by_version_and_kept_when_removed(box: CasesBox) -> None:
    case = await box.case("x")
    made = await box.events.add(box.owner, case.id, NewEvent("call", "x", NINE, certainty="day", zone="Europe/Oslo"))
    changed = await box.events.change(box.owner, case.id, made.id, EventChange(title="y", certainty="exact"), 1)
    assert (changed.facts.title, changed.facts.certainty, changed.facts.zone) == ("y", "exact", "Europe/Oslo")
    with pytest.raises(PreconditionFailed):
        await box.events.remove(box.owner, case.id, made.id, 1)
    await box.events.remove(box.owner, case.id, made.id, 2)
    assert (await box.events.of(box.owner, case.id)).items == ()
    assert len((await box.events.of(box.owner, case.id, removed=True)).items) == 1


async def test_an_outsider_sees_what_is_shared_and_nothing_tells_of_the_rest(box: CasesBox) -> None:
    case = await box.case("x")
    court = await outsider(box, case.id)
    hidden = await box.events.add(box.owner, case.id, NewEvent("call", "inside", NINE))
    shown = await box.events.add(box.owner, case.id, NewEvent("hearing", "open", NINE, shared=True))
    gone = await box.events.add(box.owner, case.id, NewEvent("hearing", "gone", NINE, shared=True))
    await box.events.remove(box.owner, case.id, gone.id, 1)
    page = await box.events.of(court, case.id, removed=True, limit=1)
    assert ([one.id for one in page.items], page.next) == ([shown.id], None)
    for event in (hidden.id, gone.id, uuid7.new()):
        with pytest.raises(NotFound):
            await box.events.get(court, case.id, event)
    note = await box.artifacts.add(box.owner, case.id, NewArtifact("note", "inside", body="x"))
    open_note = await box.artifacts.add(box.owner, case.id, NewArtifact("note", "open", body="x", shared=True))
    assert [one.id for one in (await box.artifacts.of(court, case.id, limit=1)).items] == [open_note.id]
    for artifact in (note.id, uuid7.new()):
        with pytest.raises(NotFound):
            await box.artifacts.get(court, case.id, artifact)
    with pytest.raises(NotFound):
        await box.artifacts.records(court, case.id, open_note.id)


async def test_a_note_is_bound_to_its_case_in_the_log_with_each_of_its_texts(box: CasesBox) -> None:
    case = await box.case("x")
    made = await box.artifacts.add(box.owner, case.id, NewArtifact("note", "Call", body="She said no.\n"))
    changed = await box.artifacts.change(box.owner, case.id, made.id, ArtifactChange(body="She said yes."), 1)
    await box.artifacts.remove(box.owner, case.id, made.id, 2)
    assert (made.content, changed.content) == (
        hashlib.sha256(b"She said no.").digest(),
        hashlib.sha256(b"She said yes.").digest(),
    )
    bound = await box.artifacts.records(box.owner, case.id, made.id)
    entries = [(record, values) for kind, record, values in box.log.entries if kind == case_record.ENTRY_KIND]
    assert [one.id for one in bound] == [record for record, _ in entries]
    for one, (_, values) in zip(bound, entries, strict=True):
        assert case_record.committed_values(case_record.parse(one.record), one.record) == values
    told = [case_record.parse(one.record) for one in bound]
    assert [(one.action, one.version, one.content) for one in told] == [
        ("added", 1, made.content),
        ("changed", 2, changed.content),
        ("removed", 3, changed.content),
    ]


async def test_evidence_is_an_exhibit_of_this_case(box: CasesBox) -> None:
    case = await box.case("x")
    with pytest.raises(BadRequest, match="no such exhibit"):
        await box.artifacts.add(box.owner, case.id, NewArtifact("evidence", "x", exhibit=uuid7.new()))


NO_ARTIFACTS = [
    NewArtifact("evidence", "x"),
    NewArtifact("document", "x"),
    NewArtifact("note", "x"),
    NewArtifact("note", "x", body=" "),
    NewArtifact("note", "x", body="x", content="00" * 32),
    NewArtifact("document", "x", content="00" * 32, exhibit=uuid7.new()),
]


async def test_an_artifact_has_what_its_kind_has_and_no_more(box: CasesBox) -> None:
    case = await box.case("x")
    for artifact in NO_ARTIFACTS:
        with pytest.raises(BadRequest):
            await box.artifacts.add(box.owner, case.id, artifact)


async def test_only_a_documents_content_is_given(box: CasesBox) -> None:
    case = await box.case("x")
    paper = await box.artifacts.add(box.owner, case.id, NewArtifact("document", "Contract", content="11" * 32))
    changed = await box.artifacts.change(box.owner, case.id, paper.id, ArtifactChange(content="22" * 32), 1)
    assert changed.content == bytes.fromhex("22" * 32)
    note = await box.artifacts.add(box.owner, case.id, NewArtifact("note", "Call", body="x"))
    for wrong in (ArtifactChange(content="22" * 32), ArtifactChange(body=None)):
        with pytest.raises(BadRequest):
            await box.artifacts.change(box.owner, case.id, note.id, wrong, 1)
