"""Conditional reading in one place: a JSON answer with an entity tag is not sent again to who has it (RFC 9110 13.1.2)."""

from __future__ import annotations

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from deedbox_server.web.ranges import not_modified

_KEPT = frozenset({b"cache-control", b"etag", b"vary", b"link"})  # RFC 9110 15.4.5


def conditional(app: ASGIApp) -> ASGIApp:
    """Middleware: 304 without a body where `If-None-Match` has the ETag of a 200 to GET or HEAD."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] not in ("GET", "HEAD"):
            await app(scope, receive, send)
            return
        asked = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
        if not asked:
            await app(scope, receive, send)
            return
        unchanged = False

        async def sending(message: Message) -> None:
            nonlocal unchanged
            if message["type"] == "http.response.start":
                unchanged = _unchanged(message, ", ".join(asked))
                if unchanged:
                    kept = [(name, value) for name, value in message["headers"] if name.lower() in _KEPT]
                    await send({"type": "http.response.start", "status": 304, "headers": kept})
                    return
            elif unchanged and message["type"] == "http.response.body":
                if not message.get("more_body", False):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            await send(message)

        await app(scope, receive, sending)

    return serve


def _unchanged(start: HTTPResponseStartEvent, asked: str) -> bool:
    if start["status"] != 200:
        return False
    headers = {name.lower(): value for name, value in start["headers"]}
    tag = headers.get(b"etag")
    return (
        tag is not None
        and headers.get(b"content-type", b"").startswith(b"application/json")
        and not_modified(asked, tag.decode("latin-1"))
    )
