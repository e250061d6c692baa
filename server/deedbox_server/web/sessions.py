"""One's own session: the second factor, stepping up, what it may do, and where else one is signed in."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest
from deedbox_server.people.accounts import Accounts
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.relying_party import RelyingParties
from deedbox_server.people.second_factors import SecondFactors
from deedbox_server.people.sessions import Session, Sessions, Started, person
from deedbox_server.people.signing_in import SigningIn
from deedbox_server.web.auth import Ceremony, Text
from deedbox_server.web.auth_answers import (
    BROWSER_COOKIE,
    MAX_BODY,
    NO_STORE,
    SessionState,
    kept_in,
    no_session_cookie,
    session_answer,
    session_state,
)
from deedbox_server.web.identity import before_second_factor
from deedbox_server.web.operations import operation
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]
_HALF = operation("account.security") | before_second_factor("it is how the second factor is shown")


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second factor: `code` of an app (`totp`) or from the paper (`recovery`), or a passkey's answer to `ceremony`."""

    method: Literal["totp", "recovery", "passkey"]
    code: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    ceremony: UUID | None = None
    credential: dict[str, Any] | None = None


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    old: Text
    new: Text


class SessionView(msgspec.Struct, frozen=True):
    """`current`: the one that asks."""

    id: UUID
    via: str
    current: bool
    whole: bool
    address: str | None
    agent: str
    created: str
    used: str
    expires: str


class SessionList(msgspec.Struct, frozen=True):
    items: list[SessionView]
    next: str | None = None


class OperationView(msgspec.Struct, frozen=True):
    """`strong`: asks for a second factor shown of late; `sensitive`: from the firm's own networks only."""

    operation: str
    strong: bool
    sensitive: bool


class PermissionsView(msgspec.Struct, frozen=True):
    case: UUID
    roles: list[str]
    operations: list[OperationView]


class SessionController(Controller):
    path = "/api/v1/auth/session"
    request_max_body_size = MAX_BODY

    @get("/", opt=operation("account.security") | before_second_factor("says what comes next"))
    async def mine(
        self,
        principal: NamedDependency[Principal],
        accounts: NamedDependency[Accounts],
        sessions: NamedDependency[Sessions],
        second_factors: NamedDependency[SecondFactors],
    ) -> Response[SessionState]:
        """Who is signed in here, and what comes next."""
        account, session = person(principal)
        factors = await second_factors.of(account)
        state = session_state(await accounts.by_id(account), await sessions.get(session), factors)
        return Response(state, headers=NO_STORE)

    @delete("/", status_code=204, opt=operation("account.security") | before_second_factor("leaving is always allowed"))
    async def leave(self, principal: NamedDependency[Principal], sessions: NamedDependency[Sessions]) -> Response[None]:
        """Signs out: this session's token opens nothing any more."""
        _, session = person(principal)
        await sessions.end(principal, session)
        headers = NO_STORE | {"Clear-Site-Data": '"cache", "storage"'}
        return Response(None, status_code=204, headers=headers, cookies=[no_session_cookie()])


class SessionsController(Controller):
    path = "/api/v1/auth/sessions"

    @get("/", opt=operation("account.security"))
    async def listed(self, principal: NamedDependency[Principal], sessions: NamedDependency[Sessions]) -> SessionList:
        """Where one is signed in, the last used first."""
        account, current = person(principal)
        return SessionList([_view(one, current) for one in await sessions.of(account)])

    @delete("/{session:uuid}", status_code=204, opt=operation("account.security"))
    async def end(
        self,
        session: FromPath[UUID],
        principal: NamedDependency[Principal],
        sessions: NamedDependency[Sessions],
    ) -> None:
        """Ends one of one's own sessions: it is refused at its next request."""
        person(principal)
        await sessions.end(principal, session)

    @delete("/", status_code=204, opt=operation("account.security"))
    async def end_all(
        self,
        principal: NamedDependency[Principal],
        sessions: NamedDependency[Sessions],
        others: FromQuery[bool] = False,
    ) -> Response[None]:
        """Ends all of one's own sessions, or, with `others`, all but this one."""
        account, current = person(principal)
        await sessions.end_all(principal, account, but=current if others else None)
        return Response(None, status_code=204, cookies=[] if others else [no_session_cookie()])


@post("/api/v1/auth/verify-2fa", status_code=200, opt=_HALF, request_max_body_size=MAX_BODY)
async def verify_second_factor(
    data: JSONBody[Proof],
    request: AnyRequest,
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    second_factors: NamedDependency[SecondFactors],
    known_browsers: NamedDependency[KnownBrowsers],
    relying_parties: NamedDependency[RelyingParties],
) -> Response[SessionState]:
    """The second step of signing in. The session goes on under a new token."""
    return await _proven(data, request, principal, accounts, second_factors, known_browsers, relying_parties)


