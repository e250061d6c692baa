"""The parties of a case over HTTP. Only the firm's own see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.cases.page import DEFAULT_LIMIT
from deedbox_server.cases.parties import Parties
from deedbox_server.cases.party import Alias, Contact, NewParty, Party, PartyChange, PartyKind
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]


class PartyView(msgspec.Struct, frozen=True):
    """A party. One that was removed has a time in `removed`, and conflict checks still find it."""

    id: UUID
    case: UUID
    kind: PartyKind
    name: str
    organisation: bool
    aliases: list[Alias]
    contacts: list[Contact]
    counsel_for: list[UUID]
    firm: str | None
    bar_number: str | None
    notes: str | None
    created: str
    removed: str | None
    version: int


class PartyList(msgspec.Struct, frozen=True):
    items: list[PartyView]
    next: str | None


class PartyController(Controller):
    path = "/api/v1/cases/{case:uuid}/parties"

    @get("/", opt=operation("party.read"))
    async def list_parties(
        self,
        case: FromPath[UUID],
        case_parties: NamedDependency[Parties],
        principal: NamedDependency[Principal],
        removed: FromQuery[bool] = False,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
    ) -> PartyList:
        """The parties of a case in the order in which they were added; with removed=true those too that were removed."""
        page = await case_parties.of(principal, case, removed=removed, after=cursor, limit=limit)
        return PartyList([_party(one) for one in page.items], page.next)

    @post("/", status_code=201, opt=operation("party.write"))
    async def add(
        self,
        case: FromPath[UUID],
        data: JSONBody[NewParty],
        case_parties: NamedDependency[Parties],
        principal: NamedDependency[Principal],
    ) -> Response[PartyView]:
        """Add a party to an open case."""
        made = await case_parties.add(principal, case, data)
        where = {"etag": etag(made.version), "location": f"/api/v1/cases/{case}/parties/{made.id}"}
        return Response(_party(made), status_code=201, headers=where)

    @get("/{party:uuid}", opt=operation("party.read"))
    async def look(
        self,
        case: FromPath[UUID],
        party: FromPath[UUID],
        case_parties: NamedDependency[Parties],
        principal: NamedDependency[Principal],
    ) -> Response[PartyView]:
        """One party of this case."""
        found = await case_parties.get(principal, case, party)
        return Response(_party(found), headers={"etag": etag(found.version)})

    @patch("/{party:uuid}", opt=operation("party.write"))
    async def change(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        party: FromPath[UUID],
        data: JSONBody[PartyChange],
        case_parties: NamedDependency[Parties],
        principal: NamedDependency[Principal],
    ) -> Response[PartyView]:
        """Change what is named; the rest stays."""
        changed = await case_parties.change(principal, case, party, data, expected_version(request))
        return Response(_party(changed), headers={"etag": etag(changed.version)})

    @delete("/{party:uuid}", status_code=200, opt=operation("party.write"))
    async def remove(
        self,
        request: AnyRequest,
        case: FromPath[UUID],
        party: FromPath[UUID],
        case_parties: NamedDependency[Parties],
        principal: NamedDependency[Principal],
    ) -> Response[PartyView]:
        """Take a party out of the case. It is kept as removed, and conflict checks still find it."""
        gone = await case_parties.remove(principal, case, party, expected_version(request))
        return Response(_party(gone), status_code=200, headers={"etag": etag(gone.version)})


def _party(party: Party) -> PartyView:
    facts = party.facts
    return PartyView(
        party.id,
        party.case,
        facts.kind,
        facts.name,
        facts.organisation,
        list(facts.aliases),
        list(facts.contacts),
        list(facts.counsel_for),
        facts.firm,
        facts.bar_number,
        facts.notes,
        timestamp.encode(party.created),
        None if party.removed is None else timestamp.encode(party.removed),
        party.version,
    )
