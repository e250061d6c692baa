"""The service's two calls (`formats/identifier.md`) over HTTP, and every error as a problem document (RFC 9457)."""

from __future__ import annotations

import logging
import math
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException

from deedbox_disk.errors import OutOfSpace
from deedbox_fallback.access import Call, identify
from deedbox_fallback.beacons import Beacons
from deedbox_fallback.box_watch import BoxWatch
from deedbox_fallback.errors import BadRequest, DiskFull, FallbackError, TooLarge, TooMany, Unavailable
from deedbox_fallback.limits import BURST, MAX_BODY, MAX_WAITING, PER_SECOND
from deedbox_fallback.store import Store
from deedbox_fallback.worker import Worker
from deedbox_sync import timestamp
from deedbox_sync.binary_text import parse_hex
from deedbox_sync.errors import FormatError
from deedbox_sync.identifier import CONTENT_LENGTH, MAX_BATCH, record_members
from deedbox_sync.pace import Pace

_PROBLEM: Final = "application/problem+json"

log = logging.getLogger("deedbox.fallback")

AnyRequest = Request[Any, Any, Any]


class Item(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    content: str


class Wanted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    items: list[Item]


_WANTED: Final = msgspec.json.Decoder(Wanted)


@dataclass(frozen=True)
class Service:
    """What answers are made from. `clock` is POSIX time."""

    worker: Worker
    beacons: Beacons
    box: BoxWatch
    pace: Pace = field(default_factory=lambda: Pace(BURST, PER_SECOND))
    most_waiting: int = MAX_WAITING
    clock: Callable[[], float] = time.time

    async def request(self, call: Call) -> dict[str, object]:
        """Records that are durable here before they are told."""
        caller = await identify(call, self.worker, self.clock)
        contents = _contents(call.body)
        if not self.pace.allows(str(caller), len(contents)):
            wait = math.ceil(len(contents) / PER_SECOND)
            raise TooMany(f"a key gets {PER_SECOND} identifiers a second; try again in {wait} s", retry_after=wait)
        if (await self.worker.do(Store.counts)).waiting + len(contents) > self.most_waiting:
            raise Unavailable(f"{self.most_waiting:,} identifiers wait for the box already")
        records = await self.worker.do(Store.mint, contents, self.beacons.latest)
        return {"records": [record_members(record) for record in records]}

    async def status(self) -> dict[str, object]:
        counts = await self.worker.do(Store.counts)
        beacon, since = self.beacons.latest, self.box.since
        return {
            "key": self.worker.key.hex(),
            "namespace": self.worker.namespace,
            "minted": counts.minted,
            "waiting": counts.waiting,
            "refused": counts.refused,
            "box": {"reachable": self.box.reachable, "since": None if since is None else timestamp.encode(since)},
            "beacon": None
            if beacon is None
            else {"round": beacon.round, "time": timestamp.encode(self.beacons.published(beacon))},
        }


def fallback_app(service: Service) -> Litestar:
    @post("/api/v2/fallback/request", status_code=200, request_max_body_size=MAX_BODY)
    async def ask(request: AnyRequest) -> dict[str, object]:
        body = await request.body()
        headers = request.headers
        return await service.request(
            Call(
                method=request.method,
                path=request.scope["raw_path"].decode("latin-1"),
                query=request.scope["query_string"].decode("latin-1"),
                content_digest=headers.getall("content-digest", []),
                signature_input=headers.getall("signature-input", []),
                signature=headers.getall("signature", []),
                body=body,
            )
        )

    @get("/api/v2/fallback/status")
    async def status() -> dict[str, object]:
        return await service.status()

    return Litestar(
        route_handlers=[ask, status],
        exception_handlers={Exception: _problem},
        openapi_config=None,
        logging_config=None,
    )


def _contents(body: bytes) -> list[bytes]:
    try:
        wanted = _WANTED.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest('the body is not {"items": [{"content": HEX}, …]}') from error
    if not 1 <= len(wanted.items) <= MAX_BATCH:
        raise BadRequest(f"ask for 1 to {MAX_BATCH:,} at once")
    try:
        return [parse_hex(item.content, length=CONTENT_LENGTH, where="content") for item in wanted.items]
    except FormatError as error:
        raise BadRequest(str(error)) from error


def _problem(request: AnyRequest, error: Exception) -> Response[dict[str, object]]:
    if isinstance(error, OutOfSpace):
        error = DiskFull()
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        error = TooLarge()
    if isinstance(error, FallbackError):
        return _document(error.slug, error.title, error.status, error.detail, dict(error.extra))
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        phrase = HTTPStatus(error.status_code).phrase
        return _document(phrase.lower().replace(" ", "-"), phrase, error.status_code, "", {})
    incident = uuid4()
    log.error("incident %s: %s", incident, type(error).__qualname__)  # its message may quote what was sent
    for frame in traceback.extract_tb(error.__traceback__):
        log.error("incident %s at %s:%s in %s", incident, frame.filename, frame.lineno, frame.name)
    detail = "Something went wrong. The service's log tells more under this number."
    return _document("fault", FallbackError.title, 500, detail, {"instance": f"urn:uuid:{incident}"})


def _document(slug: str, title: str, status: int, detail: str, extra: dict[str, object]) -> Response[dict[str, object]]:
    content: dict[str, object] = {"type": f"urn:deedbox:problem:{slug}", "title": title, "status": status}
    if detail:
        content["detail"] = detail
    headers = {"Retry-After": str(extra["retry_after"])} if "retry_after" in extra else {}
    return Response(content | extra, status_code=status, media_type=_PROBLEM, headers=headers)
