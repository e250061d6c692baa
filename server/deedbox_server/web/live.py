"""Live events over HTTP: server-sent events, as a browser's EventSource reads them (SY-6).

After a break a client says `Last-Event-ID` and is told what it missed, or `reset`: load anew what is shown. Jobs and alarms are
states without an id; whoever comes again is told how they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final, cast

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Stream

from deedbox_server.errors import BadRequest
from deedbox_server.people import Principal
from deedbox_server.trail import Beat, Happened, Live, Piece, Reset
from deedbox_server.web.operations import operation

MEDIA_TYPE: Final = "text/event-stream"
_RETRY_MS: Final = 3_000
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # a reverse proxy that gathers would hold events back
    "x-content-type-options": "nosniff",
}


@get("/api/v1/events/stream", opt=operation("events.listen"))
async def event_stream(
    request: Request[Any, Any, Any], live: NamedDependency[Live], principal: NamedDependency[Principal]
) -> Stream:
    """What happens in the caller's cases from now on, or from after `Last-Event-ID`, as server-sent events."""
    pieces = await live.listen(principal, _last(request.headers.get("last-event-id")))
    return Stream(_lines(pieces), media_type=MEDIA_TYPE, headers=_HEADERS)


async def _lines(pieces: AsyncIterator[Piece]) -> AsyncIterator[bytes]:
    yield f"retry: {_RETRY_MS}\n\n".encode()
    async with aclosing(cast("Any", pieces)):
        async for piece in pieces:
            yield encode(piece)


def encode(piece: Piece) -> bytes:
    """A piece as the stream's lines (HTML, 9.2.6)."""
    match piece:
        case Beat(seq):
            return (
                f"id: {seq}\n\n".encode() if seq >= 0 else b":\n\n"
            )  # an id alone moves the place and dispatches nothing
        case Reset(seq):
            return f"id: {max(seq, 0)}\nevent: reset\ndata: {{}}\n\n".encode()
        case tuple():
            return b"".join(_event(one) for one in piece)


def _event(one: Happened) -> bytes:
    data: dict[str, object] = dict(one.data)
    if one.case is not None:
        data["case"] = str(one.case)
    if one.object is not None:
        data["object"] = str(one.object)
    place = "" if one.seq is None else f"id: {one.seq}\n"
    return f"{place}event: {one.topic}\ndata: {json.dumps(data, sort_keys=True)}\n\n".encode()


def _last(text: str | None) -> int | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise BadRequest("Last-Event-ID is the id of an event of this stream")
    return int(text)
