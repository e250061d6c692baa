"""Who sends a request, asked anew each time: on the people's listener an API key, a session (as a bearer token or a browser's
cookie); a certificate on the devices'.

A cookie is sent by a browser whoever made it ask, so that with a cookie the request must come from this box's own pages.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from litestar import Litestar, Request
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deedbox_server.errors import SecondFactorNeeded, Unauthenticated
from deedbox_server.people.devices import Devices
from deedbox_server.people.key_service import ApiKeys, KeyOutOfPlace
from deedbox_server.people.outside_tokens import OutsideTokens
from deedbox_server.people.principal import Principal
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.people.sessions import Sessions, is_half
from deedbox_server.people.signed_calls import SignedCalls
from deedbox_server.web.recording import known
from deedbox_server.web.same_origin import refuse_foreign
from deedbox_server.web.signed import is_signed, signer
from deedbox_server.web.tls import PEER_EXTENSION

# `__Host-`: a browser takes it over TLS only, for this host only, and from nobody but this host (RFC 6265bis 4.1.3.2).
SESSION_COOKIE: Final = "__Host-deedbox"
BEFORE_SECOND_FACTOR: Final = "deedbox_before_second_factor"

# RFC 6750 2.1; as long as an outside issuer's token may be.
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,16384})", re.IGNORECASE)
_SESSION: Final = "dbs_"


def before_second_factor(why: str) -> dict[str, Any]:
    """`opt` of a handler that a session may call whose second factor is still to be shown or set up, and why that is right."""
    return {BEFORE_SECOND_FACTOR: why}


async def provide_person(
    request: Request[Any, Any, Any],
    api_keys: NamedDependency[ApiKeys],
    sessions: NamedDependency[Sessions],
    signed_calls: NamedDependency[SignedCalls],
    outside_tokens: NamedDependency[OutsideTokens],
    rate_limits: NamedDependency[RateLimits],
) -> Principal:
    """The account whose API key, session or token the request carries, or whose key signed it. Unauthenticated without one, or
    with one that opens nothing; SecondFactorNeeded for half a session, but where the handler says `before_second_factor`;
    TooMany for one that calls too often, also with what opens nothing."""
    try:
        if is_signed(request):
            principal = await _signer(request, signed_calls)
        else:
            principal = await _person(request, api_keys, sessions, outside_tokens)
    except KeyOutOfPlace as error:
        known(request, error.principal)
        raise
    except Unauthenticated:
        if is_signed(request) or "authorization" in request.headers or SESSION_COOKIE in request.cookies:
            rate_limits.take_stranger(address_of(request))
        raise
    known(request, principal)
    rate_limits.take(principal)
    if is_half(principal) and BEFORE_SECOND_FACTOR not in request.route_handler.opt:
        raise SecondFactorNeeded("show your second factor, or set one up, to go on")
    return principal


async def _signer(request: Request[Any, Any, Any], signed_calls: SignedCalls) -> Principal:
    if "authorization" in request.headers or SESSION_COOKIE in request.cookies:
        raise Unauthenticated("a call is signed, or carries a token: not both")
    return await signer(request, signed_calls)


async def _person(
    request: Request[Any, Any, Any], api_keys: ApiKeys, sessions: Sessions, outside_tokens: OutsideTokens
) -> Principal:
    address = address_of(request)
    values = request.headers.getall("authorization", [])
    if values:
        bearer = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
        if bearer is None:
            raise Unauthenticated("send an API key, or a session's token, as a bearer token")
        if bearer[1].startswith(_SESSION):
            return await sessions.by_token(bearer[1], address)
        if bearer[1].count(".") == 2:  # neither a key nor a session has a dot in it
            return await outside_tokens.by_token(bearer[1], address)
        return await api_keys.by_text(bearer[1], address)
    if (token := request.cookies.get(SESSION_COOKIE)) is not None:
        refuse_foreign(request)
        return await sessions.by_token(token, address)
    raise Unauthenticated("send an API key, or a session's token, as a bearer token")


def address_of(request: Request[Any, Any, Any]) -> str | None:
    """The caller's IP address: of the connection or, behind a trusted proxy, the one that this says (web/proxies)."""
    return request.client.host if request.client else None


async def provide_device(
    request: Request[Any, Any, Any], devices: NamedDependency[Devices], rate_limits: NamedDependency[RateLimits]
) -> Principal:
    """The device whose certificate TLS verified for this connection, looked up for this request."""
    peer = (request.scope.get("extensions") or {}).get(PEER_EXTENSION, {}).get("serial")
    if not isinstance(peer, str):
        raise Unauthenticated("a device certificate is needed")
    principal = replace(await devices.by_serial(peer), address=address_of(request))
    known(request, principal)
    rate_limits.take(principal)
    return principal


def open_routes(app: Litestar) -> frozenset[str]:
    """The routes that ask for no principal, directly or through what they depend on: whoever reaches the listener may
    call them. For a test that names them one by one."""
    found: set[str] = set()
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and not _asks_who(handler):
                found.update(f"{method} {route.path}" for method in handler.http_methods if method != "OPTIONS")
    return frozenset(found)


def _asks_who(handler: HTTPRouteHandler) -> bool:
    providers = handler.resolve_dependencies()
    wanted, seen = list(handler.parsed_fn_signature.parameters), set()
    while wanted:
        name = wanted.pop()
        if name == "principal":
            return True
        if name in providers and name not in seen:
            seen.add(name)
            wanted += list(providers[name].parsed_fn_signature.parameters)
    return False
