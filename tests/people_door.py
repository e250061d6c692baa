"""Somebody at the front door, for tests: a browser's memory, an authenticator app, a passkey, and the steps they take."""

from __future__ import annotations

from base64 import b32decode
from dataclasses import dataclass
from uuid import UUID

from deedbox_server.people.accounts import Account
from deedbox_server.people.principal import Principal
from deedbox_server.people.relying_party import RelyingParty
from deedbox_server.people.signing_in import Caller
from deedbox_server.people.totp import SECONDS, code_at
from kit.authenticator import Authenticator
from people_box import PASSWORD, PeopleBox

HOME = Caller("192.0.2.7", "Firefox on the desk")
ELSEWHERE = Caller("198.51.100.9", "curl")
PARTY = RelyingParty("box.lan", "https://box.lan:8443")


@dataclass
class App:
    """An authenticator app, beside the box's clock."""

    box: PeopleBox
    secret: bytes

    def code(self, steps: int = 0) -> str:
        return code_at(self.secret, int(self.box.clock().timestamp()) // SECONDS + steps)


async def first_factor(box: PeopleBox, name: str = "Ada", caller: Caller = HOME) -> str:
    """The token of half a session."""
    _, started = await box.door.signing_in.by_password(name, PASSWORD, caller)
    return started.token


async def who(box: PeopleBox, token: str) -> Principal:
    return await box.sessions.by_token(token, HOME.address)


async def with_app(box: PeopleBox, name: str = "Ada") -> tuple[App, str]:
    """Signed in for the first time, with an app set up: the app, and the token of a whole session."""
    principal = await who(box, await first_factor(box, name))
    setup = await box.door.second_factors.begin_totp(principal)
    app = App(box, b32decode(setup.secret))
    started = await box.door.second_factors.confirm_totp(principal, app.code())
    assert started is not None
    return app, started.token


async def with_passkey(box: PeopleBox, name: str = "Ada", **made: object) -> tuple[Authenticator, str]:
    """The same with a passkey."""
    principal = await who(box, await first_factor(box, name))
    return await add_passkey(box, principal, **made)


async def add_passkey(box: PeopleBox, principal: Principal, **made: object) -> tuple[Authenticator, str]:
    """A further one; "" for the token where the session goes on as it was."""
    authenticator = Authenticator(**made)  # type: ignore[arg-type]
    ceremony, options = await box.door.second_factors.offer_passkey(principal, PARTY)
    answer = authenticator.create(options)
    _, started = await box.door.second_factors.add_passkey(principal, ceremony, "My laptop", answer, PARTY)
    return authenticator, "" if started is None else started.token


async def bob(box: PeopleBox, role: str = "paralegal") -> Account:
    return await box.accounts.create("Bob", role, PASSWORD)


async def passkey_of(box: PeopleBox, account: UUID) -> UUID:
    (one,) = (await box.door.second_factors.of(account)).passkeys
    return one.id
