"""The caller's address in each request, where the people's listener stands behind a reverse proxy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_network

from litestar.types import ASGIApp, Receive, Scope, Send

from deedbox_server.people.networks import caller_address


def behind_proxies(proxies: Sequence[str], header: str) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware after which `request.client` is the caller and not the proxy (people/networks). Without proxies it does nothing:
    a forwarded address would be whatever the sender likes."""
    trusted, name = tuple(ip_network(network) for network in proxies), header.encode("ascii")

    def wrap(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if (client := scope.get("client")) is not None:
                values = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
                address = caller_address(client[0], header, values, trusted)
                scope["client"] = (address or client[0], client[1])
            await app(scope, receive, send)

        return answer if trusted else app

    return wrap
