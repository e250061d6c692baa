"""The firm's accounts, for who manages them: role, duties, whether they may act, their second factors, a new password."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.people.account_changes import AccountChanges
from deedbox_server.people.accounts import Account
from deedbox_server.people.invitations import MAX_EMAIL, Invitations
from deedbox_server.people.principal import Principal
from deedbox_server.web.invitations import InvitationMade, made_answer
from deedbox_server.web.operations import operation
from deedbox_server.web.pages import PAGE, Limit, cursor_of, id_of
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp


class AccountChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. An empty `email` takes it away."""

    role: str | None = None
    duties: Annotated[list[str], msgspec.Meta(max_length=20)] | None = None
    email: Annotated[str, msgspec.Meta(max_length=MAX_EMAIL)] | None = None


class AccountView(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    sign_in: str | None
    role: str
    duties: list[str]
    email: str | None
    disabled: bool
    created: str
    version: int


class AccountList(msgspec.Struct, frozen=True):
    items: list[AccountView]
    next: str | None


class AccountController(Controller):
    path = "/api/v1/accounts"

    @get("/", opt=operation("account.list"))
    async def listed(
        self,
        principal: NamedDependency[Principal],
        account_changes: NamedDependency[AccountChanges],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[Limit] = PAGE,
    ) -> AccountList:
        """The firm's accounts, the oldest first; disabled ones too."""
        after = id_of(cursor)
        found = await account_changes.page(principal, limit + 1, after)
        items = [_view(one) for one in found[:limit]]
        return AccountList(items, cursor_of(items[-1].id) if len(found) > limit else None)

    @get("/{account:uuid}", opt=operation("account.list"))
    async def look(
        self,
        account: FromPath[UUID],
        principal: NamedDependency[Principal],
        account_changes: NamedDependency[AccountChanges],
    ) -> Response[AccountView]:
        """One account."""
        return _answer(await account_changes.get(principal, account))

    @patch("/{account:uuid}", opt=operation("account.manage"))
    async def change(
        self,
        account: FromPath[UUID],
        data: JSONBody[AccountChange],
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        account_changes: NamedDependency[AccountChanges],
    ) -> Response[AccountView]:
        """Role, duties, e-mail; from the account's next request on. `If-Match` says which version was read."""
        changed = await account_changes.change(
            principal,
            account,
            expected_version(request),
            role=data.role,
            duties=None if data.duties is None else frozenset(data.duties),
            email=data.email,
        )
        return _answer(changed)

    @post("/{account:uuid}/disable", status_code=200, opt=operation("account.manage"))
    async def disable(
        self,
        account: FromPath[UUID],
        principal: NamedDependency[Principal],
        account_changes: NamedDependency[AccountChanges],
    ) -> Response[AccountView]:
        """Ends its sessions; its keys and devices open nothing until it is enabled again."""
        return _answer(await account_changes.disable(principal, account))

    @post("/{account:uuid}/enable", status_code=200, opt=operation("account.manage"))
    async def enable(
        self,
        account: FromPath[UUID],
        principal: NamedDependency[Principal],
        account_changes: NamedDependency[AccountChanges],
    ) -> Response[AccountView]:
        """May act again."""
        return _answer(await account_changes.enable(principal, account))

    @post("/{account:uuid}/reset-factors", status_code=204, opt=operation("account.manage"))
    async def reset_factors(
        self,
        account: FromPath[UUID],
        principal: NamedDependency[Principal],
        account_changes: NamedDependency[AccountChanges],
    ) -> None:
        """Takes away its passkeys, app and recovery codes, and ends its sessions: it sets up a second factor anew."""
        await account_changes.reset_factors(principal, account)

    @post("/{account:uuid}/reset-password", status_code=201, opt=operation("account.manage"))
    async def reset_password(
        self,
        account: FromPath[UUID],
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        invitations: NamedDependency[Invitations],
    ) -> Response[InvitationMade]:
        """A link by which its owner gives it a new password, once, within a day."""
        made, token = await invitations.invite_to_reset(principal, account)
        return made_answer(request, made, token)


def _answer(account: Account) -> Response[AccountView]:
    return Response(_view(account), headers={"ETag": etag(account.version)})


def _view(account: Account) -> AccountView:
    return AccountView(
        account.id,
        account.name,
        account.sign_in,
        account.role,
        sorted(account.duties),
        account.email,
        account.disabled,
        timestamp.encode(account.created),
        account.version,
    )
