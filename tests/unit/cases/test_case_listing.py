"""Lists and search: filters, sorts, cursors, spelling; and that a case which one does not see shifts nothing."""

from datetime import date
from typing import Any

import pytest

from cases_box import CasesBox, make_cases_box
from deedbox_server.cases import CaseChange
from deedbox_server.cases.listing import SORTS, Wanted
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest
from deedbox_server.people.principal import Principal

pytestmark = pytest.mark.anyio


@pytest.fixture
def box(database: Database) -> CasesBox:
    return make_cases_box(database)


async def numbers(box: CasesBox, principal: Principal | None = None, **wanted: Any) -> list[str]:
    """All pages of a list, two cases each."""
    found: list[str] = []
    after = None
    while True:
        page = await box.listing.page(principal or box.owner, Wanted(**wanted, after=after, limit=2))
        found += [case.number for case in page.items]
        after = page.next
        if after is None:
            return found


async def three(box: CasesBox) -> None:
    await box.case("Übel v. Acme", number="C", client="Acme Inc.", opened=date(2026, 1, 1), labels=("Tax",))
    box.clock.pass_time(days=1)
    await box.case("apple", number="A", kind="litigation", court="U.S. District Court", opened=date(2026, 2, 1))
    box.clock.pass_time(days=1)
    await box.case("Zebra", number="B", client="ACME", opened=date(2025, 1, 1))


async def test_each_sort_goes_both_ways_over_pages(box: CasesBox) -> None:
    await three(box)
    for sort, expected in (("number", "ABC"), ("title", "ACB"), ("opened", "BCA"), ("updated", "CAB")):
        assert await numbers(box, sort=sort) == list(expected), sort
        assert await numbers(box, sort=f"-{sort}") == list(reversed(expected)), sort


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"state": "open"}, "ABC"),
    ({"state": "closed"}, ""),
    ({"client": "acme, inc"}, "BC"),
    ({"kind": "litigation"}, "A"),
    ({"court": "us district court"}, "A"),
    ({"label": "TAX"}, "C"),
    ({"opened_from": date(2026, 1, 1)}, "AC"),
    ({"opened_to": date(2026, 1, 1)}, "B"),
    ({"client": "Acme", "label": "tax"}, "C"),
]


async def test_filters_leave_what_fits(box: CasesBox) -> None:
    await three(box)
    for wanted, expected in FILTERS:
        assert await numbers(box, **wanted) == list(expected), wanted


async def test_of_members_and_of_times(box: CasesBox) -> None:
    await three(box)
    paralegal = box.person("paralegal")
    start = box.clock()
    box.clock.pass_time(hours=1)
    last = await box.case("last", number="D")
    await box.join(paralegal, last.id)
    assert await numbers(box, member=paralegal.account) == ["D"]
    assert await numbers(box, updated_from=box.clock()) == ["D"]
    assert await numbers(box, updated_to=start) == ["A", "C"]


async def test_rows_that_come_meanwhile_shift_nothing(box: CasesBox) -> None:
    await three(box)
    wholes = {sort: await numbers(box, sort=sort) for sort in SORTS}
    pages = {sort: await box.listing.page(box.owner, Wanted(sort=sort, limit=2)) for sort in SORTS}
    await box.case("aaa", number="0", opened=date(2000, 1, 1))
    for sort, page in pages.items():
        rest = await box.listing.page(box.owner, Wanted(sort=sort, after=page.next))
        assert [case.number for case in (*page.items, *rest.items) if case.number != "0"] == wholes[sort]


async def test_what_is_no_list_is_refused(box: CasesBox) -> None:
    for wanted in (
        Wanted(sort="colour"),
        Wanted(after="x"),
        Wanted(after="WzFd"),
        Wanted(state=" "),
        Wanted(limit=501),
    ):
        with pytest.raises(BadRequest):
            await box.listing.page(box.owner, wanted)


FOUND_BY = [
    ("odegrad", "1"),
    ("Mueller", "1"),
    ("ødegård müll", "1"),
    ("Lukas Novak", "2"),
    ("arsen", "2"),
    ("ivanof", "2"),
    ("cv-00123", "2"),
    ("李", "3"),
    ("li xiaolong", "3"),
    ("mhmd khtyb", "3"),
    ("2", "2"),
]


