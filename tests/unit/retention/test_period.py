"""How long a case is kept: the longest rule that applies counts, a hold counts above all, and each step is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from deedbox_server.retention.period import CaseFacts, Rule, add, judge
from deedbox_sync import uuid7

CLOSED = datetime(2020, 2, 29, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def case(**changes: Any) -> CaseFacts:
    given = {
        "id": uuid7.new(),
        "number": "2020-0001",
        "title": "Ödegård v. Müller",
        "kind": "probate",
        "labels": ("minor",),
        "state": "closed",
        "events": {"opened": datetime(2019, 1, 1, tzinfo=UTC), "closed": CLOSED},
        "held": False,
    }
    return CaseFacts(**(given | changes))


def rule(years: int, months: int = 0, **changes: Any) -> Rule:
    given: dict[str, Any] = {"case_kind": None, "label": None, "state": None, "after": "closed"}
    given |= changes
    return Rule(uuid7.new(), f"{years} years", **given, years=years, months=months, citation="ISBA 1.15", version=1)


def test_it_is_due_when_the_period_after_the_event_is_over() -> None:
    judged = judge(case(), [rule(6)], NOW)
    assert (judged.is_due, judged.due) == (True, datetime(2026, 2, 28, 12, tzinfo=UTC))
    assert judged.steps[0] == "“6 years” (ISBA 1.15) applies: closed on 2020-02-29, kept 6 years, until 2026-02-28."
    assert not judge(case(), [rule(7)], NOW).is_due


def test_the_longest_rule_counts() -> None:
    short, long = rule(1), rule(20, label="minor")
    judged = judge(case(), [short, long], NOW)
    assert judged.rule == long and not judged.is_due


def test_a_rule_for_other_cases_does_not_apply_and_that_is_told() -> None:
    judged = judge(case(), [rule(1), rule(20, case_kind="tax"), rule(20, label="x"), rule(20, state="open")], NOW)
    assert judged.is_due
    assert sum("does not apply" in step for step in judged.steps) == 3


def test_a_case_without_a_rule_is_never_due() -> None:
    assert not judge(case(), [], NOW).is_due
    assert judge(case(), [], NOW).due is None


def test_a_case_whose_event_has_not_come_is_not_due_whatever_another_rule_says() -> None:
    judged = judge(case(events={"opened": CLOSED}), [rule(1, after="opened"), rule(6)], NOW)
    assert not judged.is_due and "there is no closed yet" in judged.steps[1]


def test_a_case_on_hold_is_not_due() -> None:
    judged = judge(case(held=True), [rule(6)], NOW)
    assert not judged.is_due and judged.steps[-2].startswith("A legal hold is on it")


@pytest.mark.parametrize(
    ("years", "months", "ends"),
    [(1, 0, "2021-02-28"), (4, 0, "2024-02-29"), (0, 1, "2020-03-29"), (0, 11, "2021-01-29"), (1, 10, "2021-12-29")],
)
def test_a_period_ends_on_the_same_day_or_the_last_of_its_month(years: int, months: int, ends: str) -> None:
    assert add(CLOSED, years, months).date().isoformat() == ends
