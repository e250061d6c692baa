"""A case from its opening to its archive: facts, versions, states, what a closed one refuses."""

from datetime import UTC, date, datetime

import pytest

from cases_box import CasesBox, make_cases_box
from deedbox_server.cases import CaseChange, NewCase
from deedbox_server.cases.artifact import NewArtifact
from deedbox_server.cases.event import NewEvent
from deedbox_server.cases.party import NewParty
from deedbox_server.cases.states import CaseClosed
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed
from deedbox_sync import uuid7

pytestmark = pytest.mark.anyio


@pytest.fixture
def box(database: Database) -> CasesBox:
    return make_cases_box(database)


async def test_a_case_is_read_as_it_was_opened_in_normal_form(box: CasesBox) -> None:
    made = await box.case(
        "  Łukasz  v. Acme ",
        client="Łukasz Nowak",
        docket="Case No. 1:26 – cv – 00123",
        labels=("Urgent", "urgent", "tax"),
        opened=date(2026, 2, 1),
    )
    assert made == await box.cases.get(box.owner, made.id)
    assert (made.title, made.docket, made.labels) == ("Łukasz v. Acme", "1:26-cv-00123", ("Urgent", "tax"))
    assert (made.opened, made.version, made.state) == (date(2026, 2, 1), 1, "open")
    assert box.log.kinds == ["case.opened"]
    assert [operation for _, operation, _ in box.trail.records] == ["case.create"]


async def test_a_title_that_is_no_title_is_refused(box: CasesBox) -> None:
    for title in ("", "   ", "x" * 501, "a\x00b", "a\x1bb"):
        with pytest.raises(BadRequest):
            await box.case(title)


async def test_a_change_touches_what_it_names_and_raises_the_version(box: CasesBox) -> None:
    made = await box.case("First title", client="Acme", court="High Court")
    changed = await box.cases.change(box.owner, made.id, CaseChange(title="Second", court=None), 1)
    assert (changed.title, changed.court, changed.client, changed.version) == ("Second", None, "Acme", 2)
    _, _, detail = box.trail.records[-1]
    assert detail == {
        "after": {"court": None, "title": "Second"},
        "before": {"court": "High Court", "title": "First title"},
    }


async def test_who_was_slower_changes_nothing(box: CasesBox) -> None:
    made = await box.case("x")
    await box.cases.change(box.owner, made.id, CaseChange(title="faster"), 1)
    with pytest.raises(PreconditionFailed):
        await box.cases.change(box.owner, made.id, CaseChange(title="slower"), 1)
    with pytest.raises(PreconditionFailed):
        await box.cases.step(box.owner, made.id, "close", "done", 1)
    assert (await box.cases.get(box.owner, made.id)).title == "faster"


async def test_a_case_is_closed_archived_and_reopened_each_with_a_reason(box: CasesBox) -> None:
    made = await box.case("x")
    closed = await box.cases.step(box.owner, made.id, "close", "settled", 1)
    assert (closed.state, closed.closed, closed.state_reason) == ("closed", box.clock(), "settled")
    archived = await box.cases.step(box.owner, made.id, "archive", "seven years", 2)
    assert (archived.state, archived.closed) == ("archived", closed.closed)
    reopened = await box.cases.step(box.owner, made.id, "reopen", "new evidence", 3)
    assert (reopened.state, reopened.closed) == ("open", None)
    with pytest.raises(BadRequest):
        await box.cases.step(box.owner, made.id, "close", "  ", 4)


async def test_a_step_that_the_state_does_not_allow_is_refused(box: CasesBox) -> None:
    for steps, refused in (((), "archive"), ((), "reopen"), (("close",), "close"), (("close", "archive"), "archive")):
        made = await box.case("x")
        for place, step in enumerate(steps, start=1):
            await box.cases.step(box.owner, made.id, step, "why", place)
        with pytest.raises(Conflict):
            await box.cases.step(box.owner, made.id, refused, "why", 1 + len(steps))


async def test_a_closed_case_can_be_read_and_takes_no_work(box: CasesBox) -> None:
    made = await box.case("x")
    party = await box.party(made, "Jane Doe")
    await box.cases.step(box.owner, made.id, "close", "done", 1)
    event = NewEvent("hearing", "Hearing", datetime(2026, 3, 1, tzinfo=UTC))
    for work in (
        box.cases.change(box.owner, made.id, CaseChange(title="y"), 2),
        box.parties.add(box.owner, made.id, NewParty("witness", "Late")),
        box.parties.remove(box.owner, made.id, party.id, 1),
        box.events.add(box.owner, made.id, event),
        box.artifacts.add(box.owner, made.id, NewArtifact("note", "Late", body="x")),
    ):
        with pytest.raises(CaseClosed):
            await work
    assert (await box.parties.of(box.owner, made.id)).items == (party,)


async def test_a_relation_is_told_from_both_sides_and_taken_away_from_both(box: CasesBox) -> None:
    trial, appeal = await box.case("Trial"), await box.case("Appeal")
    await box.relations.add(box.owner, appeal.id, trial.id, "appeal-of")
    (seen,) = await box.relations.of(box.owner, trial.id)
    assert (seen.kind, seen.other, seen.title) == ("appealed-in", appeal.id, "Appeal")
    for wrong in (
        box.relations.add(box.owner, appeal.id, trial.id, "cousin"),
        box.relations.add(box.owner, appeal.id, appeal.id, "related"),
    ):
        with pytest.raises(BadRequest):
            await wrong
    with pytest.raises(Conflict):
        await box.relations.add(box.owner, trial.id, appeal.id, "appealed-in")
    await box.relations.remove(box.owner, trial.id, appeal.id, "appealed-in")
    assert await box.relations.of(box.owner, appeal.id) == []
    with pytest.raises(NotFound):
        await box.relations.remove(box.owner, appeal.id, trial.id, "appeal-of")


async def test_a_related_case_that_one_does_not_see_is_not_told(box: CasesBox) -> None:
    open_case, secret = await box.case("Open"), await box.case("Secret")
    await box.relations.add(box.owner, open_case.id, secret.id, "related")
    paralegal = box.person("paralegal")
    await box.join(paralegal, open_case.id)
    assert await box.relations.of(paralegal, open_case.id) == []
    barred, absent = secret.id, uuid7.new()
    for other in (barred, absent):
        with pytest.raises(NotFound):
            await box.relations.add(paralegal, open_case.id, other, "related")


async def test_an_outsider_gets_the_card_and_nothing_of_the_firm(box: CasesBox) -> None:
    made = await box.case("x", client="Acme", court="High Court")
    counsel = box.person("outsider")
    await box.join(counsel, made.id, "opposing-counsel")
    assert (await box.cases.get(counsel, made.id)).outside
    for barred in (
        box.parties.of(counsel, made.id),
        box.relations.of(counsel, made.id),
        box.cases.create(counsel, NewCase("own")),
    ):
        with pytest.raises(Denied):
            await barred
