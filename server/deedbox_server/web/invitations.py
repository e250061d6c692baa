"""Inviting people, and taking an invitation back, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.people.accounts import MAX_NAME
from deedbox_server.people.invitations import (
    INVITED_FOR,
    LONGEST_INVITED,
    MAX_CASES,
    MAX_EMAIL,
    Invitation,
    Invitations,
    NewInvitation,
)
from deedbox_server.people.principal import Principal
from deedbox_server.people.secret_text import SecretText
from deedbox_server.web.auth_answers import NO_STORE
from deedbox_server.web.operations import operation
from deedbox_server.web.pages import PAGE, Limit, cursor_of, id_of
from deedbox_sync import timestamp


class CaseRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: UUID
    role: str


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to come, as what in the firm, and in which cases as what. The link works for `days`."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    role: str
    email: Annotated[str, msgspec.Meta(max_length=MAX_EMAIL)] | None = None
    duties: Annotated[list[str], msgspec.Meta(max_length=20)] = []
    cases: Annotated[list[CaseRole], msgspec.Meta(max_length=MAX_CASES)] = []
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_INVITED.days)] = INVITED_FOR.days


class InvitationView(msgspec.Struct, frozen=True):
    """`kind`: `invitation` for a new account, `reset` for a new password. `state`: open, used, withdrawn, expired."""

    id: UUID
    kind: str
    state: str
    name: str
    role: str
    email: str | None
    duties: list[str]
    cases: list[CaseRole]
    account: UUID | None
    made_by: str
    created: str
    expires: str


class InvitationList(msgspec.Struct, frozen=True):
    items: list[InvitationView]
    next: str | None


class InvitationMade(msgspec.Struct, frozen=True):
    """`token` and `link` are in this answer and nowhere else. The token stands behind the `#`, which browsers send to nobody."""

    invitation: InvitationView
    token: str
    link: str


class InvitationController(Controller):
    path = "/api/v1/auth/invitations"

    @post("/", status_code=201, opt=operation("account.manage"))
    async def invite(
        self,
        data: JSONBody[Invite],
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        invitations: NamedDependency[Invitations],
    ) -> Response[InvitationMade]:
        """A link by which somebody makes an account, once."""
        wanted = NewInvitation(
            data.name,
            data.role,
            data.email,
            frozenset(data.duties),
            tuple((one.case, one.role) for one in data.cases),
            timedelta(days=data.days),
        )
        made, token = await invitations.invite(principal, wanted)
        return made_answer(request, made, token)

    @get("/", opt=operation("account.manage"))
    async def listed(
        self,
        principal: NamedDependency[Principal],
        invitations: NamedDependency[Invitations],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[Limit] = PAGE,
    ) -> InvitationList:
        """Invitations, and links for new passwords, the newest first; without their tokens."""
        before = id_of(cursor)
        found = await invitations.page(principal, limit + 1, before)
        items = [_view(one) for one in found[:limit]]
        return InvitationList(items, cursor_of(items[-1].id) if len(found) > limit else None)

    @delete("/{invitation:uuid}", status_code=204, opt=operation("account.manage"))
    async def withdraw(
        self,
        invitation: FromPath[UUID],
        principal: NamedDependency[Principal],
        invitations: NamedDependency[Invitations],
    ) -> None:
        """The link opens nothing any more."""
        await invitations.withdraw(principal, invitation)


def made_answer(request: Request[Any, Any, Any], made: Invitation, token: SecretText) -> Response[InvitationMade]:
    word = "invitation" if made.kind == "invitation" else "reset"
    link = f"https://{request.headers.get('host', '')}/account#{word}={token.text}"
    return Response(InvitationMade(_view(made), token.text, link), status_code=201, headers=NO_STORE)


def _view(invitation: Invitation) -> InvitationView:
    return InvitationView(
        invitation.id,
        invitation.kind,
        invitation.state(datetime.now(UTC)),
        invitation.name,
        invitation.role,
        invitation.email,
        sorted(invitation.duties),
        [CaseRole(case, role) for case, role in invitation.cases],
        invitation.account,
        invitation.made_by,
        timestamp.encode(invitation.created),
        timestamp.encode(invitation.expires),
    )
