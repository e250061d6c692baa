"""Signing in at the firm's directory (people/oidc): there, back, and what a person sees on the way."""

from __future__ import annotations

import html
import re
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Redirect

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, DeedboxError, Denied, NotFound, SecondFactorNeeded
from deedbox_server.people.oidc import ATTEMPT_LIFE, Arrived, Oidc
from deedbox_server.people.outside_identities import OutsideIdentities, OutsideIdentity
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.people.sessions import Sessions
from deedbox_server.settings import Settings
from deedbox_server.web.auth_answers import session_cookie
from deedbox_server.web.identity import address_of
from deedbox_server.web.operations import open_to_all, operation
from deedbox_server.web.problems import problem_response
from deedbox_sync import timestamp

ATTEMPT_COOKIE: Final = "__Host-deedbox-oidc"
CALLBACK: Final = "/api/v1/auth/oidc/callback"

_HOME: Final = "/account"  # the page that knows what is still to be shown
_PATH: Final = re.compile(r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]{0,500}")  # on this box and nowhere else
_MAX_AGENT: Final = 1000  # characters that are looked at
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} – Deedbox</title>{refresh}
<style>:root{{color-scheme:light dark}}body{{font:15px/1.5 Inter,system-ui,sans-serif;max-width:34rem;margin:64px auto;
padding:0 16px;background:#FAF8F4;color:#1C1F23}}a{{color:#8A6420}}
@media(prefers-color-scheme:dark){{body{{background:#15171A;color:#ECE8E1}}a{{color:#D9B36A}}}}</style></head>
<body><h1>{title}</h1><p>{text}</p><p><a href="{link}">{label}</a></p></body></html>
"""
_NO_SCRIPT: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _NO_SCRIPT,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

AnyRequest = Request[Any, Any, Any]


class LinkAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page of this box to come back to."""

    return_to: str = _HOME


class LinkBegun(msgspec.Struct, frozen=True):
    """Where the browser goes to sign in at the directory."""

    url: str


class IdentityAnswer(msgspec.Struct, frozen=True):
    """Somebody elsewhere who stands for the account here. `last_used` is the hour."""

    id: UUID
    issuer: str
    subject: str
    created: str
    last_used: str | None


class IdentityList(msgspec.Struct, frozen=True):
    """The account's identities elsewhere, oldest first."""

    items: list[IdentityAnswer]
    next: str | None


class OidcController(Controller):
    path = "/api/v1/auth"

    @get("/oidc/start", status_code=302, opt=open_to_all("whoever signs in is nobody yet"))
    async def start(
        self,
        request: AnyRequest,
        oidc: NamedDependency[Oidc],
        rate_limits: NamedDependency[RateLimits],
        settings: NamedDependency[Settings],
        return_to: Annotated[str, msgspec.Meta(max_length=501)] = _HOME,
    ) -> Response[Any]:
        """Sends the browser to the firm's directory. `return_to` is the page of this box to come back to."""
        try:
            rate_limits.take_stranger(address_of(request))
            begun = await oidc.start(_redirect_uri(request, settings), _checked_path(return_to))
        except DeedboxError as error:
            return _refusal(request, error)
        return Redirect(begun.url, status_code=302, headers=_HEADERS, cookies=[_attempt_cookie(begun.browser)])

    @get("/oidc/callback", opt=open_to_all("whoever comes back from the directory is signed in by this"))
    async def callback(
        self,
        request: AnyRequest,
        oidc: NamedDependency[Oidc],
        sessions: NamedDependency[Sessions],
        rate_limits: NamedDependency[RateLimits],
        settings: NamedDependency[Settings],
    ) -> Response[Any]:
        """Where the directory sends the browser back: a session, and a page that goes on to where the person wanted to be."""
        try:
            address = address_of(request)
            rate_limits.take_stranger(address)
            arrived = await oidc.finish(
                _query(request), request.cookies.get(ATTEMPT_COOKIE), _redirect_uri(request, settings)
            )
            cookies = [_gone(ATTEMPT_COOKIE)]
            if not arrived.linked:
                agent = request.headers.get("user-agent", "")[:_MAX_AGENT]
                started = await _start(sessions, arrived, address, agent)
                cookies.append(session_cookie(started))
        except DeedboxError as error:
            return _refusal(request, error)
        # A page and no redirect: to the browser that would be a foreign site's doing, and it would withhold cookies.
        refresh = f'<meta http-equiv="refresh" content="0;url={html.escape(arrived.return_to)}">'
        title = "Linked" if arrived.linked else "Signed in"
        page = _page(title, "You are being taken on.", arrived.return_to, "Go on", refresh)
        return Response(page, media_type="text/html", headers=_HEADERS, cookies=cookies)

    @post("/oidc/link", status_code=200, opt=operation("account.security"))
    async def link(
        self,
        request: AnyRequest,
        data: JSONBody[LinkAsked],
        oidc: NamedDependency[Oidc],
        principal: NamedDependency[Principal],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
        settings: NamedDependency[Settings],
    ) -> Response[LinkBegun]:
        """Begins to link one's identity at the directory to one's account: the browser goes to `url` and comes back."""
        account = await _own(principal, permissions, database)
        begun = await oidc.start(_redirect_uri(request, settings), _checked_path(data.return_to), account)
        return Response(LinkBegun(begun.url), headers=_HEADERS, cookies=[_attempt_cookie(begun.browser)])

    @get("/identities", opt=operation("account.self"))
    async def identities(
        self,
        outside_identities: NamedDependency[OutsideIdentities],
        principal: NamedDependency[Principal],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> IdentityList:
        """Who stands for one's account elsewhere."""
        await permissions.permit(database, principal, "account.self")
        if principal.account is None:
            raise Denied("only an account has identities")
        return IdentityList([_identity(one) for one in await outside_identities.of(principal.account)], None)

    @delete("/identities/{identity:uuid}", status_code=204, opt=operation("account.security"))
    async def unlink(
        self,
        identity: FromPath[UUID],
        outside_identities: NamedDependency[OutsideIdentities],
        principal: NamedDependency[Principal],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> None:
        """From now on it opens nothing here."""
        account = await _own(principal, permissions, database)
        await outside_identities.unlink(principal, account, identity)


async def _own(principal: Principal, permissions: Permissions, database: Database) -> UUID:
    """Who may in is decided by a person, at a page of this box, who has just shown who they are."""
    await permissions.permit(database, principal, "account.security")
    if principal.session is None or principal.account is None:
        raise Denied("sign in as yourself to change who may sign in as you")
    if not principal.strong:
        raise SecondFactorNeeded("show your second factor again, then repeat this")
    return principal.account


async def _start(sessions: Sessions, arrived: Arrived, address: str | None, agent: str) -> str:
    try:
        started = await sessions.start(arrived.account, "oidc", arrived.strong, address, agent)
    except NotFound:
        raise Denied("this account may not sign in: ask an administrator") from None
    return started.token


def _redirect_uri(request: AnyRequest, settings: Settings) -> str:
    """As it was registered with the directory, which compares it; else as the browser calls this box."""
    base = settings.public_url or f"https://{request.url.netloc}"
    return f"{base.rstrip('/')}{CALLBACK}"


def _query(request: AnyRequest) -> dict[str, str]:
    """Each parameter once: of two, nobody could say which was meant."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in found:
            raise BadRequest("the directory's answer says something twice")
        found[name] = str(value)
    return found


def _checked_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise BadRequest("the page to come back to is a path of this box")
    return path


def _attempt_cookie(value: str) -> Cookie:
    # Lax: it must come along when the directory sends the browser back.
    return _cookie(ATTEMPT_COOKIE, value, int(ATTEMPT_LIFE.total_seconds()))


def _cookie(name: str, value: str, age: int) -> Cookie:
    return Cookie(key=name, value=value, path="/", max_age=age, secure=True, httponly=True, samesite="lax")


def _gone(name: str) -> Cookie:
    return _cookie(name, "", 0)


def _refusal(request: AnyRequest, error: DeedboxError) -> Response[Any]:
    """A page for browsers; a problem document for everyone else. What is our own fault is told as any other."""
    answer = problem_response(request, error)
    if "text/html" not in request.headers.get("accept", ""):
        return answer
    text = html.escape(f"{error.title}: {error.detail}." if error.detail else f"{error.title}.")
    page = _page("You are not signed in", text, _HOME, "Back to the beginning", "")
    return Response(
        page, status_code=answer.status_code, media_type="text/html", headers={**answer.headers, **_HEADERS}
    )


def _page(title: str, text: str, link: str, label: str, refresh: str) -> str:
    return _PAGE.format(title=title, text=text, link=html.escape(link), label=label, refresh=refresh)


def _identity(one: OutsideIdentity) -> IdentityAnswer:
    used = None if one.last_used is None else timestamp.encode(one.last_used)
    return IdentityAnswer(one.id, one.issuer, one.subject, timestamp.encode(one.created), used)
