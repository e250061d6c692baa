"""Papers for court over HTTP: what there is, what each asks for, make one, fetch it again (EV-9)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind
from deedbox_server.papers.service import Making, Papers, Wanted, warnings
from deedbox_server.papers.store import Paper
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.typed_body import typed
from deedbox_sync import timestamp

PATIENCE = 20.0  # seconds that a request waits for its paper; what takes longer is fetched by its id
PAGE = 100
_PDF = "application/pdf"

AnyRequest = Request[Any, Any, Any]


class PaperController(Controller):
    path = "/api/v1/papers"

    @get("/kinds", opt=operation("paper.kinds"))
    async def kinds(self, papers: NamedDependency[Papers], principal: NamedDependency[Principal]) -> dict[str, object]:
        """The papers there are, what each asks a person for, and its notes for counsel."""
        return {"items": [_kind(kind) for kind in papers.kinds(principal)]}

    @get("/", opt=operation("paper.read"))
    async def list_papers(
        self,
        papers: NamedDependency[Papers],
        principal: NamedDependency[Principal],
        case: FromQuery[UUID],
        cursor: FromQuery[UUID | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> dict[str, object]:
        """The papers of a case, oldest first, with their warnings."""
        page = await papers.of_case(principal, case, cursor, limit)
        more = str(page[-1].id) if page and len(page) >= limit else None
        return {"items": [_paper(paper) for paper in page], "next": more}

    @post("/", status_code=201, opt=operation("paper.make"))
    async def make(
        self,
        request: AnyRequest,
        data: JSONBody[dict[str, Any]],
        papers: NamedDependency[Papers],
        principal: NamedDependency[Principal],
    ) -> Response[Any]:
        """The PDF; or, where it takes longer, 202 and where it will be. A draft is given out and not kept."""
        wanted = typed(data, Wanted)
        if wanted.draft:
            return Response(
                await papers.draft(principal, wanted), status_code=200, media_type=_PDF, headers=_headers("draft")
            )
        making = await papers.start(principal, wanted)
        assert making.task is not None
        patience = 0.0 if "respond-async" in request.headers.get("prefer", "") else PATIENCE
        done, _ = await asyncio.wait([making.task], timeout=patience)
        if not done:
            return _under_way(making)
        paper = making.task.result()
        _, pdf = await papers.pdf(principal, paper.id)
        where = {"location": f"{self.path}/{paper.id}", "deedbox-paper": str(paper.id)}
        return Response(pdf, status_code=201, media_type=_PDF, headers=_headers(_name(paper)) | where)

    @get("/{paper:uuid}", opt=operation("paper.read"))
    async def fetch(
        self, paper: FromPath[UUID], papers: NamedDependency[Papers], principal: NamedDependency[Principal]
    ) -> Response[Any]:
        """The signed PDF; 202 while it is being made."""
        if (making := papers.making(principal, paper)) is not None:
            return _under_way(making)
        found, pdf = await papers.pdf(principal, paper)
        etag = {"etag": f'"{found.content.hex()}"'}
        return Response(pdf, media_type=_PDF, headers=_headers(_name(found)) | etag)

    @get("/{paper:uuid}/record", opt=operation("paper.read"))
    async def record(
        self, paper: FromPath[UUID], papers: NamedDependency[Papers], principal: NamedDependency[Principal]
    ) -> dict[str, object]:
        """What a paper was made of."""
        found = await papers.look(principal, paper)
        exhibits = [
            {"content": one.content.hex(), "id": str(one.id), "mark": one.mark} for one in found.record.exhibits
        ]
        return _paper(found) | {"exhibits": exhibits, "parts": [str(part) for part in found.record.parts]}

    @get("/{paper:uuid}/notes", opt=operation("paper.read"))
    async def notes(
        self, paper: FromPath[UUID], papers: NamedDependency[Papers], principal: NamedDependency[Principal]
    ) -> Response[bytes]:
        """The notes for counsel: for the file, not for filing."""
        return Response(await papers.notes(principal, paper), media_type=_PDF, headers=_headers(f"notes-{paper}"))


def _under_way(making: Making) -> Response[dict[str, object]]:
    body: dict[str, object] = {"id": str(making.id), "progress": round(making.fraction, 2), "state": "being-made"}
    where = {"location": f"{PaperController.path}/{making.id}", "retry-after": "2"}
    return Response(body, status_code=202, headers=where)


def _headers(name: str) -> dict[str, str]:
    return {
        "cache-control": "private, no-store",
        "content-disposition": f'attachment; filename="{name}.pdf"',
        "x-content-type-options": "nosniff",
    }


def _name(paper: Paper) -> str:
    return f"{paper.kind}-{paper.id}"


def _paper(paper: Paper) -> dict[str, object]:
    return {
        "case": str(paper.case),
        "content": paper.content.hex(),
        "created": timestamp.encode(paper.created),
        "id": str(paper.id),
        "kind": paper.kind,
        "made_by": paper.made_by,
        "pages": paper.pages,
        "shows_content": paper.shows_content,
        "signature": paper.signature,
        "size": paper.size,
        "title": paper.title,
        "warnings": list(warnings(paper)),
    }


def _kind(kind: Kind) -> dict[str, object]:
    rows = None if kind.rows is None else {
        "columns": [_field(field) for field in kind.rows.columns], "label": kind.rows.label, "name": kind.rows.name
    }  # fmt: skip
    return {
        "exhibits": kind.exhibits,
        "fields": [_field(field) for field in kind.fields],
        "help": kind.help,
        "name": kind.name,
        "notes_for_counsel": list(kind.counsel),
        "rows": rows,
        "title": kind.title,
    }


def _field(field: Field) -> dict[str, object]:
    return {
        "choices": list(field.choices),
        "format": field.format,
        "help": field.help,
        "label": field.label,
        "name": field.name,
        "stated_by": field.by,
    }
