"""What belongs to a case over HTTP: exhibits, documents, notes. Outsiders see what is shared."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.cases.artifact import Artifact, ArtifactChange, ArtifactKind, NewArtifact
from deedbox_server.cases.artifacts import Artifacts
from deedbox_server.cases.page import DEFAULT_LIMIT
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]


class ArtifactView(msgspec.Struct, frozen=True):
    """What belongs to a case. `content` is the SHA-256 of what it is, `record` the newest entry in the log that says so."""

    id: UUID
    case: UUID
    kind: ArtifactKind
    title: str
    body: str | None
    exhibit: UUID | None
    content: str
    record: UUID
    shared: bool
    created: str
    made_by: str
    removed: str | None
    version: int


class ArtifactList(msgspec.Struct, frozen=True):
    items: list[ArtifactView]
    next: str | None


class RecordView(msgspec.Struct, frozen=True):
    """A case record: its bytes as text, whose SHA-256 the log's entry `case.artifact` commits to."""

    id: UUID
    record: str


class RecordList(msgspec.Struct, frozen=True):
    items: list[RecordView]
    next: str | None = None


class ArtifactController(Controller):
    path = "/api/v1/cases/{case:uuid}/artifacts"

    @get("/", opt=operation("artifact.read"))
    async def list_artifacts(
        self,
        case: FromPath[UUID],
        case_artifacts: NamedDependency[Artifacts],
        principal: NamedDependency[Principal],
        removed: FromQuery[bool] = False,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
    ) -> ArtifactList:
        """What belongs to a case, in the order in which it was added; with removed=true that too which was removed."""
        page = await case_artifacts.of(principal, case, removed=removed, after=cursor, limit=limit)
        return ArtifactList([_artifact(one) for one in page.items], page.next)

    @post("/", status_code=201, opt=operation("artifact.write"))
    async def add(
        self,
        case: FromPath[UUID],
        data: JSONBody[NewArtifact],
        case_artifacts: NamedDependency[Artifacts],
        principal: NamedDependency[Principal],
    ) -> Response[ArtifactView]:
        """Bind an exhibit, a document or a note to an open case; the log gets an entry."""
        made = await case_artifacts.add(principal, case, data)
        where = {"etag": etag(made.version), "location": f"/api/v1/cases/{case}/artifacts/{made.id}"}
        return Response(_artifact(made), status_code=201, headers=where)

    @get("/{artifact:uuid}", opt=operation("artifact.read"))
    async def look(
        self,
        case: FromPath[UUID],
        artifact: FromPath[UUID],
        case_artifacts: NamedDependency[Artifacts],
        principal: NamedDependency[Principal],
    ) -> Response[ArtifactView]:
        """One artifact of this case."""
        found = await case_artifacts.get(principal, case, artifact)
        return Response(_artifact(found), headers={"etag": etag(found.version)})

    @get("/{artifact:uuid}/records", opt=operation("artifact.read"))
    async def records(
        self,
        case: FromPath[UUID],
        artifact: FromPath[UUID],
        case_artifacts: NamedDependency[Artifacts],
        principal: NamedDependency[Principal],
    ) -> RecordList:
        """Every record that the log commits to, oldest first (formats/case.md)."""
        found = await case_artifacts.records(principal, case, artifact)
        return RecordList([RecordView(one.id, one.record.decode()) for one in found])

    @patch("/{artifact:uuid}", opt=operation("artifact.write"))
    async def change(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        artifact: FromPath[UUID],
        data: JSONBody[ArtifactChange],
        case_artifacts: NamedDependency[Artifacts],
        principal: NamedDependency[Principal],
    ) -> Response[ArtifactView]:
        """Change what is named; the rest stays. The log gets an entry."""
        changed = await case_artifacts.change(principal, case, artifact, data, expected_version(request))
        return Response(_artifact(changed), headers={"etag": etag(changed.version)})

    @delete("/{artifact:uuid}", status_code=200, opt=operation("artifact.write"))
    async def remove(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        artifact: FromPath[UUID],
        case_artifacts: NamedDependency[Artifacts],
        principal: NamedDependency[Principal],
    ) -> Response[ArtifactView]:
        """Take an artifact out of the case; it is kept as removed, and the log says so."""
        gone = await case_artifacts.remove(principal, case, artifact, expected_version(request))
        return Response(_artifact(gone), status_code=200, headers={"etag": etag(gone.version)})


def _artifact(one: Artifact) -> ArtifactView:
    return ArtifactView(
        one.id,
        one.case,
        one.kind,
        one.title,
        one.body,
        one.exhibit,
        one.content.hex(),
        one.record,
        one.shared,
        timestamp.encode(one.created),
        one.made_by,
        None if one.removed is None else timestamp.encode(one.removed),
        one.version,
    )
