"""Who sends a request: an API key on the people's listener, a certificate on the devices'. Asked anew each time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from litestar import Litestar, Request
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deedbox_server.errors import Unauthenticated
from deedbox_server.people.accounts import Accounts
from deedbox_server.people.devices import Devices
from deedbox_server.people.principal import Principal
from deedbox_server.web.tls import PEER_EXTENSION

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,200})", re.IGNORECASE)  # RFC 6750 2.1


async def provide_person(request: Request[Any, Any, Any], accounts: NamedDependency[Accounts]) -> Principal:
    """The account whose API key the request carries. Unauthenticated without one, or with one that opens nothing."""
    values = request.headers.getall("authorization", [])
    bearer = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
    if bearer is None:
        raise Unauthenticated("send an API key as a bearer token")
    return replace(await accounts.by_key(bearer[1]), address=request.client.host if request.client else None)


async def provide_device(request: Request[Any, Any, Any], devices: NamedDependency[Devices]) -> Principal:
    """The device whose certificate TLS verified for this connection, looked up for this request."""
    peer = (request.scope.get("extensions") or {}).get(PEER_EXTENSION, {}).get("serial")
    if not isinstance(peer, str):
        raise Unauthenticated("a device certificate is needed")
    return replace(await devices.by_serial(peer), address=request.client.host if request.client else None)


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
