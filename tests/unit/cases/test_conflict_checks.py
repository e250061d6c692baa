"""Conflict checks: what meets what, who sees it, and how it is settled."""

import pytest

from cases_box import CasesBox, make_cases_box
from deedbox_server.cases import NewCase
from deedbox_server.cases.conflict import OFFICER, AskedName, Check, Hit, NewCheck
from deedbox_server.cases.conflict_match import compare
from deedbox_server.cases.folding import name
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed
from deedbox_server.people.principal import Principal
from deedbox_sync import uuid7

pytestmark = pytest.mark.anyio

KNOWN = [  # a name in a case, names that are it, and how each is met
    ("Müller GmbH", {"Mueller": "exact", "MULLER GmbH & Co. KG": "exact", "Miller": "near"}),
    ("Johan Ødegård", {"Odegaard, Johan": "exact", "J. Ødegård": "initials", "Johann Odegard": "near"}),
    ("Łukasz Nowak", {"Lukasz Nowak": "exact", "Lukas Novak": "near"}),
    ("Арсений Иванов", {"Arseniy Ivanov": "exact", "Arsenij Iwanow": "near"}),
    ("李小龙", {"Li Xiaolong": "exact", "Xiaolong Li": "exact", "Lee Xiaolong": "near"}),
    ("محمد الخطيب", {"Mohammed Al-Khatib": "near", "Muhammad Khatib": "near"}),
    ("Catherine O’Brien", {"Katherine OBrien": "near", "C. O'Brien": "initials", "O'Brien": "part"}),
    ("Northwind Traders International, Inc.", {"Nortwind Traders": "near", "Northwind Traders": "part"}),
    ("Jean-Pierre Dupont", {"Jean Pierre Dupond": "near", "Dupont": "part"}),
    ("Acme L.L.C.", {"The Acme Company": "exact"}),
]
STRANGERS = ["Peter Quill", "Zenith Mutual", "王芳", "Ольга Кузнецова", "Robert Baker", "Umbrella Logistics Ltd"]


@pytest.fixture
def box(database: Database) -> CasesBox:
    return make_cases_box(database)


async def ask(box: CasesBox, principal: Principal, *names: str) -> Check:
    return await box.conflicts.check(principal, NewCheck("New matter", tuple(AskedName(one) for one in names)))


async def test_every_known_way_of_writing_a_name_is_met_and_strangers_are_not(box: CasesBox) -> None:
    made = await box.case("x")
    for known, _ in KNOWN:
        await box.party(made, known)
    check = await ask(box, box.owner, *(one for _, names in KNOWN for one in names))
    met = {(hit.asked, hit.found): hit.how for hit in check.hits}
    for known, names in KNOWN:
        for asked, how in names.items():
            assert (asked, known) in met, f"{asked} did not meet {known}"
            found = "near" if met[asked, known] in ("phonetic", "fuzzy") else met[asked, known]
            assert (found, asked) == (how, asked)
    wrong = {pair for pair in met if pair[0] not in dict(KNOWN)[pair[1]]}
    assert wrong <= {("Miller", "Müller GmbH")}
    assert (await ask(box, box.owner, *STRANGERS)).hits == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [("John Smith", "John Miller"), ("State Farm Insurance", "Allstate Insurance Holdings"), ("J. Doe", "J. Roe")],
)
def test_names_that_share_a_common_word_are_two_names(one: str, other: str) -> None:
    assert compare(name(one), name(other)) is None


def test_a_surer_way_is_told_of_two() -> None:
    exact, part = compare(name("Jane Doe"), name("Doe, Jane")), compare(name("Doe"), name("Jane Doe"))
    assert exact is not None
    assert part is not None
    assert exact.sure > part.sure


async def test_clients_and_aliases_are_met_and_the_case_itself_is_not(box: CasesBox) -> None:
    made = await box.case("x", client="Quist Holding AS")
    await box.party(made, "Jane Doe", "Janet Roe")
    asked = NewCheck("new", (AskedName("Nobody", aliases=("Quist Holding", "Janet Roe")),))
    hits = (await box.conflicts.check(box.owner, asked)).hits
    assert {(hit.asked, hit.name_kind) for hit in hits} == {("Quist Holding", "client"), ("Janet Roe", "alias")}
    own = NewCheck("again", asked.names, made.id)
    assert (await box.conflicts.check(box.owner, own)).hits == ()


# --- who sees what


async def seen(box: CasesBox, principal: Principal, check: Check) -> set[str]:
    return {hit.found for hit in (await box.conflicts.get(principal, check.id)).hits}


def told(check: Check) -> tuple[object, ...]:
    """All that an asker is told, but for what differs between any two checks."""
    hits = [(hit.case, hit.party, hit.asked, hit.found, hit.how, hit.sure, hit.result) for hit in check.hits]
    return (check.subject, check.names, check.state, check.outcome, check.reason, check.settled, hits)