@post("/api/v1/auth/step-up", status_code=200, opt=operation("account.security"), request_max_body_size=MAX_BODY)
async def step_up(
    data: JSONBody[Proof],
    request: AnyRequest,
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    second_factors: NamedDependency[SecondFactors],
    known_browsers: NamedDependency[KnownBrowsers],
    relying_parties: NamedDependency[RelyingParties],
) -> Response[SessionState]:
    """Shows the second factor again: for a quarter of an hour, what asks for that may be done. A new token."""
    return await _proven(data, request, principal, accounts, second_factors, known_browsers, relying_parties)


@post("/api/v1/auth/step-up/options", status_code=200, opt=_HALF)
async def step_up_options(
    request: AnyRequest,
    principal: NamedDependency[Principal],
    second_factors: NamedDependency[SecondFactors],
    relying_parties: NamedDependency[RelyingParties],
) -> Response[Ceremony]:
    """Begins showing a passkey as the second factor, for verify-2fa or step-up."""
    party = relying_parties.of(request.headers.get("host", ""))
    ceremony, options = await second_factors.ask_passkey(principal, party)
    return Response(Ceremony(ceremony, options), headers=NO_STORE)


@post("/api/v1/auth/password", status_code=200, opt=operation("account.security"), request_max_body_size=MAX_BODY)
async def change_password(
    data: JSONBody[PasswordChange],
    request: AnyRequest,
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    signing_in: NamedDependency[SigningIn],
    second_factors: NamedDependency[SecondFactors],
    known_browsers: NamedDependency[KnownBrowsers],
) -> Response[SessionState]:
    """Another password; every other session of the account ends, and this one gets a new token."""
    started = await signing_in.change_password(principal, data.old, data.new)
    return await answer_again(request, principal, started, accounts, second_factors, known_browsers)


@get("/api/v1/auth/permissions/{case:uuid}", opt=operation("case.read"))
async def my_permissions(
    case: FromPath[UUID],
    principal: NamedDependency[Principal],
    permissions: NamedDependency[Permissions],
    database: NamedDependency[Database],
) -> PermissionsView:
    """What whoever asks may do in a case, and as what."""
    await permissions.permit(database, principal, "case.read", case=case)
    roles = await permissions.roles_in(database, principal, case)
    found = [
        OperationView(name, rule.strong, rule.sensitive)
        for name, rule in sorted(permissions.rules.items())
        if rule.in_case
        and rule.roles & roles
        and (principal.scopes is None or rule.scope in principal.scopes)
        and (principal.kind != "device" or rule.devices)
    ]
    return PermissionsView(case, sorted(roles), found)


async def answer_again(
    request: AnyRequest,
    principal: Principal,
    started: Started,
    accounts: Accounts,
    second_factors: SecondFactors,
    known_browsers: KnownBrowsers,
    status: int = 200,
) -> Response[SessionState]:
    """The state of a session that has a new token now."""
    account, _ = person(principal)
    return await session_answer(
        request,
        await accounts.by_id(account),
        started,
        await second_factors.of(account),
        known_browsers,
        kept_in(request),
        status,
    )


async def _proven(
    data: Proof,
    request: AnyRequest,
    principal: Principal,
    accounts: Accounts,
    second_factors: SecondFactors,
    known_browsers: KnownBrowsers,
    relying_parties: RelyingParties,
) -> Response[SessionState]:
    person(principal)
    if data.method == "passkey":
        if data.ceremony is None or data.credential is None:
            raise BadRequest("a passkey is shown with ceremony and credential")
        party = relying_parties.of(request.headers.get("host", ""))
        started = await second_factors.show_passkey(principal, data.ceremony, data.credential, party)
    else:
        if data.code is None:
            raise BadRequest("this method needs a code")
        browser = request.cookies.get(BROWSER_COOKIE)
        started = await second_factors.show_code(principal, data.method, data.code, browser)
    return await answer_again(request, principal, started, accounts, second_factors, known_browsers)


def _view(session: Session, current: UUID) -> SessionView:
    return SessionView(
        session.id,
        session.via,
        session.id == current,
        session.whole,
        session.address,
        session.agent,
        timestamp.encode(session.created),
        timestamp.encode(session.used),
        timestamp.encode(session.expires),
    )


SESSION_ROUTES: Final = (
    SessionController,
    SessionsController,
    change_password,
    my_permissions,
    step_up,
    step_up_options,
    verify_second_factor,
)
