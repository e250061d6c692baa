"""The errors in the OpenAPI document: one component for each status, as RFC 9457 problem documents with an example."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler

from deedbox_server import errors
from deedbox_server.web.operations import LATER, OPERATION

MEDIA_TYPE: Final = "application/problem+json"

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Further members say more about some kinds.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri", "pattern": "^urn:deedbox:problem:[a-z0-9-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
                "required": ["where", "what"],
            },
        },
        "retry_after": {"type": "integer", "minimum": 0},
    },
    "required": ["type", "title", "status"],
    "additionalProperties": True,
}

_WORDS: Final[dict[int, tuple[str, str, str]]] = {
    400: ("bad-request", errors.BadRequest.title, "The request cannot be understood."),
    401: ("unauthenticated", errors.Unauthenticated.title, "Nobody is signed in, or what was shown opens nothing."),
    403: ("denied", errors.Denied.title, "The caller may not, or should show its second factor first."),
    404: ("not-found", errors.NotFound.title, "It is not there, or not for these eyes: the two look alike on purpose."),
    405: ("method-not-allowed", "Method not allowed", "`Allow` names the methods."),
    408: ("sender-silent", "No byte came for too long", "The body did not come."),
    409: ("conflict", errors.Conflict.title, "Against the present state; or a call under this key is under way."),
    412: ("precondition-failed", errors.PreconditionFailed.title, "Somebody was faster: read it again."),
    413: ("too-large", errors.TooLarge.title, "The body is longer than allowed."),
    415: ("not-json", "The body of this call is JSON, of the type application/json", "The body is of another type."),
    416: ("range-not-satisfiable", "No such range", "The range lies behind the end."),
    422: ("key-reused", "This idempotency key was used for something else", "Understood, and cannot be taken."),
    428: ("precondition-required", errors.PreconditionRequired.title, "Send the ETag that was read as If-Match."),
    429: ("too-many", errors.TooMany.title, "Wait for `Retry-After` seconds."),
    500: ("fault", errors.DeedboxError.title, "A fault of the box; its log tells more under `instance`."),
    501: ("not-yet", errors.NotYet.title, "A later version will answer this call."),
    503: ("unavailable", errors.Unavailable.title, "Not now: try again later."),
    507: ("disk-full", errors.DiskFull.title, "The disk is full: wait."),
}
_ALWAYS: Final = (400, 500, 503)
_SIGNED_IN: Final = (401, 403, 404, 429)
_CHANGES: Final = (409, 422, 507)
_BODIES: Final = (413, 415)
_VERSIONED: Final = (412, 428)


def problem_components() -> dict[str, Any]:
    return {f"Problem{status}": _component(status) for status in _WORDS}


def problem_answers(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/Problem{status}"}


def statuses_of(handler: HTTPRouteHandler, *, has_body: bool, asks_for_version: bool) -> list[int]:
    """The errors that a call of this kind can have."""
    if LATER in handler.opt:
        return sorted({*_ALWAYS, *_SIGNED_IN, 501})
    found = {*_ALWAYS}
    if OPERATION in handler.opt:
        found |= {*_SIGNED_IN}
    elif any("{" in path for path in handler.paths):
        found.add(404)
    if not handler.http_methods <= {"GET", "HEAD", "OPTIONS"}:
        found |= {*_CHANGES}
        if OPERATION not in handler.opt:
            found |= {401, 403, 404, 429}  # who signs in, pairs or renews is refused with these
    if has_body:
        found |= {*_BODIES}
    if asks_for_version:
        found |= {*_VERSIONED}
    return sorted(found)


def _component(status: int) -> dict[str, Any]:
    slug, title, described = _WORDS[status]
    example: dict[str, Any] = {"type": f"urn:deedbox:problem:{slug}", "title": title, "status": status}
    if status == 500:
        example["instance"] = "urn:uuid:0198c0de-0000-4000-8000-000000000001"
    made: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}. {described}",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
    headers = {
        401: ("WWW-Authenticate", "How to sign in."),
        405: ("Allow", "The methods of this path."),
        429: ("Retry-After", "Seconds."),
    }
    if status in headers:
        name, meaning = headers[status]
        made["headers"] = {name: {"description": meaning, "schema": {"type": "string"}}}
    return made
