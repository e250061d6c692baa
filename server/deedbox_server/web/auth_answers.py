"""What signing in answers: how far the session is, and its token, in a cookie for browsers or in the body for programs."""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from deedbox_server.people.accounts import Account
from deedbox_server.people.known_browsers import KNOWN_FOR, KnownBrowsers
from deedbox_server.people.second_factors import Factors
from deedbox_server.people.sessions import STRONG_FOR, Session, Started
from deedbox_server.web.identity import SESSION_COOKIE
from deedbox_sync import timestamp

BROWSER_COOKIE: Final = "__Host-deedbox-browser"
NO_STORE: Final = {"Cache-Control": "no-store"}
MAX_BODY: Final = 64 << 10  # bytes; a passkey's answer is a few thousand

Keep = Literal["cookie", "token"]
State = Literal["signed-in", "second-factor", "set-up"]


class AccountBrief(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    role: str
    sign_in: str | None


class SessionState(msgspec.Struct, frozen=True):
    """`state`: signed in; or the second factor is to be shown, by one of `methods`; or one is to be set up. `token` is null where
    it is in the cookie. `strong_until`: until when what asks for a second factor shown of late may be done."""

    state: State
    account: AccountBrief
    methods: list[str]
    expires: str
    strong_until: str | None
    token: str | None = None


def session_state(account: Account, session: Session, factors: Factors, token: str | None = None) -> SessionState:
    state: State = "signed-in" if session.whole else "second-factor" if factors.any else "set-up"
    shown = session.shown
    return SessionState(
        state,
        AccountBrief(account.id, account.name, account.role, account.sign_in),
        list(factors.methods),
        timestamp.encode(session.expires),
        timestamp.encode(shown + STRONG_FOR) if shown is not None and session.whole else None,
        token,
    )


async def session_answer(
    request: Request[Any, Any, Any],
    account: Account,
    started: Started,
    factors: Factors,
    browsers: KnownBrowsers,
    keep: Keep,
    status: int = 200,
) -> Response[SessionState]:
    """The token goes where it is to be kept, and nowhere else. A browser in which somebody has signed in is remembered."""
    if keep == "token":
        body = session_state(account, started.session, factors, started.token)
        return Response(body, status_code=status, headers=NO_STORE)
    cookies = [session_cookie(started.token)]
    if started.session.whole:
        token = await browsers.remember(request.cookies.get(BROWSER_COOKIE), account.id)
        if token is not None:
            cookies.append(_cookie(BROWSER_COOKIE, token.text, int(KNOWN_FOR.total_seconds())))
    body = session_state(account, started.session, factors)
    return Response(body, status_code=status, headers=NO_STORE, cookies=cookies)


def kept_in(request: Request[Any, Any, Any]) -> Keep:
    """Where the token of a session that is under way is kept: where it came from."""
    return "token" if "authorization" in request.headers else "cookie"


def session_cookie(token: str) -> Cookie:
    """Gone with the browser; the box's own limits end it before."""
    return _cookie(SESSION_COOKIE, token, None)


def no_session_cookie() -> Cookie:
    return _cookie(SESSION_COOKIE, "", 0)


def _cookie(name: str, value: str, seconds: int | None) -> Cookie:
    return Cookie(key=name, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
