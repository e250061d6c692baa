"""Matter numbers by the firm's pattern: none twice, whatever happens at the same time."""

import asyncio
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases_box import make_cases_box
from deedbox_server.cases import CaseChange
from deedbox_server.cases.matter_numbers import Pattern
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict
from deedbox_server.settings import SettingsError

pytestmark = pytest.mark.anyio

DAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    "pattern",
    ["", "x", "{number}{number}", "{numb}", "{number:4}", "{number:0}", "{{{number}", "{year:02}{number}", "{number!r}",
     "{number", "{0}{number}", "{year}{year}{number}", "a\n{number}", "{number}" + "x" * 60],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(SettingsError, match="pattern"):
        Pattern(pattern)


@given(
    st.lists(st.sampled_from(["{year}", "{month}", "{client}", "{kind}", "-", "/", "L", "."]), max_size=6, unique=True),
    st.integers(0, 9),
    st.integers(1, 10**9),
)
def test_a_number_that_a_pattern_gives_fits_it(parts: list[str], width: int, running: int) -> None:
    pattern = Pattern("".join(parts) + (f"{{number:0{width}}}" if width else "{number}"))
    counter = pattern.counter(DAY, "Ödegård & Søn AS", "civil litigation")
    number = pattern.number(counter, running)
    assert pattern.fits(number)
    assert int(number.removeprefix(counter.removesuffix("{}"))) == running


def test_a_client_in_a_number_must_be_given() -> None:
    pattern = Pattern("{client}-{number:03}")
    assert pattern.counter(DAY, "Acme Inc.", None) == "ACME-{}"
    with pytest.raises(BadRequest, match="client"):
        pattern.counter(DAY, None, None)


async def test_numbers_follow_each_other_within_a_year_and_begin_anew_in_the_next(database: Database) -> None:
    box = make_cases_box(database)
    assert [(await box.case("x")).number for _ in range(2)] == ["2026-0001", "2026-0002"]
    assert (await box.case("x", opened=date(2027, 1, 2))).number == "2027-0001"
    assert (await box.case("x")).number == "2026-0003"


async def test_twenty_at_once_get_twenty_numbers(database: Database) -> None:
    box = make_cases_box(database)
    cases = await asyncio.gather(*(box.case(f"case {place}") for place in range(20)))
    assert sorted(case.number for case in cases) == [f"2026-{number:04}" for number in range(1, 21)]


async def test_a_number_given_by_hand_is_left_out_by_the_counter(database: Database) -> None:
    box = make_cases_box(database)
    await box.case("by hand", number="2026-0001")
    await box.case("by hand", number="2026-0002")
    assert (await box.case("by pattern")).number == "2026-0003"


async def test_a_number_is_never_given_again_after_its_case_was_renumbered(database: Database) -> None:
    box = make_cases_box(database)
    first = await box.case("first")
    await box.cases.change(box.owner, first.id, CaseChange(number="OLD-1"), 1)
    assert (await box.case("second")).number == "2026-0002"


async def test_a_number_that_is_taken_is_a_conflict(database: Database) -> None:
    box = make_cases_box(database)
    first, second = await box.case("first"), await box.case("second")
    with pytest.raises(Conflict):
        await box.case("third", number=first.number)
    with pytest.raises(Conflict):
        await box.cases.change(box.owner, second.id, CaseChange(number=first.number), 1)


async def test_a_firm_may_take_no_numbers_but_those_of_its_pattern(database: Database) -> None:
    box = make_cases_box(database, any_number=False)
    assert (await box.case("fits", number="2026-0077")).number == "2026-0077"
    with pytest.raises(BadRequest):
        await box.case("does not", number="77")
