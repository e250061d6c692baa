"""Cases in their smallest real form: number, title, members. What cuts across registers with them; they know of nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from deedbox_server.database import Database, UniqueViolation
from deedbox_server.errors import BadRequest, Conflict
from deedbox_server.notary.drafts import EntryDraft, new_salts
from deedbox_server.notary.service import Notary
from deedbox_server.people import Permissions, Principal
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import uuid7

MAX_TITLE = 500
MAX_NUMBER = 100


@dataclass(frozen=True)
class Case:
    id: UUID
    number: str
    title: str
    created: datetime
    state: str


class Cases:
    def __init__(self, db: Database, keys: KeyStore, notary: Notary, permissions: Permissions) -> None:
        self._db = db
        self._keys = keys
        self._notary = notary
        self._permissions = permissions

    async def open(self, principal: Principal, number: str, title: str) -> Case:
        """Open a case under the firm's own number; who opens it is its first member, and its entry is in the log."""
        await self._permissions.permit(self._db, principal, "case.create")
        number, title = number.strip(), title.strip()
        if not 0 < len(number) <= MAX_NUMBER or not 0 < len(title) <= MAX_TITLE:
            raise BadRequest(f"A case needs a number (up to {MAX_NUMBER} characters) and a title (up to {MAX_TITLE}).")
        case = Case(uuid7.new(), number, title, datetime.now(UTC), "open")
        values = {"case": case.id.bytes, "person": principal.actor_id.encode()}
        salts = new_salts(uuid7.new(), values)
        await self._keys.commit(KeyBatch(salts=[salts]))
        try:
            async with self._db.transaction():
                await self._db.insert_many(
                    "legal_case",
                    ("id", "number", "title", "created", "state"),
                    [(case.id, number, title, case.created, case.state)],
                )
                if principal.account is not None:
                    await self._db.insert_many(
                        "case_member", ("case_id", "account", "role"), [(case.id, principal.account, principal.role)]
                    )
                await self._notary.stage([EntryDraft("case.opened", salts, values)])
        except UniqueViolation:
            raise Conflict("A case has this number already.") from None
        return case

    async def visible(self, principal: Principal) -> list[Case]:
        """The cases that the principal may see, by number."""
        self._permissions.require(principal, "case.list")
        wall = self._permissions.wall(principal, "case.read")
        rows = await self._db.fetch(
            f"SELECT id, number, title, created, state FROM legal_case WHERE {wall.on('legal_case.id')} ORDER BY number",
            *wall.args,
        )
        return [Case(**row) for row in rows]

    async def get(self, principal: Principal, case: UUID) -> Case:
        await self._permissions.permit(self._db, principal, "case.read", case=case)
        row = await self._db.fetch_one("SELECT id, number, title, created, state FROM legal_case WHERE id = {}", case)
        assert row is not None
        return Case(**row)