async def test_a_case_is_found_misspelt_begun_and_in_another_script(box: CasesBox) -> None:
    await box.case("Ödegård v. Müller", number="1")
    second = await box.case("Nowak", number="2", client="Łukasz Nowak", docket="1:26-cv-00123")
    await box.party(second, "Арсений Иванов")
    third = await box.case("Import", number="3")
    await box.party(third, "李小龙", "محمد الخطيب")
    for question, number in FOUND_BY:
        found = (await box.search.find(box.owner, question)).page.items
        assert [one.case.number for one in found[:1]] == [number], question


async def test_the_nearer_spelling_stands_first_and_suggests_itself(box: CasesBox) -> None:
    await box.case("Johansen Estate")
    exact = await box.case("Johnson Estate")
    answer = await box.search.find(box.owner, "Johnson estate")
    assert answer.page.items[0].case.id == exact.id
    assert answer.suggestion is None
    assert (await box.search.find(box.owner, "Jonhson estate")).suggestion == "Johnson estate"


async def test_search_goes_on_from_page_to_page(box: CasesBox) -> None:
    made = [(await box.case(f"Estate of {name}")).id for name in ("Ada", "Bea", "Cleo", "Dora", "Edda")]
    seen, after = [], None
    while True:
        answer = await box.search.find(box.owner, "estate", after=after, limit=2)
        seen += [one.case.id for one in answer.page.items]
        after = answer.page.next
        if after is None:
            break
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen))


async def test_a_renamed_case_is_found_by_its_new_name_alone(box: CasesBox) -> None:
    made = await box.case("Quist")
    await box.cases.change(box.owner, made.id, CaseChange(title="Zelda"), 1)
    assert (await box.search.find(box.owner, "quist")).page.items == ()
    assert len((await box.search.find(box.owner, "zelda")).page.items) == 1


async def test_a_question_without_words_is_refused(box: CasesBox) -> None:
    for question in ("", "  ", "!!!", "\x00", "x" * 201):
        with pytest.raises(BadRequest):
            await box.search.find(box.owner, question)


# --- walls


async def everything_that_shows(box: CasesBox, principal: Principal) -> list[object]:
    """Whole answers to many lists and searches, cursors and suggestions with them."""
    answers: list[object] = []
    for sort in SORTS:
        for limit in (1, 2, 50):
            answers.append(await box.listing.page(principal, Wanted(sort=sort, limit=limit)))
            answers.append(await box.listing.page(principal, Wanted(sort=f"-{sort}", limit=limit, client="Acme")))
    for question in ("estate", "estat of zelda", "quist", "zelda quist", "2026", "Acme", "ackme", "zelfa"):
        for limit in (1, 20):
            answers.append(await box.search.find(principal, question, limit=limit))
    return answers


@pytest.mark.parametrize("how", ["wall", "membership"])
async def test_a_barred_case_answers_as_one_that_is_not_there(box: CasesBox, how: str) -> None:
    """The same questions before and after a case exists that one may not see: not one byte differs."""
    principal = box.person("administrator" if how == "wall" else "attorney")
    for name in ("Ada", "Bea"):
        made = await box.case(f"Estate of {name}", client="Acme Inc.")
        await box.join(principal, made.id)
    before = await everything_that_shows(box, principal)
    secret = await box.case("Estate of Zelda Quist", client="Acme Inc.", docket="2026-1", labels=("Acme",))
    if how == "wall":
        await box.bar(principal, secret.id)
    await box.party(secret, "Zelda Quist", "Acme")
    assert await everything_that_shows(box, principal) == before
    assert len((await box.listing.page(box.owner, Wanted())).items) == 3


async def test_an_outsider_finds_nothing_by_what_is_not_on_the_card(box: CasesBox) -> None:
    made = await box.case("Estate of Ada", client="Quist Holding", court="High Court", labels=("tax",))
    await box.party(made, "Zelda Quist")
    party = box.person("outsider")
    await box.join(party, made.id, "party")
    (found,) = (await box.search.find(party, "estate of ada")).page.items
    assert found.case.outside
    for question in ("quist", "zelda quist", "estate zelda quist"):
        assert (await box.search.find(party, question)).page.items == ()
    assert [case.outside for case in (await box.listing.page(party, Wanted(court="high court"))).items] == [True]
    for wanted in (Wanted(client="Quist"), Wanted(client="Quist Holding"), Wanted(label="tax"), Wanted(sort="opened")):
        assert (await box.listing.page(party, wanted)).items == ()
