"""The events of a case over HTTP. Outsiders see those that are shared."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.cases.event import Certainty, Event, EventChange, NewEvent
from deedbox_server.cases.events import Events
from deedbox_server.cases.page import DEFAULT_LIMIT
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]


class EventView(msgspec.Struct, frozen=True):
    """An event: `starts` is an instant in UTC, `zone` where the clock hung, `certainty` how much of it is known."""

    id: UUID
    case: UUID
    kind: str
    title: str
    starts: str
    ends: str | None
    zone: str
    certainty: Certainty
    detail: str | None
    source: str | None
    shared: bool
    created: str
    made_by: str
    removed: str | None
    version: int


class EventList(msgspec.Struct, frozen=True):
    items: list[EventView]
    next: str | None


class EventController(Controller):
    path = "/api/v1/cases/{case:uuid}/events"

    @get("/", opt=operation("event.read"))
    async def list_events(
        self,
        case: FromPath[UUID],
        case_events: NamedDependency[Events],
        principal: NamedDependency[Principal],
        removed: FromQuery[bool] = False,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
    ) -> EventList:
        """The events of a case in the order in which they happened; with removed=true those too that were removed."""
        page = await case_events.of(principal, case, removed=removed, after=cursor, limit=limit)
        return EventList([event_view(one) for one in page.items], page.next)

    @post("/", status_code=201, opt=operation("event.write"))
    async def add(
        self,
        case: FromPath[UUID],
        data: JSONBody[NewEvent],
        case_events: NamedDependency[Events],
        principal: NamedDependency[Principal],
    ) -> Response[EventView]:
        """Add an event to an open case."""
        made = await case_events.add(principal, case, data)
        where = {"etag": etag(made.version), "location": f"/api/v1/cases/{case}/events/{made.id}"}
        return Response(event_view(made), status_code=201, headers=where)

    @get("/{event:uuid}", opt=operation("event.read"))
    async def look(
        self,
        case: FromPath[UUID],
        event: FromPath[UUID],
        case_events: NamedDependency[Events],
        principal: NamedDependency[Principal],
    ) -> Response[EventView]:
        """One event of this case."""
        found = await case_events.get(principal, case, event)
        return Response(event_view(found), headers={"etag": etag(found.version)})

    @patch("/{event:uuid}", opt=operation("event.write"))
    async def change(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        event: FromPath[UUID],
        data: JSONBody[EventChange],
        case_events: NamedDependency[Events],
        principal: NamedDependency[Principal],
    ) -> Response[EventView]:
        """Change what is named; the rest stays."""
        changed = await case_events.change(principal, case, event, data, expected_version(request))
        return Response(event_view(changed), headers={"etag": etag(changed.version)})

    @delete("/{event:uuid}", status_code=200, opt=operation("event.write"))
    async def remove(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        event: FromPath[UUID],
        case_events: NamedDependency[Events],
        principal: NamedDependency[Principal],
    ) -> Response[EventView]:
        """Take an event out of the case; it is kept as removed."""
        gone = await case_events.remove(principal, case, event, expected_version(request))
        return Response(event_view(gone), status_code=200, headers={"etag": etag(gone.version)})


def event_view(event: Event) -> EventView:
    facts = event.facts
    return EventView(
        event.id,
        event.case,
        facts.kind,
        facts.title,
        timestamp.encode(facts.starts),
        None if facts.ends is None else timestamp.encode(facts.ends),
        facts.zone,
        facts.certainty,
        facts.detail,
        facts.source,
        facts.shared,
        timestamp.encode(event.created),
        event.made_by,
        None if event.removed is None else timestamp.encode(event.removed),
        event.version,
    )
