"""Who is on a case, who is barred from it, and how a barred case is opened for a while, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from deedbox_server.people.membership import Member, Membership
from deedbox_server.people.principal import Principal
from deedbox_server.people.walls import MAX_REASON, EthicalWall, GlassRequest, Walls
from deedbox_server.web.operations import operation
from deedbox_sync import timestamp

Zoned = Annotated[datetime, msgspec.Meta(tz=True)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)]


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As what the account is to be on the case, and until when, if not for good."""

    role: str
    until: Zoned | None = None


class GrantAccess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: UUID
    account_id: UUID
    role: str
    until: Zoned | None = None


class Barring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: UUID
    reason: Reason


class GlassAsking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The matter number of the case, since whoever is barred from it knows no id."""

    number: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    reason: Reason


class MemberView(msgspec.Struct, frozen=True):
    account: UUID
    name: str
    standing: str
    role: str
    until: str | None


class MemberList(msgspec.Struct, frozen=True):
    items: list[MemberView]
    next: str | None = None


class WallView(msgspec.Struct, frozen=True):
    id: UUID
    case: UUID
    account: UUID
    name: str
    reason: str
    created: str
    opened_until: str | None


class WallList(msgspec.Struct, frozen=True):
    items: list[WallView]
    next: str | None = None


class GlassView(msgspec.Struct, frozen=True):
    """`due`: when who asked may open it alone, since nobody else could approve."""

    id: UUID
    account: UUID
    name: str
    number: str
    reason: str
    created: str
    due: str | None
    expires: str
    state: str
    opened_until: str | None


class GlassList(msgspec.Struct, frozen=True):
    items: list[GlassView]
    next: str | None = None


class MemberController(Controller):
    path = "/api/v1"

    @get("/cases/{case:uuid}/members", opt=operation("case.members"))
    async def members(
        self,
        case: FromPath[UUID],
        principal: NamedDependency[Principal],
        membership: NamedDependency[Membership],
    ) -> MemberList:
        """Who is on the case, as what and until when."""
        return MemberList([_member(one) for one in await membership.members(principal, case)])

    @put("/cases/{case:uuid}/members/{account:uuid}", opt=operation("case.grant"))
    async def grant(
        self,
        case: FromPath[UUID],
        account: FromPath[UUID],
        data: JSONBody[Grant],
        principal: NamedDependency[Principal],
        membership: NamedDependency[Membership],
    ) -> MemberView:
        """Put an account on the case, or change as what or until when it is on it."""
        return _member(await membership.grant(principal, case, account, data.role, data.until))

    @delete("/cases/{case:uuid}/members/{account:uuid}", opt=operation("case.grant"), status_code=204)
    async def withdraw(
        self,
        case: FromPath[UUID],
        account: FromPath[UUID],
        principal: NamedDependency[Principal],
        membership: NamedDependency[Membership],
    ) -> None:
        """Take an account off the case."""
        await membership.withdraw(principal, case, account)

    @post("/auth/grant-access", opt=operation("case.grant"), status_code=200)
    async def grant_access(
        self,
        data: JSONBody[GrantAccess],
        principal: NamedDependency[Principal],
        membership: NamedDependency[Membership],
    ) -> MemberView:
        """Put an account on a case: the same as `PUT /api/v1/cases/{case}/members/{account}`."""
        return _member(await membership.grant(principal, data.case_id, data.account_id, data.role, data.until))


class WallController(Controller):
    path = "/api/v1/cases/{case:uuid}/walls"

    @get("/", opt=operation("wall.manage"))
    async def walls(
        self, case: FromPath[UUID], principal: NamedDependency[Principal], walls: NamedDependency[Walls]
    ) -> WallList:
        """Who is barred from the case by an ethical wall."""
        return WallList([_wall(one) for one in await walls.walls(principal, case)])

    @post("/", opt=operation("wall.manage"))
    async def bar(
        self,
        case: FromPath[UUID],
        data: JSONBody[Barring],
        principal: NamedDependency[Principal],
        walls: NamedDependency[Walls],
    ) -> WallView:
        """Bar an account from the case, whatever its role: for it there is no such case."""
        return _wall(await walls.bar(principal, case, data.account, data.reason))

    @delete("/{wall:uuid}", opt=operation("wall.manage"), status_code=204)
    async def lift(
        self,
        case: FromPath[UUID],
        wall: FromPath[UUID],
        principal: NamedDependency[Principal],
        walls: NamedDependency[Walls],
    ) -> None:
        """Lift a wall. Whoever it bars cannot."""
        await walls.lift(principal, case, wall)


class GlassController(Controller):
    path = "/api/v1/glass"

    @get("/", opt=operation("glass.ask"))
    async def requests(self, principal: NamedDependency[Principal], walls: NamedDependency[Walls]) -> GlassList:
        """One's own requests, and those of others that one may decide."""
        return GlassList([_glass(one) for one in await walls.requests(principal)])

    @post("/", opt=operation("glass.ask"), status_code=202)
    async def ask(
        self, data: JSONBody[GlassAsking], principal: NamedDependency[Principal], walls: NamedDependency[Walls]
    ) -> GlassView:
        """Ask to see a case for a while. The answer does not tell whether there is one of this number."""
        return _glass(await walls.ask(principal, data.number, data.reason))

    @post("/{request_id:uuid}/approve", opt=operation("glass.approve"), status_code=200)
    async def approve(
        self, request_id: FromPath[UUID], principal: NamedDependency[Principal], walls: NamedDependency[Walls]
    ) -> GlassView:
        """Open the case, for a while, to whom asked: another person than they."""
        return _glass(await walls.approve(principal, request_id))

    @post("/{request_id:uuid}/refuse", opt=operation("glass.approve"), status_code=200)
    async def refuse(
        self, request_id: FromPath[UUID], principal: NamedDependency[Principal], walls: NamedDependency[Walls]
    ) -> GlassView:
        """Void a request."""
        return _glass(await walls.refuse(principal, request_id))

    @post("/{request_id:uuid}/open", opt=operation("glass.ask"), status_code=200)
    async def open_alone(
        self, request_id: FromPath[UUID], principal: NamedDependency[Principal], walls: NamedDependency[Walls]
    ) -> GlassView:
        """Open what one asked for, once the waiting time has passed and nobody else in the firm could approve."""
        return _glass(await walls.open_alone(principal, request_id))


def _told(time: datetime | None) -> str | None:
    return None if time is None else timestamp.encode(time)


def _member(one: Member) -> MemberView:
    return MemberView(one.account, one.name, one.standing, one.role, _told(one.until))


def _wall(one: EthicalWall) -> WallView:
    return WallView(
        one.id,
        one.case,
        one.account,
        one.account_name,
        one.reason,
        timestamp.encode(one.created),
        _told(one.opened_until),
    )


def _glass(one: GlassRequest) -> GlassView:
    return GlassView(
        one.id,
        one.account,
        one.account_name,
        one.number,
        one.reason,
        timestamp.encode(one.created),
        _told(one.due),
        timestamp.encode(one.expires),
        one.state,
        _told(one.opened_until),
    )
