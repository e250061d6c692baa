"""What the trail learns from the web layer, in one place: who was refused what, and who was shown what is no exhibit.

Handlers need to do nothing. The operation is the one that the route names, case and object are those of the path or of the
answer itself. Reads of exhibits' bytes are custody, written by the service, and not told here again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final, cast
from uuid import UUID

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.types import ASGIApp, Receive, Scope, Send

from deedbox_server.errors import DeedboxError
from deedbox_server.people.principal import Principal
from deedbox_server.trail import Trail
from deedbox_server.web.operations import OPERATION

TRAIL: Final = "trail"  # in the app's state
_PRINCIPAL: Final = "deedbox.principal"  # in the scope of a request

# Reads that leave no view, and why.
UNTOLD: Final[Mapping[str, str]] = {
    "account.self": "one's own",
    "account.security": "one's own",
    "evidence.download": "is custody, durable before the first byte",
    "log.read": "tells of nobody, and strangers may read it",
    "metrics.read": "figures, asked for every few seconds by a program",
}
# Reads by POST, since what is asked for takes work.
_READS: Final = frozenset(
    {"case.list", "case.read", "evidence.find", "evidence.read", "evidence.verify", "identifier.verify", "search"}
)
# Whose rows are records of the trail themselves: that it was read is told, not each row again.
_OF_ROWS: Final = frozenset({"audit.read", "case.audit"})
_REFUSALS: Final = frozenset({403, 429})

AnyRequest = Request[Any, Any, Any]

_scope: ContextVar[dict[str, Any] | None] = ContextVar("deedbox_request", default=None)


def known(request: AnyRequest, principal: Principal) -> None:
    """Remembers who sends this request. Whoever recognises somebody and then refuses calls it before."""
    cast("dict[str, Any]", request.scope)[_PRINCIPAL] = principal


def is_known(request: AnyRequest) -> bool:
    return _PRINCIPAL in request.scope


async def provide_known(request: AnyRequest, recognised: NamedDependency[Principal]) -> Principal:
    """`principal` of every handler: whom the listener's own identity recognised, remembered."""
    known(request, recognised)
    return recognised


def remember_request(app: ASGIApp) -> ASGIApp:
    """Middleware: lets `record_view`, which is given an answer only, know what was asked."""

    async def remembering(scope: Scope, receive: Receive, send: Send) -> None:
        token = _scope.set(cast("dict[str, Any]", scope))
        try:
            await app(scope, receive, send)
        finally:
            _scope.reset(token)

    return remembering


def record_refusal(request: AnyRequest, error: DeedboxError) -> None:
    """Tells the trail, if the box knows whom it refuses. What was not found counts where the request named it."""
    scope = cast("dict[str, Any]", request.scope)
    trail, principal, operation = _of(scope)
    if trail is None or principal is None or operation is None:
        return
    case, named = _named(scope)
    if error.status in _REFUSALS or error.slug == "on-hold" or (error.status == 404 and (case or named)):
        trail.refused(principal, operation, case=case, object=named, reason=error.slug, why=error.detail)


async def record_view(response: Response[Any]) -> Response[Any]:
    """After a handler: tells the trail what its answer shows. Unavailable, instead of the answer, where that cannot be kept."""
    scope = _scope.get()
    if scope is not None and (response.status_code or 200) < 400:
        _view(scope, response.content)
    return response


def _view(scope: dict[str, Any], content: object) -> None:
    trail, principal, operation = _of(scope)
    if trail is None or principal is None or operation is None or operation in UNTOLD:
        return
    if scope["method"] not in ("GET", "HEAD") and operation not in _READS:
        return
    case, named = _named(scope)
    listed = None if operation in _OF_ROWS else _rows(content)
    if listed:
        by_case: dict[object, list[UUID | str]] = {}
        for one, of in listed:
            by_case.setdefault(of, []).append(one)
        for of, ids in by_case.items():
            trail.listed(principal, operation, case=_uuid(of) or case, ids=ids)
    else:
        trail.viewed(principal, operation, case=case or _uuid(_member(content, "case")), object=named)


def _of(scope: dict[str, Any]) -> tuple[Trail | None, Principal | None, str | None]:
    app, handler = scope.get("litestar_app"), scope.get("route_handler")
    trail = None if app is None else app.state.get(TRAIL)
    principal: Principal | None = scope.get(_PRINCIPAL)
    operation = None if handler is None else handler.opt.get(OPERATION)
    return trail, principal, operation


def _named(scope: dict[str, Any]) -> tuple[UUID | None, UUID | None]:
    """The case and the object that a request names in its path, or the case that its query asks for."""
    params: Mapping[str, object] = scope.get("path_params") or {}
    case = params.get("case") or _uuid(Request[Any, Any, Any](cast("Any", scope)).query_params.get("case"))
    ids = {name: value for name, value in params.items() if name != "case" and isinstance(value, UUID)}
    named = ids.get("exhibit") or (list(ids.values())[-1] if ids else None)
    return (case if isinstance(case, UUID) else None), named


def _rows(content: object) -> list[tuple[UUID | str, object]]:
    """Id and case of each row that a list shows, as they stand there."""
    items = _member(content, "items")
    if not isinstance(items, list | tuple):
        return []
    rows = [(_member(item, "id"), _member(item, "case")) for item in items]
    return [(one, of) for one, of in rows if isinstance(one, UUID | str)]


def _member(content: object, name: str) -> object:
    # Answers are dicts or structs; asking `Mapping` of each row of a list would cost more than all the rest.
    return content.get(name) if type(content) is dict else getattr(content, name, None)


def _uuid(value: object) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value) if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        return None
