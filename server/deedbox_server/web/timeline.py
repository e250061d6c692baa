"""The timeline of a case over HTTP (CA-2): JSON in pages, or the same page as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from deedbox_server.cases.page import DEFAULT_LIMIT
from deedbox_server.cases.timeline import Timeline, TimelineAsked, TimelineEntry
from deedbox_server.cases.timeline_words import in_words
from deedbox_server.errors import BadRequest
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_sync import timestamp

_CSV: Final = "text/csv"
_COLUMNS: Final = ("time", "zone", "certainty", "when", "kind", "title", "said_by", "source", "object", "exhibit")
# A spreadsheet takes a cell that begins so for a formula; titles are what others wrote.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class TimelineItem(msgspec.Struct, frozen=True):
    """One thing with a time. `when` is the time in words, no more exact than it is; `zone` null: nobody told the zone, and `time`
    is what a clock showed; `said_by`: whose word the time is; `object`: what `source` lists; `exhibit`: where to look."""

    time: str
    zone: str | None
    certainty: str
    when: str
    kind: str
    title: str
    said_by: str
    source: str
    object: str
    exhibit: str | None
    shared: bool


class TimelineItems(msgspec.Struct, frozen=True):
    """A page of the timeline; `sources` are the names that `source` takes."""

    items: list[TimelineItem]
    next: str | None
    sources: list[str]


class TimelineController(Controller):
    path = "/api/v1/cases/{case:uuid}/timeline"

    @get("/", opt=operation("timeline.read"))
    async def timeline(
        self,
        request: Request[Any, Any, Any],
        case: FromPath[UUID],
        timeline: NamedDependency[Timeline],
        principal: NamedDependency[Principal],
        source: FromQuery[list[str] | None] = None,
        kind: FromQuery[list[str] | None] = None,
        since: FromQuery[datetime | None] = None,
        until: FromQuery[datetime | None] = None,
        order: FromQuery[str] = "ascending",
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
    ) -> Response[TimelineItems] | Response[str]:
        """Everything in the case that has a time, in order; as CSV where `Accept` asks for text/csv."""
        if order not in ("ascending", "descending"):
            raise BadRequest("order is ascending or descending")
        if any(time is not None and time.tzinfo is None for time in (since, until)):
            raise BadRequest("since and until need a zone, as in 2026-05-04T00:00:00Z")
        asked = TimelineAsked(tuple(source or ()), tuple(kind or ()), since, until, order == "descending")
        page = await timeline.page(principal, case, asked, after=cursor, limit=limit)
        items = [_item(entry) for entry in page.entries]
        headers = {"Cache-Control": "private, no-store", "Vary": "Accept"}
        if request.accept.best_match(["application/json", _CSV]) == _CSV:
            if page.next is not None:
                headers["Link"] = (
                    f'<{request.url.with_replacements(query=_next(request, page.next))}>; rel="next"'  # RFC 8288
                )
            return Response(_csv(items), media_type=_CSV, headers=headers)
        return Response(TimelineItems(items, page.next, list(timeline.sources)), headers=headers)


def _next(request: Request[Any, Any, Any], cursor: str) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return urlencode([*kept, ("cursor", cursor)])


def _item(entry: TimelineEntry) -> TimelineItem:
    return TimelineItem(
        time=timestamp.encode(entry.time),
        zone=entry.zone or None,
        certainty=entry.certainty,
        when=in_words(entry.time, entry.zone, entry.certainty),
        kind=entry.kind,
        title=entry.title,
        said_by=entry.said_by,
        source=entry.source,
        object=str(entry.object),
        exhibit=str(entry.exhibit) if entry.exhibit is not None else None,
        shared=entry.shared,
    )


def _csv(items: list[TimelineItem]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for item in items:
        writer.writerow([_cell(getattr(item, name)) for name in _COLUMNS])
    return text.getvalue()


def _cell(value: str | None) -> str:
    value = value or ""
    return f"'{value}" if value.startswith(_FORMULA) else value
