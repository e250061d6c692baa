"""The trail over HTTP: who did, saw and was refused what; as pages, as a file, and one record with its proof (AC-4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from deedbox_server.errors import BadRequest
from deedbox_server.papers.audit_reports import AuditReports
from deedbox_server.people import Principal
from deedbox_server.trail import Asked, Told, TrailReading
from deedbox_server.trail.files import csv_head, csv_line, json_line, members
from deedbox_server.web.operations import operation

PAGE = 100

Outcome = Literal["changed", "refused", "viewed"]
Format = Literal["csv", "jsonl"]


class AuditItem(msgspec.Struct, frozen=True):
    """One row of the trail. `source` says where its record is kept: `audit`, an exhibit's `custody`, a `paper`, or `trust` in a
    device. `log_entry` is the number of the log entry that commits to `record_digest`, null for the moment until it has one."""

    id: str
    source: str
    time: str
    outcome: str
    operation: str
    actor: str
    name: str
    via: str
    device: str | None
    address: str | None
    case: str | None
    object: str | None
    reason: str | None
    why: str | None
    count: int | None
    detail: dict[str, Any]
    log_entry: int | None
    record_digest: str


class AuditItems(msgspec.Struct, frozen=True):
    """A page of the trail, newest first."""

    items: list[AuditItem]
    next: str | None


class AuditProof(msgspec.Struct, frozen=True):
    """A record's own text, and the receipt that opens the log entry which commits to its SHA-256; null while that is pending."""

    record: str
    receipt: str | None


async def provide_asked(
    case: FromQuery[UUID | None] = None,
    person: FromQuery[UUID | None] = None,
    operation: FromQuery[Annotated[str, msgspec.Meta(max_length=64)] | None] = None,
    outcome: FromQuery[Outcome | None] = None,
    object: FromQuery[UUID | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Asked:
    """What the query asks for. Times need a zone."""
    _refuse_zoneless(since, until)
    return Asked(case, person, operation, outcome, object, since, until)


async def provide_asked_of_case(
    case: FromPath[UUID],
    person: FromQuery[UUID | None] = None,
    operation: FromQuery[Annotated[str, msgspec.Meta(max_length=64)] | None] = None,
    outcome: FromQuery[Outcome | None] = None,
    object: FromQuery[UUID | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Asked:
    """As `provide_asked`, of the case in the path."""
    _refuse_zoneless(since, until)
    return Asked(case, person, operation, outcome, object, since, until)


class AuditController(Controller):
    path = "/api/v1/audit"
    dependencies = {"asked": Provide(provide_asked)}  # noqa: RUF012 - the framework's own form

    @get("/", opt=operation("audit.read"))
    async def trail(
        self,
        asked: NamedDependency[Asked],
        trail_reading: NamedDependency[TrailReading],
        principal: NamedDependency[Principal],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> AuditItems:
        """Who did, saw and was refused what in the whole box, newest first, behind the reader's own wall."""
        return await _page(trail_reading, principal, asked, cursor, limit)

    @get("/export", opt=operation("audit.read"))
    async def export(
        self,
        asked: NamedDependency[Asked],
        trail_reading: NamedDependency[TrailReading],
        principal: NamedDependency[Principal],
        format: FromQuery[Format] = "csv",
    ) -> Stream:
        """The same as one file, oldest first, as CSV or as lines of JSON."""
        return await _file(trail_reading, principal, asked, format)

    @post("/report", status_code=200, opt=operation("audit.read"))
    async def report(
        self,
        asked: NamedDependency[Asked],
        audit_reports: NamedDependency[AuditReports],
        principal: NamedDependency[Principal],
    ) -> Response[bytes]:
        """The same as a signed PDF that can be filed: what was asked, the entries, the log's head, how to check them."""
        return _pdf(await audit_reports.make(principal, asked))

    @get("/{record:uuid}", opt=operation("audit.read"))
    async def record(
        self,
        record: FromPath[UUID],
        trail_reading: NamedDependency[TrailReading],
        principal: NamedDependency[Principal],
    ) -> AuditProof:
        """One audit record as its log entry commits to it, with the receipt. Not of lists over many cases."""
        data, receipt = await trail_reading.proof(principal, record)
        return AuditProof(data.decode(), receipt)


class CaseAuditController(Controller):
    path = "/api/v1/cases/{case:uuid}/audit"
    dependencies = {"asked": Provide(provide_asked_of_case)}  # noqa: RUF012 - the framework's own form

    @get("/", opt=operation("case.audit"))
    async def trail(
        self,
        asked: NamedDependency[Asked],
        trail_reading: NamedDependency[TrailReading],
        principal: NamedDependency[Principal],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> AuditItems:
        """Who did, saw and was refused what in one case, newest first."""
        return await _page(trail_reading, principal, asked, cursor, limit)

    @get("/export", opt=operation("case.audit"))
    async def export(
        self,
        asked: NamedDependency[Asked],
        trail_reading: NamedDependency[TrailReading],
        principal: NamedDependency[Principal],
        format: FromQuery[Format] = "csv",
    ) -> Stream:
        """The same as one file, oldest first, as CSV or as lines of JSON."""
        return await _file(trail_reading, principal, asked, format)

    @post("/report", status_code=200, opt=operation("case.audit"))
    async def report(
        self,
        asked: NamedDependency[Asked],
        audit_reports: NamedDependency[AuditReports],
        principal: NamedDependency[Principal],
    ) -> Response[bytes]:
        """The same as a signed PDF that can be filed."""
        return _pdf(await audit_reports.make(principal, asked))


def _pdf(data: bytes) -> Response[bytes]:
    headers = {"cache-control": "no-store", "content-disposition": 'attachment; filename="audit-report.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)


async def _page(
    reading: TrailReading, principal: Principal, asked: Asked, cursor: str | None, limit: int
) -> AuditItems:
    page = await reading.page(principal, asked, after=cursor, limit=limit)
    return AuditItems([AuditItem(**members(told)) for told in page.rows], page.next)  # type: ignore[arg-type] # same members


async def _file(reading: TrailReading, principal: Principal, asked: Asked, format: Format) -> Stream:
    await reading.page(principal, asked, limit=1)  # a refusal is told before the first byte
    rows = reading.all(principal, asked)
    content = _csv(rows) if format == "csv" else _json_lines(rows)
    kind = "text/csv; charset=utf-8" if format == "csv" else "application/x-ndjson"
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="audit.{format}"',
        "x-content-type-options": "nosniff",
    }
    return Stream(content, media_type=kind, headers=headers)


async def _csv(rows: AsyncIterator[Told]) -> AsyncIterator[bytes]:
    yield csv_head()
    async for told in rows:
        yield csv_line(told)


async def _json_lines(rows: AsyncIterator[Told]) -> AsyncIterator[bytes]:
    async for told in rows:
        yield json_line(told)


def _refuse_zoneless(*times: datetime | None) -> None:
    if any(time is not None and time.tzinfo is None for time in times):
        raise BadRequest("since and until need a zone, as in 2026-05-04T00:00:00Z")
