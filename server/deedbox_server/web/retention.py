"""Rules of retention over HTTP, and what is due by them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.people.principal import Principal
from deedbox_server.retention.period import Due, Rule
from deedbox_server.retention.retaining import MAX_MONTHS, MAX_TEXT, MAX_YEARS, PAGE, NewRule, Retaining
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
AnyRequest = Request[Any, Any, Any]


class RuleStated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cases of this kind, label and state (none: any) are kept for so long after an event, as the law cited says."""

    name: Line
    citation: Line
    after: Literal["closed", "last-activity", "opened"]
    years: Annotated[int, msgspec.Meta(ge=0, le=MAX_YEARS)] = 0
    months: Annotated[int, msgspec.Meta(ge=0, le=MAX_MONTHS)] = 0
    case_kind: Line | None = None
    label: Line | None = None
    state: Line | None = None


class RuleView(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    citation: str
    after: str
    years: int
    months: int
    case_kind: str | None
    label: str | None
    state: str | None
    version: int


class RuleList(msgspec.Struct, frozen=True):
    items: list[RuleView]
    next: None = None


class DueView(msgspec.Struct, frozen=True):
    """When a case is due and by which rule; `steps` say how that was found. `due` none: no rule says."""

    case: UUID
    number: str
    title: str
    due: str | None
    is_due: bool
    rule: RuleView | None
    steps: list[str]


class DueList(msgspec.Struct, frozen=True):
    items: list[DueView]
    next: UUID | None = None


class RetentionController(Controller):
    path = "/api/v1/retention"

    @get("/rules", opt=operation("retention.read"))
    async def rules(self, retaining: NamedDependency[Retaining], principal: NamedDependency[Principal]) -> RuleList:
        """The rules in force."""
        return RuleList([_rule(one) for one in await retaining.rules(principal)])

    @post("/rules", status_code=201, opt=operation("retention.manage"))
    async def add_rule(
        self, data: JSONBody[RuleStated], retaining: NamedDependency[Retaining], principal: NamedDependency[Principal]
    ) -> Response[RuleView]:
        """State another rule."""
        new = NewRule(
            data.name, data.after, data.years, data.months, data.citation, data.case_kind, data.label, data.state
        )
        rule = await retaining.add(principal, new)
        return Response(_rule(rule), headers={"etag": etag(rule.version)})

    @delete("/rules/{rule:uuid}", status_code=204, opt=operation("retention.manage"))
    async def remove_rule(
        self,
        request: AnyRequest,
        rule: FromPath[UUID],
        retaining: NamedDependency[Retaining],
        principal: NamedDependency[Principal],
    ) -> None:
        """Put a rule out of force (If-Match)."""
        await retaining.remove(principal, rule, expected=expected_version(request))

    @get("/due", opt=operation("retention.read"))
    async def due(
        self,
        retaining: NamedDependency[Retaining],
        principal: NamedDependency[Principal],
        cursor: FromQuery[UUID | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> DueList:
        """Cases whose time of keeping is over. Nothing is deleted by that: dispose of them, or keep them."""
        page = await retaining.due(principal, after=cursor, limit=limit)
        return DueList([_due(one) for one in page], page[-1].case.id if page and len(page) >= limit else None)


class CaseRetentionController(Controller):
    path = "/api/v1/cases/{case:uuid}/retention"

    @get("/", opt=operation("retention.read"))
    async def of_case(
        self, case: FromPath[UUID], retaining: NamedDependency[Retaining], principal: NamedDependency[Principal]
    ) -> DueView:
        """Until when this case is kept, by which rule, and how that was found."""
        return _due(await retaining.of_case(principal, case))


def _rule(rule: Rule) -> RuleView:
    return RuleView(
        *(rule.id, rule.name, rule.citation, rule.after, rule.years, rule.months),
        *(rule.case_kind, rule.label, rule.state, rule.version),
    )


def _due(due: Due) -> DueView:
    return DueView(
        due.case.id,
        due.case.number,
        due.case.title,
        None if due.due is None else timestamp.encode(due.due),
        due.is_due,
        None if due.rule is None else _rule(due.rule),
        list(due.steps),
    )
