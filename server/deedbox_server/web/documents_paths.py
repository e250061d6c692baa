"""The paths that the five source documents name, where they are not our own: each is a second address of one of our calls.

An alias is the very handler of our call, so that walls, trail, versions and idempotency hold there too. Where a document states
members of its own (a client's name and address for a new case, a case's id in an event), a handler here reads those. What a later
version will do is in `not_yet`. server/API.md maps every path.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from deedbox_server.cases import Cases, NewCase
from deedbox_server.cases.event import NewEvent
from deedbox_server.cases.events import Events
from deedbox_server.cases.parties import Parties
from deedbox_server.cases.party import Contact, NewParty, checked
from deedbox_server.cases.search import CaseSearch
from deedbox_server.people.principal import Principal
from deedbox_server.web.auth import AuthController
from deedbox_server.web.cases import SEARCH_PAGE, CaseController, CaseView, FoundList, case_view, found_view
from deedbox_server.web.events import EventController, EventView, event_view
from deedbox_server.web.evidence import EvidenceController
from deedbox_server.web.health import HealthController
from deedbox_server.web.multipart import send_evidence
from deedbox_server.web.operations import operation, same_as
from deedbox_server.web.parties import PartyController
from deedbox_server.web.versions import etag

_EXHIBIT: Final = "GET /api/v1/evidence/{exhibit}"
_SENT_TO: Final = ("/api/v1/evidence/upload", "/documents", "/evidence")
_FIELD: Final = 500  # characters of a client's name, address or number
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=_FIELD)]


class NewClientCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case by its client; its number is the next of the firm's pattern."""

    client_name: Text
    client_email: Text | None = None
    client_phone: Text | None = None


class CaseQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words to find cases by, also misspelt."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    status: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = SEARCH_PAGE


class NewCaseEvent(NewEvent, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An event, and the case that it is of."""

    case_id: UUID


@post("/api/cases", status_code=201, opt=operation("case.create"))
async def open_for_client(
    data: JSONBody[NewClientCase],
    cases: NamedDependency[Cases],
    case_parties: NamedDependency[Parties],
    principal: NamedDependency[Principal],
) -> Response[CaseView]:
    """Open a case for a client, who becomes its first party. `POST /api/v1/cases` takes more."""
    reached = (("email", data.client_email), ("phone", data.client_phone))
    contacts = tuple(Contact(kind, value) for kind, value in reached if value is not None)  # type: ignore[arg-type]
    # Looked at before there is a case without it.
    client = checked(NewParty(kind="client", name=data.client_name, contacts=contacts))
    case = await cases.create(principal, NewCase(title=data.client_name, client=data.client_name))
    await case_parties.add(principal, case.id, client)
    headers = {"etag": etag(case.version), "location": f"/api/v1/cases/{case.id}"}
    return Response(case_view(case), status_code=201, headers=headers)


@post("/api/cases/search", status_code=200, opt=operation("case.list"))
async def search_cases(
    data: JSONBody[CaseQuestion], case_search: NamedDependency[CaseSearch], principal: NamedDependency[Principal]
) -> FoundList:
    """Find cases by words, also misspelt: the same as `GET /api/v1/cases/search`."""
    found = await case_search.find(principal, data.query, state=data.status, after=data.cursor, limit=data.limit)
    return FoundList([found_view(one) for one in found.page.items], found.page.next, found.suggestion)


@post("/api/v1/timeline/add-event", status_code=201, opt=operation("event.write"))
async def add_event(
    data: JSONBody[NewCaseEvent], case_events: NamedDependency[Events], principal: NamedDependency[Principal]
) -> Response[EventView]:
    """Add an event to the case that the body names: the same as `POST /api/v1/cases/{case}/events`."""
    facts = {name: getattr(data, name) for name in NewEvent.__struct_fields__}
    made = await case_events.add(principal, data.case_id, NewEvent(**facts))
    where = {"etag": etag(made.version), "location": f"/api/v1/cases/{data.case_id}/events/{made.id}"}
    return Response(event_view(made), status_code=201, headers=where)


def _alias(
    path: str, handler: HTTPRouteHandler, owner: Any = None, of: str | None = None, **changes: Any
) -> HTTPRouteHandler:
    """The same handler at another address; `of` where the first one's bodies are told by its name."""
    decorator = get if "GET" in handler.http_methods else post
    about = handler.opt if of is None else handler.opt | same_as(of)
    given: dict[str, Any] = {"status_code": handler.status_code, "opt": dict(about), **changes}
    return decorator(path, **given)(_unbound(handler.fn, owner))


def _unbound(call: Callable[..., Any], owner: Any) -> Callable[..., Any]:
    """A controller's method as a function: its class stands for it, which is all that ours need of themselves."""
    signature = inspect.signature(call)
    parameters = [one for name, one in signature.parameters.items() if name != "self"]

    @functools.wraps(call)
    async def called(**given: Any) -> Any:
        return await (call(**given) if owner is None else call(owner, **given))

    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return called


def documents_routes() -> list[HTTPRouteHandler]:
    """The second addresses of our calls, and those calls that read the documents' own members."""
    cases, evidence = CaseController, EvidenceController
    return [
        open_for_client,
        search_cases,
        add_event,
        _alias("/health", HealthController.ready, HealthController, of="GET /health/ready"),
        _alias("/api/cases", cases.list_cases, cases),
        _alias("/api/cases/{case:uuid}", cases.look, cases),
        _alias("/api/v1/cases/create", cases.open_case, cases),
        _alias("/api/v1/cases/{case:uuid}/parties/add", PartyController.add, PartyController),
        _alias("/api/v1/cases/{case:uuid}/events/add", EventController.add, EventController),
        _alias("/api/v1/documents/{exhibit:uuid}/metadata", evidence.look, evidence, of=_EXHIBIT),
        _alias("/documents", evidence.list_exhibits, evidence, of="GET /api/v1/evidence"),
        _alias("/documents/{exhibit:uuid}", evidence.look, evidence, of=_EXHIBIT),
        *(_alias(path, send_evidence, of="POST /api/v1/evidence", request_max_body_size=None) for path in _SENT_TO),
        _alias("/api/register", AuthController.register, AuthController, request_max_body_size=1 << 16),
    ]
