"""Parties: what is kept of them, how they change, and that a removed one is still there for conflict checks."""

from uuid import UUID

import pytest

from cases_box import CasesBox, make_cases_box
from deedbox_server.cases.conflict import AskedName, NewCheck
from deedbox_server.cases.forgetting import forget_party
from deedbox_server.cases.party import Alias, Contact, NewParty, PartyChange
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, NotFound, PreconditionFailed
from deedbox_sync import uuid7

pytestmark = pytest.mark.anyio


@pytest.fixture
def box(database: Database) -> CasesBox:
    return make_cases_box(database)


async def test_a_party_is_read_as_it_was_written(box: CasesBox) -> None:
    case = await box.case("x")
    client = await box.party(case, "Acme Inc.", kind="client")
    facts = NewParty(
        "counsel",
        "Jane Doe",
        aliases=(Alias("Jane Roe", "former"),),
        contacts=(
            Contact("email", "jane@doe.example", "work"),
            Contact("phone", "+1 (212) 555-0100 ext 7"),
            Contact("address", "1 Main St\nNew York"),
        ),
        counsel_for=(client.id,),
        firm="Doe & Partners",
        bar_number="NY 123",
        notes="By phone only.",
    )
    made = await box.parties.add(box.owner, case.id, facts)
    assert made.facts == facts
    assert made == await box.parties.get(box.owner, case.id, made.id)
    assert [one.facts.name for one in (await box.parties.of(box.owner, case.id)).items] == ["Acme Inc.", "Jane Doe"]


async def test_a_contact_that_cannot_be_one_is_refused(box: CasesBox) -> None:
    case = await box.case("x")
    for kind, value in (("email", "nowhere"), ("email", "a@b@c"), ("phone", "call me"), ("other", "  ")):
        contacts = (Contact(kind, value),)  # type: ignore[arg-type]
        with pytest.raises(BadRequest):
            await box.parties.add(box.owner, case.id, NewParty("witness", "Jane", contacts=contacts))


async def test_counsel_stands_for_parties_of_this_case_and_not_for_itself(box: CasesBox) -> None:
    case, other = await box.case("x"), await box.case("y")
    elsewhere = await box.party(other, "Elsewhere")
    counsel = await box.party(case, "Counsel", kind="counsel")
    for wrong in (elsewhere.id, counsel.id, uuid7.new()):
        with pytest.raises(BadRequest):
            await box.parties.change(box.owner, case.id, counsel.id, PartyChange(counsel_for=(wrong,)), 1)


async def test_a_party_of_another_case_is_not_here(box: CasesBox) -> None:
    case, other = await box.case("x"), await box.case("y")
    party = await box.party(other, "Elsewhere")
    for of_case, one in ((case.id, party.id), (case.id, uuid7.new())):
        with pytest.raises(NotFound):
            await box.parties.get(box.owner, of_case, one)


async def test_a_changed_name_is_found_and_the_old_one_is_not(box: CasesBox) -> None:
    case = await box.case("x")
    party = await box.party(case, "Jane Doe")
    changed = await box.parties.change(box.owner, case.id, party.id, PartyChange(name="Zelda Quist"), 1)
    assert changed.version == 2
    assert [one.case.id for one in (await box.search.find(box.owner, "zelda")).page.items] == [case.id]
    assert (await box.search.find(box.owner, "jane")).page.items == ()
    with pytest.raises(PreconditionFailed):
        await box.parties.change(box.owner, case.id, party.id, PartyChange(name="Late"), 1)


async def test_a_removed_party_is_out_of_lists_and_search_but_not_out_of_conflict_checks(box: CasesBox) -> None:
    case = await box.case("x")
    party = await box.party(case, "Jane Doe")
    await box.parties.remove(box.owner, case.id, party.id, 1)
    assert (await box.parties.of(box.owner, case.id)).items == ()
    (kept,) = (await box.parties.of(box.owner, case.id, removed=True)).items
    assert kept.removed == box.clock()
    assert (await box.search.find(box.owner, "jane doe")).page.items == ()
    (hit,) = (await box.conflicts.check(box.owner, NewCheck("new", (AskedName("Jane Doe"),)))).hits
    assert (hit.how, hit.party_removed) == ("exact", True)
    with pytest.raises(Conflict):
        await box.parties.remove(box.owner, case.id, party.id, 2)


async def test_a_forgotten_party_leaves_no_word_of_its_name(box: CasesBox) -> None:
    case = await box.case("Matter")
    party = await box.party(case, "Zelda Quist", "Zed")
    await box.conflicts.check(box.owner, NewCheck("new", (AskedName("Quist"),)))
    async with box.db.transaction():
        await forget_party(box.db, party.id)
    for table, column in (
        ("case_word", "word"),
        ("case_word_trigram", "word"),
        ("case_posting", "word"),
        ("party_name_word", "word"),
        ("party_name", "name"),
        ("conflict_hit", "found"),
    ):
        rows = await box.db.fetch(f"SELECT {column} AS text FROM {table}")
        assert not any("quist" in row["text"].lower() or "zelda" in row["text"].lower() for row in rows), table
    assert [one.case.id for one in (await box.search.find(box.owner, "matter")).page.items] == [case.id]


async def test_pages_of_parties_are_whole_and_without_repetition(box: CasesBox) -> None:
    case = await box.case("x")
    names = [(await box.party(case, f"Party {place}")).id for place in range(5)]
    seen: list[UUID] = []
    after = None
    while True:
        page = await box.parties.of(box.owner, case.id, after=after, limit=2)
        seen += [one.id for one in page.items]
        after = page.next
        if after is None:
            break
    assert seen == names
    with pytest.raises(BadRequest):
        await box.parties.of(box.owner, case.id, after="nonsense")
    with pytest.raises(BadRequest):
        await box.parties.of(box.owner, case.id, limit=0)
