"""The API described at the box itself: the OpenAPI documents, and a page to browse them that loads nothing from elsewhere.

Open to all: it says what calls there are, which anybody can read in the program, and nothing of this box.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import msgspec
import openapi_ui_bundles.rapidoc
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from deedbox_server.errors import NotFound
from deedbox_server.web.operations import open_to_all

Describe = Callable[[Any], bytes]

# RapiDoc writes one sheet of styles from its colours, of which there are two (docs.js): they are let in by what they are, and no
# other sheet or script that stands in the page itself. Its rows are laid out with style attributes. A test looks with a browser.
_STYLES: Final = (
    "'sha256-C239BKxr6/3g4Z4HagoICdD/Tszd6Ki3aCVSuU4hFOQ=' 'sha256-X92wZTLdcAA+hrhGUhlqca1TEP/p0iBs6BN+PFjcItc='"
)
_POLICY: Final = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_STYLES}; style-src-attr 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_FILES: Final = {
    "docs.css": "text/css; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
    "rapidoc.js": "text/javascript; charset=utf-8",
}
_OPEN: Final = open_to_all("what calls there are, anybody can read in the program; of this box it tells nothing")


class Root(msgspec.Struct, frozen=True):
    """What answers here, and where its calls are described."""

    name: str
    version: str
    documentation: str
    openapi: str


@get("/", opt=_OPEN)
async def root() -> Root:
    """What answers here, and where its calls are described."""
    return Root("Deedbox", version("deedbox"), "/docs", "/openapi.json")


@get("/openapi.json", opt=_OPEN)
async def openapi_document(describe: NamedDependency[Describe]) -> Response[bytes]:
    """The calls of people and their programs, as OpenAPI 3.1."""
    return _document(await asyncio.to_thread(describe, "people"))


@get("/openapi-device.json", opt=_OPEN)
async def openapi_device_document(describe: NamedDependency[Describe]) -> Response[bytes]:
    """The calls of desks, as OpenAPI 3.1."""
    return _document(await asyncio.to_thread(describe, "device"))


@get("/docs", media_type="text/html", opt=_OPEN)
async def docs_page() -> Response[bytes]:
    """All of this to browse."""
    return Response(_file("docs.html"), media_type="text/html; charset=utf-8", headers=_HEADERS)


@get("/docs/{name:str}", opt=_OPEN)
async def docs_file(name: FromPath[str]) -> Response[bytes]:
    """What the page to browse is made of."""
    if name not in _FILES:
        raise NotFound
    headers = _HEADERS | {"cache-control": "public, max-age=3600", "content-type": _FILES[name]}
    return Response(_file(name), headers=headers)


def _document(text: bytes) -> Response[bytes]:
    return Response(text, media_type="application/json", headers={"cache-control": "public, max-age=300"})


@cache
def _file(name: str) -> bytes:
    if name == "rapidoc.js":
        return (openapi_ui_bundles.rapidoc.static_path / "rapidoc-min.js").read_bytes()
    return files("deedbox_server.web").joinpath("documentation", name).read_bytes()
