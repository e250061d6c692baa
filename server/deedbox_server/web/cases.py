"""Cases over HTTP: list, search, open, read, change, close and reopen, and how they belong together."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from deedbox_server.cases import Case, CaseChange, Cases, NewCase, plain_text
from deedbox_server.cases.listing import Listing, Wanted
from deedbox_server.cases.page import DEFAULT_LIMIT
from deedbox_server.cases.relations import Relation, Relations
from deedbox_server.cases.search import CaseSearch, Found
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

SEARCH_PAGE = 20  # cases that one screen shows

AnyRequest = Request[Any, Any, Any]
State = Annotated[str | None, QueryParameter(name="state")]  # `state` itself is a word of the framework


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a case is closed, archived or reopened."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=plain_text.MAX_REASON)]


class NewRelation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this case is of the other one: `related`, `consolidated`, `duplicate`, `appeal-of`, `appealed-in`."""

    other: UUID
    kind: Annotated[str, msgspec.Meta(max_length=40)]


class CaseView(msgspec.Struct, frozen=True):
    """A case. Outsiders get its card: id, number, title, court, docket and state, and nothing else."""

    id: UUID
    number: str
    title: str
    state: str
    court: str | None
    docket: str | None
    kind: str | UnsetType | None = UNSET
    client: str | UnsetType | None = UNSET
    jurisdiction: str | UnsetType | None = UNSET
    labels: list[str] | UnsetType = UNSET
    opened: date | UnsetType | None = UNSET
    closed: str | UnsetType | None = UNSET
    state_reason: str | UnsetType | None = UNSET
    created: str | UnsetType = UNSET
    updated: str | UnsetType = UNSET
    version: int | UnsetType = UNSET


class CaseList(msgspec.Struct, frozen=True):
    items: list[CaseView]
    next: str | None


class ShownView(msgspec.Struct, frozen=True):
    """What of the case has the words: `place` is number, title, docket, client or party."""

    place: str
    text: str


class FoundView(msgspec.Struct, frozen=True):
    """A case that was found; `score` is 0 … 1000."""

    case: CaseView
    score: int
    shown: list[ShownView]


class FoundList(msgspec.Struct, frozen=True):
    """What was found, best first. `suggestion`: the question as the best case spells it, where that differs."""

    items: list[FoundView]
    next: str | None
    suggestion: str | None


class RelationView(msgspec.Struct, frozen=True):
    """The case is `kind` of the case `other`."""

    kind: str
    other: UUID
    number: str
    title: str
    state: str


class RelationList(msgspec.Struct, frozen=True):
    items: list[RelationView]
    next: str | None = None


