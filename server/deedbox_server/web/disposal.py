"""Disposal of exhibits and cases over HTTP: ask, look, approve, withdraw."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.people.principal import Principal
from deedbox_server.retention.approval import MAX_REASON
from deedbox_server.retention.coverage import MAX_EXHIBITS
from deedbox_server.retention.disposals import MAX_RULE, PAGE, Disposal, Disposals
from deedbox_server.retention.tombstone import Decision
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]


class DisposalAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which exhibits, or (none named) the whole case; why, and the citation of the rule under which it is due."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)]
    exhibits: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MAX_EXHIBITS)] | None = None
    rule: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_RULE)] | None = None


class CoveredView(msgspec.Struct, frozen=True):
    id: UUID
    number: int
    content: str
    size: int


class DecisionView(msgspec.Struct, frozen=True):
    by: str
    name: str
    time: str


class DisposalView(msgspec.Struct, frozen=True):
    """`exhibits` and `papers` are what it covers, frozen when it was asked; `counts` what else of a whole case goes."""

    id: UUID
    case: UUID
    whole: bool
    reason: str
    rule: str | None
    state: str
    asked: DecisionView
    not_before: str | None
    approved: DecisionView | None
    ended: str | None
    exhibits: list[CoveredView]
    papers: list[UUID]
    counts: dict[str, int]
    version: int


class DisposalList(msgspec.Struct, frozen=True):
    items: list[DisposalView]
    next: UUID | None = None


class CaseDisposalController(Controller):
    path = "/api/v1/cases/{case:uuid}/disposals"

    @get("/", opt=operation("disposal.ask"))
    async def disposals_of_case(
        self,
        case: FromPath[UUID],
        disposals: NamedDependency[Disposals],
        principal: NamedDependency[Principal],
        cursor: FromQuery[UUID | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> DisposalList:
        """Requests about a case, oldest first."""
        page = await disposals.of_case(principal, case, after=cursor, limit=limit)
        return DisposalList([_view(one) for one in page], page[-1].id if page and len(page) >= limit else None)

    @post("/", status_code=201, opt=operation("disposal.ask"))
    async def ask(
        self,
        case: FromPath[UUID],
        data: JSONBody[DisposalAsked],
        disposals: NamedDependency[Disposals],
        principal: NamedDependency[Principal],
    ) -> Response[DisposalView]:
        """Ask for exhibits or the whole case to be disposed of; another has to approve."""
        return _answer(await disposals.ask(principal, case, data.exhibits, data.reason, data.rule))


class DisposalController(Controller):
    path = "/api/v1/disposals"

    @get("/{disposal:uuid}", opt=operation("disposal.ask"))
    async def disposal(
        self, disposal: FromPath[UUID], disposals: NamedDependency[Disposals], principal: NamedDependency[Principal]
    ) -> Response[DisposalView]:
        """One request, as it stands."""
        return _answer(await disposals.get(principal, disposal))

    @post("/{disposal:uuid}/approve", status_code=200, opt=operation("disposal.approve"))
    async def approve(
        self,
        request: AnyRequest,
        disposal: FromPath[UUID],
        disposals: NamedDependency[Disposals],
        principal: NamedDependency[Principal],
    ) -> Response[DisposalView]:
        """Approve (If-Match) what another asked for, and carry it out; who is alone begins a wait by it, and confirms by it."""
        return _answer(await disposals.approve(principal, disposal, expected=expected_version(request)))

    @post("/{disposal:uuid}/withdraw", status_code=200, opt=operation("disposal.ask"))
    async def withdraw(
        self,
        request: AnyRequest,
        disposal: FromPath[UUID],
        disposals: NamedDependency[Disposals],
        principal: NamedDependency[Principal],
    ) -> Response[DisposalView]:
        """Withdraw or refuse a request (If-Match): nothing is disposed of."""
        return _answer(await disposals.withdraw(principal, disposal, expected=expected_version(request)))


def decision_view(decision: Decision | None) -> DecisionView | None:
    if decision is None:
        return None
    return DecisionView(decision.id, decision.name, timestamp.encode(decision.time))


def _answer(disposal: Disposal) -> Response[DisposalView]:
    return Response(_view(disposal), headers={"etag": etag(disposal.version)})


def _view(disposal: Disposal) -> DisposalView:
    asked = decision_view(disposal.asked)
    assert asked is not None
    covers = disposal.covers
    return DisposalView(
        id=disposal.id,
        case=disposal.case,
        whole=disposal.whole,
        reason=disposal.reason,
        rule=disposal.rule,
        state=disposal.state,
        asked=asked,
        not_before=None if disposal.not_before is None else timestamp.encode(disposal.not_before),
        approved=decision_view(disposal.approved),
        ended=None if disposal.ended is None else timestamp.encode(disposal.ended),
        exhibits=[CoveredView(one.id, one.number, one.content.hex(), one.size) for one in covers.exhibits],
        papers=list(covers.papers),
        counts=dict(covers.counts),
        version=disposal.version,
    )
