"""Coming in: registering from an invitation, signing in by password or passkey, a new password by an administrator's link."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from deedbox_server.errors import DeedboxError
from deedbox_server.people.invitations import Invitations
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.people.relying_party import RelyingParties
from deedbox_server.people.second_factors import SecondFactors
from deedbox_server.people.sessions import Sessions
from deedbox_server.people.signing_in import Caller, SigningIn
from deedbox_server.web.auth_answers import (
    BROWSER_COOKIE,
    MAX_BODY,
    NO_STORE,
    Keep,
    SessionState,
    session_answer,
)
from deedbox_server.web.identity import SESSION_COOKIE, address_of
from deedbox_server.web.operations import open_to_all
from deedbox_server.web.same_origin import refuse_foreign_browser
from deedbox_sync import timestamp

_LONG: Final = 1024  # characters of any text here

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONG)]
AnyRequest = Request[Any, Any, Any]


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token of an invitation, or of a link for a new password."""

    token: Text


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the person chooses; everything else is in the invitation."""

    token: Text
    sign_in: Text
    password: Text
    keep: Keep = "cookie"


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: Text
    password: Text


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keep`: a browser keeps the session in a cookie, a program takes its token from the answer."""

    name: Text
    password: Text
    keep: Keep = "cookie"


class PasskeyLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`credential`: what `navigator.credentials.get` gave, as `toJSON` writes it."""

    ceremony: UUID
    credential: dict[str, Any]
    keep: Keep = "cookie"


class Ceremony(msgspec.Struct, frozen=True):
    """`options` for the browser's `navigator.credentials`, in WebAuthn's own JSON form."""

    ceremony: UUID
    options: dict[str, Any]


class LinkView(msgspec.Struct, frozen=True):
    """Who is meant, before they answer."""

    kind: str
    name: str
    role: str
    expires: str
    invited_by: str


class AuthController(Controller):
    """Open to strangers, who are paced by address; another site's page cannot have a browser do any of it."""

    path = "/api/v1/auth"
    request_max_body_size = MAX_BODY

    @post("/invitation", status_code=200, opt=open_to_all("the token of the link is what opens it"))
    async def look(
        self,
        data: JSONBody[Link],
        request: AnyRequest,
        invitations: NamedDependency[Invitations],
        rate_limits: NamedDependency[RateLimits],
    ) -> Response[LinkView]:
        """Whom the link of an invitation is for."""
        _stranger(request, rate_limits)
        found = await invitations.look(data.token)
        view = LinkView(found.kind, found.name, found.role, timestamp.encode(found.expires), found.made_by)
        return Response(view, headers=NO_STORE)

    @post("/register", status_code=201, opt=open_to_all("the token of an invitation is what opens it"))
    async def register(
        self,
        data: JSONBody[Registration],
        request: AnyRequest,
        invitations: NamedDependency[Invitations],
        sessions: NamedDependency[Sessions],
        second_factors: NamedDependency[SecondFactors],
        known_browsers: NamedDependency[KnownBrowsers],
        rate_limits: NamedDependency[RateLimits],
    ) -> Response[SessionState]:
        """Makes the account of an invitation, once, and begins its first session."""
        caller = _stranger(request, rate_limits)
        account = await invitations.register(data.token, data.sign_in, data.password, caller.address)
        await _leave(request, sessions)
        started = await sessions.start(account.id, "password", False, caller.address, caller.agent)
        factors = await second_factors.of(account.id)
        return await session_answer(request, account, started, factors, known_browsers, data.keep, 201)

    @post("/reset-password", status_code=204, opt=open_to_all("the token of an administrator's link is what opens it"))
    async def reset_password(
        self,
        data: JSONBody[NewPassword],
        request: AnyRequest,
        invitations: NamedDependency[Invitations],
        rate_limits: NamedDependency[RateLimits],
    ) -> None:
        """A new password, by a link that an administrator made; every session of the account ends."""
        caller = _stranger(request, rate_limits)
        await invitations.reset_password(data.token, data.password, caller.address)

    @post("/login", status_code=200, opt=open_to_all("this is how somebody becomes known"))
    async def login(
        self,
        data: JSONBody[Login],
        request: AnyRequest,
        signing_in: NamedDependency[SigningIn],
        sessions: NamedDependency[Sessions],
        second_factors: NamedDependency[SecondFactors],
        known_browsers: NamedDependency[KnownBrowsers],
        rate_limits: NamedDependency[RateLimits],
    ) -> Response[SessionState]:
        """The first factor: name and password. The answer says what comes next."""
        caller = _stranger(request, rate_limits)
        account, started = await signing_in.by_password(data.name, data.password, caller)
        await _leave(request, sessions)
        factors = await second_factors.of(account.id)
        return await session_answer(request, account, started, factors, known_browsers, data.keep)

    @post("/passkey/options", status_code=200, opt=open_to_all("a challenge, for whoever has a passkey"))
    async def passkey_options(
        self,
        request: AnyRequest,
        signing_in: NamedDependency[SigningIn],
        relying_parties: NamedDependency[RelyingParties],
        rate_limits: NamedDependency[RateLimits],
    ) -> Response[Ceremony]:
        """Begins a sign-in by passkey alone."""
        _stranger(request, rate_limits)
        ceremony, options = await signing_in.ask_passkey(relying_parties.of(request.headers.get("host", "")))
        return Response(Ceremony(ceremony, options), headers=NO_STORE)

    @post("/passkey", status_code=200, opt=open_to_all("this is how somebody becomes known"))
    async def passkey(
        self,
        data: JSONBody[PasskeyLogin],
        request: AnyRequest,
        signing_in: NamedDependency[SigningIn],
        sessions: NamedDependency[Sessions],
        second_factors: NamedDependency[SecondFactors],
        known_browsers: NamedDependency[KnownBrowsers],
        relying_parties: NamedDependency[RelyingParties],
        rate_limits: NamedDependency[RateLimits],
    ) -> Response[SessionState]:
        """Both factors at once: a passkey that verified its owner."""
        caller = _stranger(request, rate_limits)
        party = relying_parties.of(request.headers.get("host", ""))
        account, started = await signing_in.by_passkey(data.ceremony, data.credential, party, caller)
        await _leave(request, sessions)
        factors = await second_factors.of(account.id)
        return await session_answer(request, account, started, factors, known_browsers, data.keep)


def _stranger(request: AnyRequest, rate_limits: RateLimits) -> Caller:
    """Paced by address, before anything is looked at; refused if another site's page is behind it."""
    address = address_of(request)
    rate_limits.take_stranger(address)
    refuse_foreign_browser(request)
    return Caller(address, request.headers.get("user-agent", ""), request.cookies.get(BROWSER_COOKIE))


async def _leave(request: AnyRequest, sessions: Sessions) -> None:
    """Whoever signs in leaves the session that this browser had; a cookie that somebody else put there opens nothing new."""
    if (token := request.cookies.get(SESSION_COOKIE)) is not None:
        with suppress(DeedboxError):  # it had ended already
            before = await sessions.by_token(token, address_of(request))
            if before.session is not None:
                await sessions.end(before, before.session)
