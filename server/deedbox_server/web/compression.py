"""Shorter JSON, by gzip, for who accepts it.

Only whole JSON answers to those who asked for it, and never one that says `no-store`: what carries a secret beside text that a
caller chose would tell the secret by its length (BREACH). Files, ranges and streams go as they are: what is stored is compressed
already or is to be had as its very bytes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

MIN_LENGTH: Final = 1_024  # below it fits one packet anyway
MAX_LENGTH: Final = 8 << 20  # held whole; no JSON answer of ours is longer
_LEVEL: Final = 5
_GZIP: Final = (
    31  # zlib's window bits for gzip's own frame, which then bears no time: the same answer is the same bytes
)
_ACCEPTS: Final = re.compile(
    r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?P<q>[01](?:\.[0-9]{0,3})?))?\s*(?=,|$)", re.IGNORECASE
)
_JSON: Final = (b"application/json", b"application/problem+json")


def compressed(app: ASGIApp) -> ASGIApp:
    """Middleware: JSON answers in gzip."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not _accepts(scope["headers"]):
            await app(scope, receive, send)
            return
        held: HTTPResponseStartEvent | None = None

        async def sending(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_meant(message):
                held = message
                return
            if held is not None:
                start, held = held, None
                if message["type"] == "http.response.body" and not message.get("more_body", False):
                    body = message.get("body", b"")
                    if scope["method"] != "HEAD" and MIN_LENGTH <= len(body) <= MAX_LENGTH:
                        await _send_short(start, body, send)
                        return
                start["headers"] = [*start["headers"], (b"vary", b"Accept-Encoding")]
                await send(start)
            await send(message)

        await app(scope, receive, sending)

    return serve


def _accepts(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    asked = ",".join(value.decode("latin-1") for name, value in headers if name == b"accept-encoding")
    found = _ACCEPTS.search(asked)
    return found is not None and float(found["q"] or 1) > 0


def _is_meant(start: HTTPResponseStartEvent) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    return (
        headers.get(b"content-type", b"").split(b";")[0] in _JSON
        and b"content-encoding" not in headers
        and b"etag" not in headers  # which names one row of bytes (RFC 9110 8.8.3), and comes back as If-Match
        and b"no-store" not in headers.get(b"cache-control", b"")
    )


async def _send_short(start: HTTPResponseStartEvent, body: bytes, send: Send) -> None:
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed = packing.compress(body) + packing.flush()
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    headers += [
        (b"content-encoding", b"gzip"),
        (b"content-length", str(len(packed)).encode()),
        (b"vary", b"Accept-Encoding"),
    ]
    start["headers"] = headers
    await send(start)
    await send({"type": "http.response.body", "body": packed, "more_body": False})
