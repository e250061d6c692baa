"""A box's cases and nothing else, for tests: a real database, a clock that is set, a notary and a trail that only note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from deedbox_server.cases import Case, Cases, NewCase
from deedbox_server.cases.artifacts import Artifacts
from deedbox_server.cases.conflicts import Conflicts
from deedbox_server.cases.events import Events
from deedbox_server.cases.listing import Listing
from deedbox_server.cases.parties import Parties
from deedbox_server.cases.party import Alias, NewParty, Party
from deedbox_server.cases.relations import Relations
from deedbox_server.cases.search import CaseSearch
from deedbox_server.database import Database
from deedbox_server.notary.drafts import EntryDraft
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.rules import ADMINISTRATOR, standard_permissions
from deedbox_sync import uuid7
from people_box import NotedLog, NotedTrail, SetClock


@dataclass
class NotedEntries(NotedLog):
    """A notary that notes; its salts need no store."""

    async def stage(self, drafts: Sequence[EntryDraft]) -> None:
        for draft in drafts:
            await self.record(draft.kind, draft.salts.record, draft.values)

    async def commit(self, _batch: object) -> None:
        """As the key store does."""


@dataclass
class CasesBox:
    db: Database
    clock: SetClock
    log: NotedEntries
    trail: NotedTrail
    permissions: Permissions
    owner: Principal
    cases: Cases
    listing: Listing
    search: CaseSearch
    relations: Relations
    parties: Parties
    events: Events
    artifacts: Artifacts
    conflicts: Conflicts
    people: dict[str, Principal] = field(default_factory=dict)

    def person(self, role: str, *duties: str) -> Principal:
        """Somebody of the firm, or an outsider, who is on no case yet."""
        return Principal("account", uuid7.new(), None, f"One {role}", "test", role, duties=frozenset(duties))

    async def join(self, principal: Principal, case: UUID, role: str | None = None) -> None:
        await self.db.insert_many(
            "case_member", ("case_id", "account", "role"), [(case, principal.account, role or principal.role)]
        )

    async def bar(self, principal: Principal, case: UUID) -> None:
        """Put an ethical wall between them."""
        await self.db.insert_many(
            "case_wall",
            ("id", "case_id", "account", "reason", "made_by", "created"),
            [(uuid7.new(), case, principal.account, "x", "box", self.clock())],
        )

    async def case(self, title: str, **facts: Any) -> Case:
        """A case that the owner opened."""
        return await self.cases.create(self.owner, NewCase(title, **facts))

    async def party(self, case: Case, name: str, *aliases: str, kind: Any = "witness") -> Party:
        other_names = tuple(Alias(alias) for alias in aliases)
        return await self.parties.add(self.owner, case.id, NewParty(kind, name, aliases=other_names))


def make_cases_box(db: Database, **settings: Any) -> CasesBox:
    clock, trail, log, permissions = SetClock(), NotedTrail(db), NotedEntries(db), standard_permissions()
    notary: Any = log
    return CasesBox(
        db,
        clock,
        log,
        trail,
        permissions,
        Principal("account", uuid7.new(), None, "Olivia Owner", "test", ADMINISTRATOR),
        Cases(db, notary, notary, permissions, trail, clock=clock, **settings),
        Listing(db, permissions, clock),
        CaseSearch(db, permissions),
        Relations(db, permissions, trail, clock),
        Parties(db, permissions, trail, clock),
        Events(db, permissions, trail, clock),
        Artifacts(db, notary, permissions, trail, clock),
        Conflicts(db, permissions, trail, clock=clock),
    )