@pytest.mark.parametrize("how", ["wall", "membership"])
async def test_a_hit_behind_a_wall_is_for_the_officer_alone(box: CasesBox, how: str) -> None:
    asker = box.person("administrator" if how == "wall" else "paralegal")
    officer = box.person("attorney", OFFICER)
    mine = await box.case("Mine")
    await box.join(asker, mine.id)
    await box.party(mine, "Jane Doe")
    before = await ask(box, asker, "Jane Doe", "Zelda Quist")
    secret = await box.case("Secret", client="Zelda Quist")
    await box.party(secret, "Zelda Quist")
    await box.party(secret, "Jane Doe")
    if how == "wall":
        await box.bar(asker, secret.id)
    after = await ask(box, asker, "Jane Doe", "Zelda Quist")
    assert told(before) == told(after)
    assert len(after.hits) == 1
    assert await seen(box, officer, before) == {"Jane Doe"}
    assert await seen(box, officer, after) == {"Jane Doe", "Zelda Quist"}
    assert len((await box.conflicts.get(officer, after.id)).hits) == 4


async def test_hits_behind_a_wall_take_no_place_of_those_before_it(
    box: CasesBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deedbox_server.cases.conflicts.MAX_HITS", 1)
    asker = box.person("paralegal")
    for _ in range(3):
        await box.party(await box.case("Secret"), "Jane Doe")
    mine = await box.case("Mine")
    await box.join(asker, mine.id)
    await box.party(mine, "Jane Doe")
    assert [hit.case for hit in (await ask(box, asker, "Jane Doe")).hits] == [mine.id]


async def test_a_check_is_its_askers_and_the_officers(box: CasesBox) -> None:
    asker, colleague, officer = box.person("paralegal"), box.person("attorney"), box.person("attorney", OFFICER)
    check = await ask(box, asker, "Jane Doe")
    for unknown in (check.id, uuid7.new()):
        with pytest.raises(NotFound):
            await box.conflicts.get(colleague, unknown)
    assert [one.id for one in (await box.conflicts.of(asker)).items] == [check.id]
    assert (await box.conflicts.of(colleague)).items == ()
    assert [one.id for one in (await box.conflicts.of(officer, state="open")).items] == [check.id]
    for role in ("investigator", "auditor", "outsider"):
        with pytest.raises(Denied):
            await ask(box, box.person(role), "Jane Doe")


async def test_the_officer_settles_each_hit_and_then_the_check(box: CasesBox) -> None:
    asker, officer = box.person("paralegal"), box.person("attorney", OFFICER)
    await box.party(await box.case("Secret"), "Jane Doe")
    check = await ask(box, asker, "Jane Doe")
    (hit,) = (await box.conflicts.get(officer, check.id)).hits
    with pytest.raises(Conflict):
        await box.conflicts.settle(officer, check.id, "cleared", None, 1)
    with pytest.raises(BadRequest):
        await box.conflicts.settle_hit(officer, check.id, hit.id, "waived", None, 1)
    waived = await box.conflicts.settle_hit(officer, check.id, hit.id, "waived", "Both clients agreed.", 1)
    assert [(one.result, one.settled_by) for one in waived.hits] == [("waived", officer.name)]
    with pytest.raises(PreconditionFailed):
        await box.conflicts.settle(officer, check.id, "cleared", None, 1)
    await box.conflicts.settle(officer, check.id, "waived", "With consent.", 2)
    heard = await box.conflicts.get(asker, check.id)
    assert (heard.state, heard.outcome, heard.reason, heard.hits) == ("settled", "waived", "With consent.", ())
    with pytest.raises(Conflict):
        await box.conflicts.settle_hit(officer, check.id, hit.id, "cleared", None, 3)
    operations = [operation for _, operation, _ in box.trail.records]
    assert operations[-3:] == ["conflict.check", "conflict.settle", "conflict.settle"]


async def test_who_is_no_officer_settles_nothing_and_learns_nothing(box: CasesBox) -> None:
    attorney = box.person("attorney")
    check = await ask(box, attorney, "Jane Doe")
    for one in (check.id, uuid7.new()):
        with pytest.raises(Denied):
            await box.conflicts.settle(attorney, one, "cleared", None, 1)


async def test_the_trail_names_nobody_who_was_met(box: CasesBox) -> None:
    await box.party(await box.case("Secret"), "Jane Doe")
    await ask(box, box.person("paralegal"), "Jane Doe")
    _, operation, detail = box.trail.records[-1]
    assert (operation, detail) == ("conflict.check", {"names": 1})


async def test_a_case_is_opened_after_its_check_and_a_check_belongs_to_one_case(box: CasesBox) -> None:
    asker = box.person("paralegal")
    check = await ask(box, asker, "Jane Doe")
    made = await box.cases.create(asker, NewCase("Doe", conflict_check=check.id))
    assert (await box.conflicts.get(asker, check.id)).case == made.id
    with pytest.raises(Conflict):
        await box.cases.create(asker, NewCase("Doe", conflict_check=check.id))
    with pytest.raises(NotFound):
        await box.cases.create(box.owner, NewCase("Doe", conflict_check=check.id))


def test_a_hit_is_plain_to_read() -> None:
    assert {"asked", "found", "how", "sure"} <= set(Hit.__dataclass_fields__)
