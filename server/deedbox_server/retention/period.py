"""How long things are kept: a rule's period after an event, and what follows from several rules. No I/O."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_sync import timestamp

CLOSED: Final = "closed"
LAST_ACTIVITY: Final = "last-activity"
OPENED: Final = "opened"
AFTER: Final = (CLOSED, LAST_ACTIVITY, OPENED)


@dataclass(frozen=True)
class Rule:
    """Cases of this kind, with this label, in this state (None: any) are kept for so long after that event, as the law cited
    says."""

    id: UUID
    name: str
    case_kind: str | None
    label: str | None
    state: str | None
    after: str
    years: int
    months: int
    citation: str
    version: int


@dataclass(frozen=True)
class CaseFacts:
    """What rules are about. `events`: when each of AFTER was, where it was."""

    id: UUID
    number: str
    title: str
    kind: str | None
    labels: tuple[str, ...]
    state: str
    events: Mapping[str, datetime]
    held: bool


@dataclass(frozen=True)
class Due:
    """When a case is due, by which rule; `steps` say how that was found, one sentence each. `due` None: no rule says."""

    case: CaseFacts
    due: datetime | None
    rule: Rule | None
    is_due: bool
    steps: tuple[str, ...]


def judge(case: CaseFacts, rules: Sequence[Rule], now: datetime) -> Due:
    """The rule that keeps the case longest decides. A case without a rule, or whose event has not come, is never due; nor is
    one on hold."""
    steps: list[str] = []
    latest: tuple[datetime, Rule] | None = None
    waits = False
    for rule in rules:
        if (why_not := _mismatch(case, rule)) is not None:
            steps.append(f"“{rule.name}” does not apply: {why_not}.")
            continue
        began = case.events.get(rule.after)
        if began is None:
            waits = True
            steps.append(
                f"“{rule.name}” ({rule.citation}) applies; its time has not begun: there is no {rule.after} yet."
            )
            continue
        ends = add(began, rule.years, rule.months)
        steps.append(
            f"“{rule.name}” ({rule.citation}) applies: {rule.after} on {timestamp.encode(began)[:10]}, "
            f"kept {_period(rule)}, until {timestamp.encode(ends)[:10]}."
        )
        if latest is None or ends > latest[0]:
            latest = (ends, rule)
    if latest is None or waits:
        steps.append("It is not due: " + ("a rule's time has not begun." if waits else "no rule says until when."))
        return Due(case, None, None, False, tuple(steps))
    due, rule = latest
    steps.append(f"The longest counts: “{rule.name}”.")
    if case.held:
        steps.append("A legal hold is on it: it is not due while that stands.")
    is_due = due <= now and not case.held
    steps.append("It is due." if is_due else "It is not due.")
    return Due(case, due, rule, is_due, tuple(steps))


def add(began: datetime, years: int, months: int) -> datetime:
    """The same day so many months later; the last of its month where there is no such day."""
    total = began.month - 1 + months + 12 * years
    year, month = began.year + total // 12, total % 12 + 1
    return began.replace(year=year, month=month, day=min(began.day, calendar.monthrange(year, month)[1]))


def _mismatch(case: CaseFacts, rule: Rule) -> str | None:
    if rule.case_kind is not None and rule.case_kind != case.kind:
        return f"it is for cases of the kind {rule.case_kind}"
    if rule.label is not None and rule.label not in case.labels:
        return f"it is for cases labelled {rule.label}"
    if rule.state is not None and rule.state != case.state:
        return f"it is for cases that are {rule.state}"
    return None


def _period(rule: Rule) -> str:
    parts = [
        f"{number} {word}{'' if number == 1 else 's'}"
        for number, word in ((rule.years, "year"), (rule.months, "month"))
        if number
    ]
    return " and ".join(parts)
