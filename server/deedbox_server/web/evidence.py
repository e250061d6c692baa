"""Exhibits over HTTP: list, look, read in ranges, custody, verify (EV-2, EV-3, EV-5)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, Request, Response, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from deedbox_server.database import Database
from deedbox_server.evidence.custody import Custody
from deedbox_server.evidence.exhibit_brackets import exhibit_brackets
from deedbox_server.evidence.exhibits import PAGE, DerivedDocument, Exhibit, Exhibits
from deedbox_server.evidence.verifying import Report, Verifying
from deedbox_server.jobs import Jobs, JobStatus
from deedbox_server.notary.brackets import Brackets
from deedbox_server.notary.identifiers import Identifiers
from deedbox_server.people import Principal
from deedbox_server.vault import BlobReader
from deedbox_server.web.operations import operation
from deedbox_server.web.ranges import not_modified, slice_for
from deedbox_server.web.time import bracket_members
from deedbox_sync import clock, timestamp
from deedbox_sync.clock import ClockFinding

AnyRequest = Request[Any, Any, Any]


class EvidenceController(Controller):
    path = "/api/v1/evidence"

    @get("/", opt=operation("evidence.read"))
    async def list_exhibits(
        self,
        exhibits: NamedDependency[Exhibits],
        identifiers: NamedDependency[Identifiers],
        principal: NamedDependency[Principal],
        case: FromQuery[UUID | None] = None,
        cursor: FromQuery[UUID | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> dict[str, object]:
        """The exhibits that one may see, of one case or of all, oldest first."""
        page = await exhibits.page(principal, case=case, after=cursor, limit=limit)
        more = str(page[-1].id) if page and len(page) >= limit else None
        named = await identifiers.of_exhibits([item.id for item in page])
        return {"items": [_exhibit(item) | {"identifier": named.get(item.id)} for item in page], "next": more}

    @get("/{exhibit:uuid}", opt=operation("evidence.read"))
    async def look(
        self,
        exhibit: FromPath[UUID],
        exhibits: NamedDependency[Exhibits],
        jobs: NamedDependency[Jobs],
        custody: NamedDependency[Custody],
        brackets: NamedDependency[Brackets],
        identifiers: NamedDependency[Identifiers],
        database: NamedDependency[Database],
        principal: NamedDependency[Principal],
    ) -> dict[str, object]:
        """One exhibit: what was made of it, how far it is read, and what is known of its time."""
        found = await exhibits.get(principal, exhibit)
        derived = [_derived(item) for item in await exhibits.derived([exhibit])]
        reading = [_job(job) for job in await jobs.status([exhibit])]
        said = _clock(await custody.clock(exhibit))
        between = bracket_members((await exhibit_brackets(database, brackets, [exhibit]))[exhibit])
        named = (await identifiers.of_exhibits([exhibit])).get(exhibit)
        told = {"bracket": between, "clock": said, "derived": derived, "identifier": named, "reading": reading}
        return _exhibit(found) | told

    @route("/{exhibit:uuid}/content", http_method=["GET", "HEAD"], status_code=200, opt=operation("evidence.download"))
    async def content(
        self,
        request: AnyRequest,
        exhibit: FromPath[UUID],
        exhibits: NamedDependency[Exhibits],
        principal: NamedDependency[Principal],
    ) -> Response[Any]:
        """The original bytes. Asking for them is a custody event, also for a part, and also where the copy is current."""
        found, reader = await exhibits.open(principal, exhibit, "downloaded")
        return send_bytes(request, reader, found.content, found.media_type, found.name)

    @route(
        "/{exhibit:uuid}/derived/{derived:uuid}",
        http_method=["GET", "HEAD"],
        status_code=200,
        opt=operation("evidence.read"),
    )
    async def derived(
        self,
        request: AnyRequest,
        exhibit: FromPath[UUID],
        derived: FromPath[UUID],
        exhibits: NamedDependency[Exhibits],
        principal: NamedDependency[Principal],
    ) -> Response[Any]:
        """A derived document's bytes: recognised text, words, searchable PDF. Reading it is viewing the exhibit."""
        document, reader = await exhibits.open_derived(principal, exhibit, derived, "viewed")
        return send_bytes(request, reader, document.content, document.media_type, document.form)

    @get(["/{exhibit:uuid}/custody", "/{exhibit:uuid}/chain-of-custody"], opt=operation("evidence.read"))
    async def custody(
        self,
        exhibit: FromPath[UUID],
        exhibits: NamedDependency[Exhibits],
        custody: NamedDependency[Custody],
        principal: NamedDependency[Principal],
    ) -> dict[str, object]:
        """The custody records of an exhibit, in order."""
        await exhibits.get(principal, exhibit)
        records = await custody.records([exhibit])
        return {"exhibit": str(exhibit), "events": [json.loads(row["record"]) for row in records]}

    @post("/{exhibit:uuid}/verify", status_code=200, opt=operation("evidence.verify"))
    async def verify(
        self, exhibit: FromPath[UUID], verifying: NamedDependency[Verifying], principal: NamedDependency[Principal]
    ) -> dict[str, object]:
        """The box checks its own copy: intact, anchored, attributed, each by itself. A stranger verifies a bundle instead."""
        return _report(await verifying.verify(principal, exhibit))


