"""What the box tells of one person, section by section, within the wall of whoever reads it. No secret is among it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.people.erasing import Person, PersonExport
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_sync import timestamp
from deedbox_sync.canonical_json import Json

MAX_ROWS: Final = 100_000  # of one section: years of somebody's work

# Of an account: section, columns, table, the column with its id. Digests, hashes and keys are left out.
_OF_ACCOUNT: Final = (
    ("account", "id, name, role, created, disabled, duties, sign_in, email", "account", "id"),
    ("sessions", "id, via, address, agent, created, used, expires", "people_session", "account"),
    ("passkeys", "id, name, rp, created, used", "passkey", "account"),
    ("authenticators", "id, created, confirmed", "totp_secret", "account"),
    ("keys", "id, handle, name, created, expires, revoked, scopes, networks, last_used", "api_key", "account"),
    ("outside-identities", "id, issuer, subject, created, last_used", "outside_identity", "account"),
    ("devices", "id, name, platform, created, revoked", "device", "account"),
    ("invitations", "id, kind, name, role, email, created, used", "invitation", "account"),
)


class PersonSections:
    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions

    def register(self, export: PersonExport) -> None:
        for name, columns, table, column in _OF_ACCOUNT:
            export.register(name, _teller(columns, table, column))
        export.register("memberships", self._memberships)
        export.register("parties", self._parties)
        export.register("events", self._events)
        export.register("exhibits-sent", self._exhibits)
        export.register("custody", self._custody)
        export.register("trail", self._trail)

    async def _memberships(self, db: Database, principal: Principal, person: Person) -> Sequence[Mapping[str, Json]]:
        return await self._walled(
            db,
            principal,
            "SELECT case_member.case_id, legal_case.number, case_member.role, case_member.until FROM case_member"
            " JOIN legal_case ON legal_case.id = case_member.case_id WHERE case_member.account = {}",
            "case_member.case_id",
            person.account,
        )

    async def _parties(self, db: Database, principal: Principal, person: Person) -> Sequence[Mapping[str, Json]]:
        found: list[Mapping[str, Json]] = []
        for party in person.parties:
            found += await self._walled(
                db,
                principal,
                "SELECT id, case_id, kind, name, organisation, aliases, contacts, firm, bar_number, notes, created, removed"
                " FROM case_party WHERE id = {}",
                "case_party.case_id",
                party,
            )
        return found

    async def _events(self, db: Database, principal: Principal, person: Person) -> Sequence[Mapping[str, Json]]:
        """Events of the cases in which the person is a party, that have their name."""
        found: list[Mapping[str, Json]] = []
        for party in person.parties:
            row = await db.fetch_one("SELECT case_id, name FROM case_party WHERE id = {}", party)
            if row is None:
                continue
            events = await self._walled(
                db,
                principal,
                "SELECT id, case_id, kind, title, detail, starts, ends, zone, certainty FROM case_event WHERE case_id = {}",
                "case_event.case_id",
                row["case_id"],
            )
            name = row["name"].casefold()
            found += [one for one in events if name in f"{one['title']} {one['detail'] or ''}".casefold()]
        return found

    async def _exhibits(self, db: Database, principal: Principal, person: Person) -> Sequence[Mapping[str, Json]]:
        return await self._walled(
            db,
            principal,
            "SELECT exhibit.id, exhibit.case_id, exhibit.number, exhibit.name, exhibit.size, exhibit.received FROM exhibit"
            " WHERE (exhibit.id IN (SELECT exhibit FROM custody_event WHERE kind = 'received' AND actor = {})"
            " OR exhibit.device IN (SELECT id FROM device WHERE device.account = {}))",
            "exhibit.case_id",
            person.actor_id or "",
            person.account,
        )

    async def _custody(self, db: Database, principal: Principal, person: Person) -> Sequence[Mapping[str, Json]]:
        return await self._walled(
            db,
            principal,
            "SELECT custody_event.id, custody_event.exhibit, exhibit.case_id, custody_event.kind, custody_event.time"
            " FROM custody_event JOIN exhibit ON exhibit.id = custody_event.exhibit WHERE custody_event.actor = {}",
            "exhibit.case_id",
            person.actor_id or "",
        )

    async def _trail(self, db: Database, principal: Principal, person: Person) -> Sequence[Mapping[str, Json]]:
        """What they did and what was done to what names them; of cases behind the reader's wall nothing."""
        wall = self._permissions.wall(principal)
        about = (person.account or UUID(int=0), *person.parties)
        rows = await db.fetch(
            "SELECT record FROM audit_record WHERE (actor = {} OR object IN "
            f"({', '.join(['{}'] * len(about))})) AND (case_id IS NULL OR {wall.on('audit_record.case_id')})"
            f" ORDER BY id LIMIT {MAX_ROWS}",
            person.actor_id or "",
            *about,
            *wall.args,
        )
        return [{name: value for name, value in json.loads(row["record"]).items() if name != "salt"} for row in rows]

    async def _walled(
        self, db: Database, principal: Principal, query: str, case: str, *args: object
    ) -> list[Mapping[str, Json]]:
        wall = self._permissions.wall(principal)
        rows = await db.fetch(f"{query} AND {wall.on(case)} LIMIT {MAX_ROWS}", *args, *wall.args)
        return [_plain(row) for row in rows]


class _Teller:
    def __init__(self, columns: str, table: str, column: str) -> None:
        self._query = f"SELECT {columns} FROM {table} WHERE {column} = {{}} LIMIT {MAX_ROWS}"

    async def __call__(self, db: Database, principal: Principal, person: Person) -> Sequence[Mapping[str, Json]]:
        return [_plain(row) for row in await db.fetch(self._query, person.account)]


def _teller(columns: str, table: str, column: str) -> _Teller:
    return _Teller(columns, table, column)


def _plain(row: Row) -> dict[str, Json]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: object) -> Json:
    if isinstance(value, datetime):
        return timestamp.encode(value)
    if isinstance(value, UUID):
        return str(value)
    if value is None or isinstance(value, str | bool | int):
        return value
    raise TypeError(f"a section tells no {type(value).__name__}")
