"""Legal holds over HTTP: on a case, an exhibit, a party, an account."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.people.principal import Principal
from deedbox_server.retention.approval import MAX_REASON
from deedbox_server.retention.holds import PAGE, Hold, Holds
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)]
AnyRequest = Request[Any, Any, Any]


class Holding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to hold: the case itself, or an exhibit or a party of it, by id; and why."""

    reason: Reason
    kind: Literal["case", "exhibit", "party"] = "case"
    subject: UUID | None = None


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class HoldView(msgspec.Struct, frozen=True):
    id: UUID
    kind: str
    subject: UUID
    case: UUID | None
    reason: str
    placed: str
    placed_by: str
    lifted: str | None
    lifted_by: str | None
    lifted_reason: str | None
    version: int


class HoldList(msgspec.Struct, frozen=True):
    items: list[HoldView]
    next: UUID | None = None


class CaseHoldController(Controller):
    path = "/api/v1/cases/{case:uuid}/holds"

    @get("/", opt=operation("hold.read"))
    async def holds_of_case(
        self,
        case: FromPath[UUID],
        holds: NamedDependency[Holds],
        principal: NamedDependency[Principal],
        lifted: FromQuery[bool] = False,
        cursor: FromQuery[UUID | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> HoldList:
        """Holds on the case and on what is in it; with `lifted` those too that were lifted."""
        page = await holds.of_case(principal, case, standing=not lifted, after=cursor, limit=limit)
        return HoldList([_view(one) for one in page], page[-1].id if page and len(page) >= limit else None)

    @post("/", status_code=201, opt=operation("hold.place"))
    async def place(
        self,
        case: FromPath[UUID],
        data: JSONBody[Holding],
        holds: NamedDependency[Holds],
        principal: NamedDependency[Principal],
    ) -> Response[HoldView]:
        """Place a hold: from now on nothing under it is deleted by anyone."""
        subject = data.subject if data.subject is not None else case
        return _answer(await holds.place(principal, case, data.kind, subject, data.reason))


class HoldController(Controller):
    path = "/api/v1/holds"

    @get("/{hold:uuid}", opt=operation("hold.read"))
    async def hold(
        self, hold: FromPath[UUID], holds: NamedDependency[Holds], principal: NamedDependency[Principal]
    ) -> Response[HoldView]:
        """One hold of a case."""
        return _answer(await holds.get(principal, hold))

    @post("/{hold:uuid}/lift", status_code=200, opt=operation("hold.lift"))
    async def lift(
        self,
        request: AnyRequest,
        hold: FromPath[UUID],
        data: JSONBody[Why],
        holds: NamedDependency[Holds],
        principal: NamedDependency[Principal],
    ) -> Response[HoldView]:
        """Lift a hold (If-Match), with a reason; others on the same thing stand."""
        return _answer(await holds.lift(principal, hold, data.reason, expected=expected_version(request)))


class AccountHoldController(Controller):
    path = "/api/v1/accounts/{account:uuid}/holds"

    @get("/", opt=operation("account.list"))
    async def holds_of_account(
        self, account: FromPath[UUID], holds: NamedDependency[Holds], principal: NamedDependency[Principal]
    ) -> HoldList:
        """All holds that there were on what names this account."""
        return HoldList([_view(one) for one in await holds.of_account(principal, account)])

    @post("/", status_code=201, opt=operation("account.manage"))
    async def place_on_account(
        self,
        account: FromPath[UUID],
        data: JSONBody[Why],
        holds: NamedDependency[Holds],
        principal: NamedDependency[Principal],
    ) -> Response[HoldView]:
        """Hold an account: it is not erased while this stands."""
        return _answer(await holds.place_on_account(principal, account, data.reason))

    @post("/{hold:uuid}/lift", status_code=200, opt=operation("account.manage"))
    async def lift_from_account(
        self,
        request: AnyRequest,
        account: FromPath[UUID],
        hold: FromPath[UUID],
        data: JSONBody[Why],
        holds: NamedDependency[Holds],
        principal: NamedDependency[Principal],
    ) -> Response[HoldView]:
        """Lift a hold from an account (If-Match), with a reason."""
        expected = expected_version(request)
        return _answer(await holds.lift_from_account(principal, account, hold, data.reason, expected=expected))


def _answer(hold: Hold) -> Response[HoldView]:
    return Response(_view(hold), headers={"etag": etag(hold.version)})


def _view(hold: Hold) -> HoldView:
    return HoldView(
        hold.id,
        hold.kind,
        hold.subject,
        hold.case,
        hold.reason,
        timestamp.encode(hold.placed),
        hold.placed_by_name,
        None if hold.lifted is None else timestamp.encode(hold.lifted),
        hold.lifted_by_name,
        hold.lifted_reason,
        hold.version,
    )
