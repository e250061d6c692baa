"""One's own second factors: an authenticator app, passkeys, recovery codes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
import segno
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from deedbox_server.people.accounts import Accounts
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.passkeys import MAX_PASSKEY_NAME, Passkey
from deedbox_server.people.principal import Principal
from deedbox_server.people.relying_party import RelyingParties
from deedbox_server.people.second_factors import SecondFactors
from deedbox_server.people.sessions import Sessions, Started, person
from deedbox_server.web.auth import Ceremony
from deedbox_server.web.auth_answers import MAX_BODY, NO_STORE, SessionState, session_state
from deedbox_server.web.identity import before_second_factor
from deedbox_server.web.operations import operation
from deedbox_server.web.sessions import answer_again
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]
_SET_UP = operation("account.security") | before_second_factor("the first factor is set up in half a session")
_OWN = operation("account.security")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASSKEY_NAME)]


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(max_length=100)]


class NewPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`credential`: what `navigator.credentials.create` gave, as `toJSON` writes it."""

    ceremony: UUID
    name: Name
    credential: dict[str, Any]


class Renaming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name


class PasskeyView(msgspec.Struct, frozen=True):
    """`host`: the name of the box that it works under. `backed_up`: its maker keeps copies of it for its owner."""

    id: UUID
    name: str
    host: str
    backed_up: bool
    created: str
    used: str | None


class FactorsView(msgspec.Struct, frozen=True):
    """`totp`: since when there is an app. `required`: the last factor cannot be removed."""

    totp: str | None
    passkeys: list[PasskeyView]
    recovery_left: int
    required: bool


class TotpView(msgspec.Struct, frozen=True):
    """For the app: the same as text in Base32, as an address, and as a QR code (SVG) of that address. Shown this once."""

    secret: str
    uri: str
    qr: str


class RecoveryView(msgspec.Struct, frozen=True):
    """Shown this once; each is good once."""

    codes: list[str]


class AddedPasskey(msgspec.Struct, frozen=True):
    passkey: PasskeyView
    session: SessionState


