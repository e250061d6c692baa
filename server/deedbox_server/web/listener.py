"""What both listeners do before a route is found: HEAD for every GET, and no address or JSON that cannot be stored as text."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from litestar import Litestar, Request
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Message, Receive, Scope, Send

from deedbox_server.errors import BadRequest, DeedboxError
from deedbox_server.web.problems import problem_response

_NUL_IN_JSON: Final = re.compile(
    rb"(?<!\\)(?:\\\\)*\\u0000"
)  # an escaped NUL, and not an escaped backslash before `u0000`
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PLACE: Final = re.compile(r"\{[^}:]+(?::(\w+))?\}")


class NotJson(DeedboxError):
    slug, status, title = "not-json", 415, "The body of this call is JSON, of the type application/json"


class BoxRequest(Request[Any, Any, Any]):
    """A request whose JSON says that it is JSON and holds no NUL, which no text in the database can."""

    async def json(self) -> Any:
        kind = self.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if kind and kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise NotJson
        if _NUL_IN_JSON.search(await self.body()):
            raise BadRequest("text cannot hold the character NUL")
        return await super().json()


class Listener(Litestar):
    """The framework's application with what it leaves out."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if scope["type"] != ScopeType.HTTP:
            await super().__call__(scope, receive, send)
            return
        if (wrong := _wrong_address(scope)) is not None:
            scope["litestar_app"] = self
            response = problem_response(Request(scope, receive, send), wrong)
            await response.to_asgi_response(app=None, request=Request(scope, receive, send))(scope, receive, send)
            return
        send = _naming_head(send, self._methods(scope["path"]) if scope["method"] == "OPTIONS" else frozenset())
        if scope["method"] != "HEAD" or self._has_own_head(scope["path"]):
            await super().__call__(scope, receive, send)
            return
        await super().__call__(cast("Scope", {**scope, "method": "GET"}), receive, _headers_only(send))

    def _has_own_head(self, path: str) -> bool:
        if self._own_heads is None:
            self._own_heads = [_pattern(route.path) for route in self.routes if "HEAD" in getattr(route, "methods", ())]
        return any(pattern.fullmatch(path) for pattern in self._own_heads)

    def _methods(self, path: str) -> frozenset[str]:
        """What a path answers: where several handlers share it, the framework's answer to OPTIONS names the first one's only."""
        if self._answered is None:
            routes = sorted(self.routes, key=lambda route: route.path.count("{"))
            self._answered = [(_pattern(one.path), frozenset(getattr(one, "methods", ()))) for one in routes]
        return next((methods for pattern, methods in self._answered if pattern.fullmatch(path)), frozenset())

    _answered: list[tuple[re.Pattern[str], frozenset[str]]] | None = None
    _own_heads: list[re.Pattern[str]] | None = None


def _wrong_address(scope: HTTPScope) -> DeedboxError | None:
    raw, query = scope.get("raw_path") or b"", scope["query_string"]
    if "\0" in scope["path"] or b"%00" in raw or b"%00" in query:
        return BadRequest("an address cannot hold the character NUL")
    if _BAD_ESCAPE.search(raw) or _BAD_ESCAPE.search(query):
        return BadRequest("a percent sign in an address is followed by two hex digits (RFC 3986 2.1)")
    if "\ufffd" in scope["path"]:
        return BadRequest("an address is UTF-8")
    return None


def _pattern(path: str) -> re.Pattern[str]:
    """What a route's path matches, as far as it tells its routes apart."""
    pieces, end = [], 0
    for place in _PLACE.finditer(path):
        pieces += [re.escape(path[end : place.start()]), ".+" if place[1] == "path" else "[^/]+"]
        end = place.end()
    return re.compile("".join([*pieces, re.escape(path[end:])]) + "/?")


def _naming_head(send: Send, methods: frozenset[str]) -> Send:
    """Where `Allow` names GET it names HEAD, and all of `methods`."""
    more = {method.encode() for method in methods}

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [_with_head(*header, more) for header in message["headers"]]
        await send(message)

    return sending


def _with_head(name: bytes, value: bytes, more: set[bytes]) -> tuple[bytes, bytes]:
    if name.lower() != b"allow":
        return name, value
    methods = {method.strip() for method in value.split(b",")} | more
    return name, b", ".join(sorted(methods | {b"HEAD"} if b"GET" in methods else methods))


def _headers_only(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message.get("more_body", False):
                return
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    return sending
