"""Every error as a problem document (RFC 9457), in one place. What is not meant for the caller stays here.

A fault of ours is answered with an incident number and nothing else; the log gets the number, the kinds of the
exceptions and the places in our code, but not their messages, which may quote what people stored.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response
from litestar.exceptions import HTTPException, InternalServerException, ValidationException

from deedbox_server.errors import BadRequest, DeedboxError, Denied, NotFound, TooLarge, Unauthenticated
from deedbox_server.web.bodies import SenderGone
from deedbox_server.web.recording import is_known, record_refusal
from deedbox_server.web.refusals import Refusals
from deedbox_server.web.tls import REFUSALS_EXTENSION
from deedbox_sync.errors import FormatError

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:deedbox:problem:"

_OURS: Final[Mapping[int, type[DeedboxError]]] = {
    error.status: error for error in (BadRequest, Unauthenticated, Denied, NotFound, TooLarge)
}
_GONE: Final = "client disconnected prematurely"  # Litestar's words for a sender that went away in mid-body
_RESERVED: Final = frozenset({"type", "title", "status", "detail", "instance"})
_MAX_FAULTS: Final = 20  # of one request; a body of faults is not worth more words

log = logging.getLogger("deedbox.web")

AnyRequest = Request[Any, Any, Any]


def problem_response(request: AnyRequest, error: Exception) -> Response[dict[str, object]]:
    """The one answer to any exception."""
    if isinstance(error, RecursionError) and _while_decoding(error):
        error = BadRequest("the JSON is nested too deeply")
    if isinstance(error, FormatError):  # of a body: services turn those of stored bytes into faults themselves
        error = BadRequest(str(error))
    if isinstance(error, DeedboxError) and error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
        return _ours(request, error)
    if isinstance(error, SenderGone) or (isinstance(error, InternalServerException) and error.detail == _GONE):
        return _ours(request, BadRequest("the connection ended before the body did"))
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _litestars(request, error)
    return _incident(request, error)


EXCEPTION_HANDLERS: Final[dict[type[Exception] | int, Callable[[AnyRequest, Exception], Response[Any]]]] = {
    Exception: problem_response
}


def _ours(request: AnyRequest, error: DeedboxError) -> Response[dict[str, object]]:
    _count(request, error.slug)
    record_refusal(request, error)
    headers = {"WWW-Authenticate": error.challenge} if isinstance(error, Unauthenticated) else {}
    if (seconds := error.extra.get("retry_after")) is not None:
        headers["Retry-After"] = str(seconds)
    extra = {name: value for name, value in error.extra.items() if name not in _RESERVED}
    return _problem(error.slug, error.title, error.status, error.detail, extra, headers)


def _litestars(request: AnyRequest, error: HTTPException) -> Response[dict[str, object]]:
    """An answer of the framework in our words: an unknown route reads exactly as an unknown thing."""
    faults = _faults(error)
    known = _OURS.get(error.status_code)
    if known is not None:
        detail = "" if known is NotFound or faults else error.detail
        return _ours(request, known(detail, errors=faults) if faults else known(detail))
    phrase = HTTPStatus(error.status_code).phrase
    slug = phrase.lower().replace(" ", "-")
    allow = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return _problem(slug, phrase.capitalize(), error.status_code, "", {}, allow)


def _faults(error: HTTPException) -> list[dict[str, str]]:
    """What was wrong with which member, in the validator's words, which name kinds and never values."""
    if not isinstance(error, ValidationException) or not isinstance(error.extra, list):
        return []
    return [
        {"where": str(fault.get("key", "")), "what": str(fault.get("message", ""))}
        for fault in error.extra[:_MAX_FAULTS]
        if isinstance(fault, dict)
    ]


def _incident(request: AnyRequest, error: Exception) -> Response[dict[str, object]]:
    incident = uuid4()
    handler = request.scope.get("route_handler")
    log.error("incident %s in %s: %s", incident, handler, " <- ".join(_kinds(error)))
    for frame in traceback.extract_tb(error.__traceback__):
        log.error("incident %s at %s:%s in %s", incident, frame.filename, frame.lineno, frame.name)
    detail = "Something went wrong in the box. Its log tells more under this number."
    return _problem("fault", DeedboxError.title, 500, detail, {"instance": f"urn:uuid:{incident}"}, {})


def _while_decoding(error: RecursionError) -> bool:
    """Whether the framework's JSON reader raised it: the sender's doing. Any other is a fault of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].name == "decode_json"


def _kinds(error: BaseException | None) -> list[str]:
    found: list[str] = []
    while error is not None and len(found) < _MAX_FAULTS:
        found.append(f"{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or error.__context__
    return found


def _count(request: AnyRequest, slug: str) -> None:
    counter = (request.scope.get("extensions") or {}).get(REFUSALS_EXTENSION, {}).get("to")
    if isinstance(counter, Refusals):
        counter.problem(slug, known=is_known(request))


def _problem(
    slug: str, title: str, status: int, detail: str, extra: Mapping[str, object], headers: Mapping[str, str]
) -> Response[dict[str, object]]:
    content: dict[str, object] = {"type": f"{TYPE_PREFIX}{slug}", "title": title, "status": status}
    if detail:
        content["detail"] = detail
    return Response(content | dict(extra), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers))