class CaseController(Controller):
    path = "/api/v1/cases"

    @get("/", opt=operation("case.list"))
    async def list_cases(
        self,
        case_listing: NamedDependency[Listing],
        principal: NamedDependency[Principal],
        in_state: State = None,
        kind: FromQuery[str | None] = None,
        client: FromQuery[str | None] = None,
        court: FromQuery[str | None] = None,
        label: FromQuery[str | None] = None,
        member: FromQuery[UUID | None] = None,
        opened_from: FromQuery[date | None] = None,
        opened_to: FromQuery[date | None] = None,
        updated_from: FromQuery[datetime | None] = None,
        updated_to: FromQuery[datetime | None] = None,
        sort: FromQuery[str] = "number",
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
    ) -> CaseList:
        """The cases that one may see. Sorts: number, title, opened, updated, with - before it the other way round."""
        wanted = Wanted(
            state=in_state,
            court=court,
            kind=kind,
            client=client,
            label=label,
            member=member,
            opened_from=opened_from,
            opened_to=opened_to,
            updated_from=updated_from,
            updated_to=updated_to,
            sort=sort,
            after=cursor,
            limit=limit,
        )
        page = await case_listing.page(principal, wanted)
        return CaseList([case_view(case) for case in page.items], page.next)

    @get("/search", opt=operation("case.list"))
    async def find(
        self,
        case_search: NamedDependency[CaseSearch],
        principal: NamedDependency[Principal],
        q: FromQuery[str],
        in_state: State = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = SEARCH_PAGE,
    ) -> FoundList:
        """Cases whose number, title, docket number, client or parties have the words, also misspelt or only begun; best first."""
        answer = await case_search.find(principal, q, state=in_state, after=cursor, limit=limit)
        return FoundList([found_view(one) for one in answer.page.items], answer.page.next, answer.suggestion)

    @post("/", status_code=201, opt=operation("case.create"))
    async def open_case(
        self, data: JSONBody[NewCase], cases: NamedDependency[Cases], principal: NamedDependency[Principal]
    ) -> Response[CaseView]:
        """Open a case. Without a number the firm's pattern gives the next one; a number that was given once is taken for good."""
        case = await cases.create(principal, data)
        return Response(
            case_view(case), status_code=201, headers={"etag": etag(case.version), "location": f"{self.path}/{case.id}"}
        )

    @get("/{case:uuid}", opt=operation("case.read"))
    async def look(
        self, case: FromPath[UUID], cases: NamedDependency[Cases], principal: NamedDependency[Principal]
    ) -> Response[CaseView]:
        """One case; outsiders get its card, without an ETag."""
        found = await cases.get(principal, case)
        return Response(case_view(found), headers={} if found.outside else {"etag": etag(found.version)})

    @patch("/{case:uuid}", opt=operation("case.write"))
    async def change(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        data: JSONBody[CaseChange],
        cases: NamedDependency[Cases],
        principal: NamedDependency[Principal],
    ) -> Response[CaseView]:
        """Change what is named; the rest stays, null takes away. Only of an open case."""
        changed = await cases.change(principal, case, data, expected_version(request))
        return Response(case_view(changed), headers={"etag": etag(changed.version)})

    @post("/{case:uuid}/close", status_code=200, opt=operation("case.write"))
    async def close(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        data: JSONBody[Step],
        cases: NamedDependency[Cases],
        principal: NamedDependency[Principal],
    ) -> Response[CaseView]:
        """Close an open case: it can be read, and takes no new work. What desks send to it is still kept."""
        changed = await cases.step(principal, case, "close", data.reason, expected_version(request))
        return Response(case_view(changed), headers={"etag": etag(changed.version)})

    @post("/{case:uuid}/archive", status_code=200, opt=operation("case.write"))
    async def archive(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        data: JSONBody[Step],
        cases: NamedDependency[Cases],
        principal: NamedDependency[Principal],
    ) -> Response[CaseView]:
        """Archive a closed case."""
        changed = await cases.step(principal, case, "archive", data.reason, expected_version(request))
        return Response(case_view(changed), headers={"etag": etag(changed.version)})

    @post("/{case:uuid}/reopen", status_code=200, opt=operation("case.write"))
    async def reopen(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        data: JSONBody[Step],
        cases: NamedDependency[Cases],
        principal: NamedDependency[Principal],
    ) -> Response[CaseView]:
        """Reopen a closed or archived case."""
        changed = await cases.step(principal, case, "reopen", data.reason, expected_version(request))
        return Response(case_view(changed), headers={"etag": etag(changed.version)})

    @get("/{case:uuid}/relations", opt=operation("party.read"))
    async def relations(
        self,
        case: FromPath[UUID],
        case_relations: NamedDependency[Relations],
        principal: NamedDependency[Principal],
    ) -> RelationList:
        """The cases that this one belongs together with, of those that one may see."""
        return RelationList([_relation(one) for one in await case_relations.of(principal, case)])

    @post("/{case:uuid}/relations", status_code=201, opt=operation("case.write"))
    async def relate(
        self,
        case: FromPath[UUID],
        data: JSONBody[NewRelation],
        case_relations: NamedDependency[Relations],
        principal: NamedDependency[Principal],
    ) -> RelationList:
        """Say how this case and another belong together; the other one then says the same from its side."""
        await case_relations.add(principal, case, data.other, data.kind)
        return RelationList([_relation(one) for one in await case_relations.of(principal, case)])

    @delete("/{case:uuid}/relations/{other:uuid}/{kind:str}", status_code=204, opt=operation("case.write"))
    async def unrelate(
        self,
        case: FromPath[UUID],
        other: FromPath[UUID],
        kind: FromPath[str],
        case_relations: NamedDependency[Relations],
        principal: NamedDependency[Principal],
    ) -> None:
        """Take a relation away, from both sides."""
        await case_relations.remove(principal, case, other, kind)


def case_view(case: Case) -> CaseView:
    card = CaseView(case.id, case.number, case.title, case.state, case.court, case.docket)
    if case.outside:
        return card
    return msgspec.structs.replace(
        card,
        kind=case.kind,
        client=case.client,
        jurisdiction=case.jurisdiction,
        labels=list(case.labels),
        opened=case.opened,
        closed=None if case.closed is None else timestamp.encode(case.closed),
        state_reason=case.state_reason,
        created=timestamp.encode(case.created),
        updated=timestamp.encode(case.updated or case.created),
        version=case.version,
    )


def found_view(found: Found) -> FoundView:
    return FoundView(case_view(found.case), found.score, [ShownView(one.place, one.text) for one in found.shown])


def _relation(one: Relation) -> RelationView:
    return RelationView(one.kind, one.other, one.number, one.title, one.state)