def send_bytes(
    request: AnyRequest,
    reader: BlobReader,
    content: bytes,
    media_type: str,
    name: str,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Response[Any]:
    """All of a blob or the range that was asked for, as a file to keep; `more` are headers that count before ours."""
    etag = f'"{content.hex()}"'
    headers = {
        "cache-control": "private, no-cache",
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}",
        "content-security-policy": "sandbox; default-src 'none'",
        "etag": etag,
        "x-content-type-options": "nosniff",
    } | dict(more)
    if not_modified(request.headers.get("if-none-match"), etag):
        return Response(None, status_code=304, headers=headers)
    piece = slice_for(request.headers.get("range"), request.headers.get("if-range"), etag, reader.size)
    headers |= piece.headers()
    if request.method == "HEAD" or piece.length == 0:
        return Response(b"", status_code=piece.status, headers=headers, media_type=media_type)
    return Stream(
        _bytes(reader, piece.start, piece.end), status_code=piece.status, headers=headers, media_type=media_type
    )


async def _bytes(reader: BlobReader, start: int, end: int) -> AsyncIterator[bytes]:
    with closing(reader):
        async for piece in reader.read(start, end):
            yield piece


def _exhibit(exhibit: Exhibit) -> dict[str, object]:
    return {
        "captured": timestamp.encode(exhibit.captured),
        "captured_by_desk": exhibit.captured_by_desk,
        "case": str(exhibit.case),
        "content": exhibit.content.hex(),
        "device": str(exhibit.device) if exhibit.device else None,
        "id": str(exhibit.id),
        "labels": list(exhibit.labels),
        "media_type": exhibit.media_type,
        "name": exhibit.name,
        "number": exhibit.number,
        "received": timestamp.encode(exhibit.received),
        "size": exhibit.size,
        "statement": exhibit.statement.hex(),
        "supersedes": str(exhibit.supersedes) if exhibit.supersedes else None,
    }


def _clock(finding: ClockFinding | None) -> dict[str, object] | None:
    return None if finding is None else {**clock.members(finding), "words": clock.sentence(finding)}


def _derived(document: DerivedDocument) -> dict[str, object]:
    return {
        "content": document.content.hex(),
        "created": timestamp.encode(document.created),
        "event": document.event,
        "form": document.form,
        "id": str(document.id),
        "media_type": document.media_type,
        "producer": document.producer,
        "size": document.size,
    }


def _job(job: JobStatus) -> dict[str, object]:
    return {
        "attempts": job.attempts,
        "ended": job.state.ended,
        "error": job.error,
        "kind": job.kind,
        "progress": round(job.progress, 3),
        "state": job.state.value,
    }


def _why(report: Report) -> str:
    if report.anchored:
        return f"{report.bracket.not_after_by} had seen the log with this exhibit"
    return "no outside time stamp or witness has seen the log with this exhibit yet"


def _report(report: Report) -> dict[str, object]:
    return {
        "anchored": {"answer": report.anchored, "bracket": bracket_members(report.bracket), "reason": _why(report)},
        "attributed": {
            "answer": report.attributed,
            "authenticated": report.authenticated,
            "device": str(report.device) if report.device else None,
            "operator": report.operator,
        },
        "content": report.content,
        "exhibit": str(report.exhibit),
        "findings": list(report.findings),
        "intact": {"answer": report.intact},
        "log": {"index": report.log_index, "time": report.logged},
    }
