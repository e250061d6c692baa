"""One person over HTTP: find what names them, export it, erase it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.people.principal import Principal
from deedbox_server.retention.approval import MAX_REASON
from deedbox_server.retention.erasures import MAX_PARTIES, PAGE, Erasure, Erasures
from deedbox_server.retention.person_export import PersonExporting
from deedbox_server.retention.tombstone import Tombstone
from deedbox_server.web.disposal import DecisionView, decision_view
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]
Parties = Annotated[list[UUID], msgspec.Meta(max_length=MAX_PARTIES)]


class PersonMeant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account, parties of cases, or both: what is known of one person."""

    account: UUID | None = None
    parties: Parties = []


class ErasureAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)]
    account: UUID | None = None
    parties: Parties = []


class PartyFound(msgspec.Struct, frozen=True):
    id: UUID
    case: UUID
    number: str
    name: str
    kind: str


class PartiesFound(msgspec.Struct, frozen=True):
    items: list[PartyFound]
    next: None = None


class KeptView(msgspec.Struct, frozen=True):
    what: str
    object: UUID | None
    why: str


class CertificateView(msgspec.Struct, frozen=True):
    """What went, what was kept and why, and when it is complete: when backups have expired and each desk has confirmed."""

    id: UUID
    time: str
    records: int
    kept: list[KeptView]
    backups_until: str | None
    desks: list[UUID]


class ErasureView(msgspec.Struct, frozen=True):
    id: UUID
    account: UUID | None
    parties: list[UUID]
    reason: str
    state: str
    asked: DecisionView | None
    not_before: str | None
    approved: DecisionView | None
    certificate: CertificateView | None
    unconfirmed: list[UUID]
    complete: bool
    version: int


class ErasureList(msgspec.Struct, frozen=True):
    items: list[ErasureView]
    next: UUID | None = None


class PersonController(Controller):
    path = "/api/v1/persons"

    @get("/", opt=operation("person.export"))
    async def find(
        self,
        name: FromQuery[str],
        person_exporting: NamedDependency[PersonExporting],
        principal: NamedDependency[Principal],
    ) -> PartiesFound:
        """Parties of all cases that have this name, however it is written."""
        found = await person_exporting.find(principal, name)
        return PartiesFound([PartyFound(one.id, one.case, one.number, one.name, one.kind) for one in found])

    @post("/export", status_code=200, opt=operation("person.export"))
    async def export(
        self,
        data: JSONBody[PersonMeant],
        person_exporting: NamedDependency[PersonExporting],
        principal: NamedDependency[Principal],
    ) -> Response[bytes]:
        """Everything about one person as a ZIP of JSON and HTML."""
        content = await person_exporting.export(principal, data.account, data.parties)
        headers = {"cache-control": "no-store", "content-disposition": 'attachment; filename="person.zip"'}
        return Response(content, media_type="application/zip", headers=headers)


class ErasureController(Controller):
    path = "/api/v1/erasures"

    @get("/", opt=operation("person.erase"))
    async def erasures_page(
        self,
        erasures: NamedDependency[Erasures],
        principal: NamedDependency[Principal],
        cursor: FromQuery[UUID | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> ErasureList:
        """Requests to erase people, oldest first."""
        page = await erasures.page(principal, after=cursor, limit=limit)
        return ErasureList([_view(one) for one in page], page[-1].id if page and len(page) >= limit else None)

    @post("/", status_code=201, opt=operation("person.erase"))
    async def ask(
        self, data: JSONBody[ErasureAsked], erasures: NamedDependency[Erasures], principal: NamedDependency[Principal]
    ) -> Response[ErasureView]:
        """Ask for a person to be erased; another has to approve."""
        return _answer(await erasures.ask(principal, data.account, data.parties, data.reason))

    @get("/{erasure:uuid}", opt=operation("person.erase"))
    async def erasure(
        self, erasure: FromPath[UUID], erasures: NamedDependency[Erasures], principal: NamedDependency[Principal]
    ) -> Response[ErasureView]:
        """One request, with its certificate once it is done."""
        return _answer(await erasures.get(principal, erasure))

    @post("/{erasure:uuid}/approve", status_code=200, opt=operation("person.erase"))
    async def approve(
        self,
        request: AnyRequest,
        erasure: FromPath[UUID],
        erasures: NamedDependency[Erasures],
        principal: NamedDependency[Principal],
    ) -> Response[ErasureView]:
        """Approve (If-Match) what another asked for, and erase; who is alone begins a wait by it, and confirms by it."""
        return _answer(await erasures.approve(principal, erasure, expected=expected_version(request)))

    @post("/{erasure:uuid}/withdraw", status_code=200, opt=operation("person.erase"))
    async def withdraw(
        self,
        request: AnyRequest,
        erasure: FromPath[UUID],
        erasures: NamedDependency[Erasures],
        principal: NamedDependency[Principal],
    ) -> Response[ErasureView]:
        """Withdraw or refuse a request (If-Match): nothing is erased."""
        return _answer(await erasures.withdraw(principal, erasure, expected=expected_version(request)))

    @post("/{erasure:uuid}/desks/{device:uuid}/confirm", status_code=200, opt=operation("person.erase"))
    async def confirm_desk(
        self,
        erasure: FromPath[UUID],
        device: FromPath[UUID],
        erasures: NamedDependency[Erasures],
        principal: NamedDependency[Principal],
    ) -> Response[ErasureView]:
        """Say that what this desk had of the person is gone there too."""
        return _answer(await erasures.confirm_desk(principal, erasure, device))


def _answer(erasure: Erasure) -> Response[ErasureView]:
    return Response(_view(erasure), headers={"etag": etag(erasure.version)})


def _view(erasure: Erasure) -> ErasureView:
    return ErasureView(
        id=erasure.id,
        account=erasure.person.account,
        parties=list(erasure.person.parties),
        reason=erasure.reason,
        state=erasure.state,
        asked=decision_view(erasure.asked),
        not_before=None if erasure.not_before is None else timestamp.encode(erasure.not_before),
        approved=decision_view(erasure.approved),
        certificate=None if erasure.certificate is None else _certificate(erasure.certificate),
        unconfirmed=list(erasure.unconfirmed),
        complete=erasure.complete,
        version=erasure.version,
    )


def _certificate(stone: Tombstone) -> CertificateView:
    return CertificateView(
        stone.id,
        timestamp.encode(stone.time),
        stone.erased.count,
        [KeptView(one.what, one.object, one.why) for one in stone.kept],
        None if stone.backups_until is None else timestamp.encode(stone.backups_until),
        list(stone.desks),
    )
