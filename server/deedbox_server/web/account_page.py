"""The page where people come in and look after how they do (`/account`): plain HTML and modules, no build step.

It has no more power than anybody's program: everything it does is a call of the API. Nothing in it can run but its own files, and
what the box tells it never becomes markup.
"""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from deedbox_server.errors import NotFound
from deedbox_server.settings import Settings
from deedbox_server.web.operations import open_to_all

_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data:",  # the QR code, drawn by the box
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-create=(self), publickey-credentials-get=(self), clipboard-write=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@get("/account", media_type="text/html", opt=open_to_all("the page to sign in at; it tells nothing"))
async def account_page(settings: NamedDependency[Settings]) -> Response[str]:
    """The page to register, sign in, and look after one's second factors, sessions and password."""
    text = _file("account.html")
    values = {"box": html.escape(settings.name), "directory": "no" if settings.oidc_issuer is None else "yes"}
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return Response(text, media_type="text/html", headers=_HEADERS)


@get("/account/{name:str}", opt=open_to_all("parts of the page to sign in at"))
async def account_file(name: FromPath[str]) -> Response[str]:
    """A script or style sheet of the account page."""
    kind = name.rpartition(".")[2]
    if name not in _names() or kind not in _TYPES:
        raise NotFound
    return Response(_file(name), media_type=_TYPES[kind], headers=_HEADERS)


@cache
def _names() -> frozenset[str]:
    return frozenset(one.name for one in files("deedbox_server.web").joinpath("account").iterdir())


@cache
def _file(name: str) -> str:
    return files("deedbox_server.web").joinpath("account", name).read_text("utf-8")


ACCOUNT_PAGE: Final = (account_page, account_file)