class FactorController(Controller):
    path = "/api/v1/auth/factors"
    request_max_body_size = MAX_BODY

    @get("/", opt=_SET_UP)
    async def listed(
        self, principal: NamedDependency[Principal], second_factors: NamedDependency[SecondFactors]
    ) -> Response[FactorsView]:
        """What is set up."""
        account, _ = person(principal)
        found = await second_factors.of(account)
        view = FactorsView(
            None if found.totp is None else timestamp.encode(found.totp),
            [_passkey(one) for one in found.passkeys],
            found.recovery_left,
            found.required,
        )
        return Response(view, headers=NO_STORE)

    @post("/totp", status_code=201, opt=_SET_UP)
    async def begin_totp(
        self, principal: NamedDependency[Principal], second_factors: NamedDependency[SecondFactors]
    ) -> Response[TotpView]:
        """A secret for an authenticator app; it counts once the app has shown a code of it."""
        made = await second_factors.begin_totp(principal)
        return Response(TotpView(made.secret, made.uri, _qr(made.uri)), status_code=201, headers=NO_STORE)

    @post("/totp/confirm", status_code=200, opt=_SET_UP)
    async def confirm_totp(
        self,
        data: JSONBody[Code],
        request: AnyRequest,
        principal: NamedDependency[Principal],
        accounts: NamedDependency[Accounts],
        sessions: NamedDependency[Sessions],
        second_factors: NamedDependency[SecondFactors],
        known_browsers: NamedDependency[KnownBrowsers],
    ) -> Response[SessionState]:
        """The app's first code. If it is the first factor, the session goes on under a new token."""
        started = await second_factors.confirm_totp(principal, data.code)
        return await _state(request, principal, started, accounts, sessions, second_factors, known_browsers)

    @delete("/totp", status_code=204, opt=_OWN)
    async def remove_totp(
        self, principal: NamedDependency[Principal], second_factors: NamedDependency[SecondFactors]
    ) -> None:
        """Takes the app away, unless it is the last factor where one is required."""
        await second_factors.remove_totp(principal)

    @post("/passkeys/options", status_code=200, opt=_SET_UP)
    async def passkey_options(
        self,
        request: AnyRequest,
        principal: NamedDependency[Principal],
        second_factors: NamedDependency[SecondFactors],
        relying_parties: NamedDependency[RelyingParties],
    ) -> Response[Ceremony]:
        """Begins making a passkey."""
        party = relying_parties.of(request.headers.get("host", ""))
        ceremony, options = await second_factors.offer_passkey(principal, party)
        return Response(Ceremony(ceremony, options), headers=NO_STORE)

    @post("/passkeys", status_code=201, opt=_SET_UP)
    async def add_passkey(
        self,
        data: JSONBody[NewPasskey],
        request: AnyRequest,
        principal: NamedDependency[Principal],
        accounts: NamedDependency[Accounts],
        sessions: NamedDependency[Sessions],
        second_factors: NamedDependency[SecondFactors],
        known_browsers: NamedDependency[KnownBrowsers],
        relying_parties: NamedDependency[RelyingParties],
    ) -> Response[AddedPasskey]:
        """The passkey that was made. If it is the first factor, the session goes on under a new token."""
        party = relying_parties.of(request.headers.get("host", ""))
        made, started = await second_factors.add_passkey(principal, data.ceremony, data.name, data.credential, party)
        state = await _state(request, principal, started, accounts, sessions, second_factors, known_browsers)
        body = AddedPasskey(_passkey(made), state.content)
        return Response(body, status_code=201, headers=NO_STORE, cookies=state.cookies)

    @patch("/passkeys/{passkey:uuid}", opt=_OWN)
    async def rename_passkey(
        self,
        passkey: FromPath[UUID],
        data: JSONBody[Renaming],
        principal: NamedDependency[Principal],
        second_factors: NamedDependency[SecondFactors],
    ) -> PasskeyView:
        """Another name for a passkey."""
        return _passkey(await second_factors.rename_passkey(principal, passkey, data.name))

    @delete("/passkeys/{passkey:uuid}", status_code=204, opt=_OWN)
    async def remove_passkey(
        self,
        passkey: FromPath[UUID],
        principal: NamedDependency[Principal],
        second_factors: NamedDependency[SecondFactors],
    ) -> None:
        """The passkey opens nothing any more, unless it is the last factor where one is required."""
        await second_factors.remove_passkey(principal, passkey)

    @post("/recovery", status_code=201, opt=_OWN)
    async def renew_recovery(
        self, principal: NamedDependency[Principal], second_factors: NamedDependency[SecondFactors]
    ) -> Response[RecoveryView]:
        """Ten recovery codes; those before are void."""
        codes = await second_factors.renew_recovery(principal)
        return Response(RecoveryView(codes), status_code=201, headers=NO_STORE)


async def _state(
    request: AnyRequest,
    principal: Principal,
    started: Started | None,
    accounts: Accounts,
    sessions: Sessions,
    second_factors: SecondFactors,
    known_browsers: KnownBrowsers,
) -> Response[SessionState]:
    if started is not None:
        return await answer_again(request, principal, started, accounts, second_factors, known_browsers)
    account, session = person(principal)
    factors = await second_factors.of(account)
    state = session_state(await accounts.by_id(account), await sessions.get(session), factors)
    return Response(state, headers=NO_STORE)


def _qr(uri: str) -> str:
    """Dark on light whatever the page is: cameras expect it."""
    return str(segno.make(uri, error="m").svg_inline(scale=4, border=4, dark="#1c1f23", light="#ffffff", omitsize=True))


def _passkey(passkey: Passkey) -> PasskeyView:
    used = None if passkey.used is None else timestamp.encode(passkey.used)
    return PasskeyView(passkey.id, passkey.name, passkey.rp, passkey.backed_up, timestamp.encode(passkey.created), used)
