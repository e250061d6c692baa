"""Exhibits as people see them: list, look up, read; each read leaves its custody event before the first byte."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import NotFound
from deedbox_server.evidence.custody import Custody, ExhibitMoved, new_event
from deedbox_server.notary.service import Notary
from deedbox_server.people import Permissions, Principal
from deedbox_server.vault import BlobReader, Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import timestamp
from deedbox_sync.custody import Actor

PAGE = 100
MAX_PAGE = 500
LINK = "link:"  # how `via` begins where somebody downloads by an address that an account gave away
_QUARTER = 15  # minutes; one view event covers a person, an exhibit and a quarter hour (EV-5)


@dataclass(frozen=True)
class Exhibit:
    """One received item."""

    id: UUID
    case: UUID
    number: int
    name: str
    media_type: str
    labels: tuple[str, ...]
    size: int
    content: bytes
    statement: bytes
    blob: UUID
    captured: datetime
    received: datetime
    captured_by_desk: bool
    device: UUID | None
    supersedes: UUID | None


@dataclass(frozen=True)
class DerivedDocument:
    """Something made from an exhibit: recognised text, words, a searchable PDF."""

    id: UUID
    exhibit: UUID
    form: str
    media_type: str
    content: bytes
    size: int
    blob: UUID
    producer: str
    created: datetime
    event: int


_COLUMNS = (
    "id, case_id, number, name, media_type, labels, size, content, statement, blob, captured, received, captured_by_desk, "
    # an older version that lies in another case (one of the two was refiled) is not named
    "device, (SELECT older.id FROM exhibit older WHERE older.id = exhibit.supersedes AND older.case_id = exhibit.case_id)"
    ' AS "supersedes [uuid]"'
)
_DERIVED = "id, exhibit, form, media_type, content, size, blob, producer, created, event"


def actor_of(principal: Principal) -> Actor:
    return Actor(id=principal.actor_id, name=principal.name, via=principal.via)


class Exhibits:
    def __init__(
        self, db: Database, vault: Vault, keys: KeyStore, notary: Notary, custody: Custody, permissions: Permissions
    ) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._notary = notary
        self._custody = custody
        self._permissions = permissions

    async def page(
        self, principal: Principal, *, case: UUID | None = None, after: UUID | None = None, limit: int = PAGE
    ) -> list[Exhibit]:
        """Exhibits that the principal may see, oldest first, after the cursor `after` (an exhibit's id)."""
        self._permissions.require(principal, "evidence.read")
        wall = self._permissions.wall(principal, "evidence.read")
        if case is not None:
            within, wanted = f"case_id = {{}} AND {wall.at('exhibit.case_id')}", [case]
        else:
            many = await self._permissions.is_on_many(self._db, principal)
            within, wanted = wall.at("exhibit.case_id") if many else wall.on("exhibit.case_id"), []
        rows = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM exhibit WHERE id > {{}} AND {within} "
            f"ORDER BY id LIMIT {min(max(limit, 1), MAX_PAGE):d}",
            after or UUID(int=0),
            *wanted,
            *wall.args,
        )
        return [_exhibit(row) for row in rows]

    async def get(self, principal: Principal, exhibit: UUID, operation: str = "evidence.read") -> Exhibit:
        """One exhibit; what the principal may not see is answered as what does not exist."""
        row = await self._db.fetch_one(f"SELECT {_COLUMNS} FROM exhibit WHERE id = {{}}", exhibit)
        if row is None:
            raise NotFound
        await self._permissions.permit(self._db, principal, operation, case=row["case_id"])
        return _exhibit(row)

    async def some(self, principal: Principal, exhibits: Sequence[UUID]) -> dict[UUID, Exhibit]:
        """Those of these that the principal may see, by id."""
        wall = self._permissions.wall(principal, "evidence.read")
        rows = await self._db.fetch_in(
            f"SELECT {_COLUMNS} FROM exhibit WHERE {wall.on('exhibit.case_id')} AND id IN ", exhibits, *wall.args
        )
        return {row["id"]: _exhibit(row) for row in rows}

    async def derived(self, exhibits: Sequence[UUID]) -> list[DerivedDocument]:
        """What was made from these exhibits; the caller has shown that it may see them."""
        rows = await self._db.fetch_in(f"SELECT {_DERIVED} FROM derived WHERE exhibit IN ", exhibits)
        return sorted((DerivedDocument(**row) for row in rows), key=lambda item: item.id)

    async def open(self, principal: Principal, exhibit: UUID, kind: str) -> tuple[Exhibit, BlobReader]:
        """The exhibit's bytes for `viewed` or `downloaded`. The custody event is durable before this returns."""
        found = await self._marked(principal, exhibit, kind)
        return found, await self._vault.open(found.blob)

    async def open_derived(
        self, principal: Principal, exhibit: UUID, derived: UUID, kind: str
    ) -> tuple[DerivedDocument, BlobReader]:
        """A derived document's bytes; reading it is reading the exhibit."""
        await self.get(principal, exhibit, _operation(kind))
        document = next((item for item in await self.derived([exhibit]) if item.id == derived), None)
        if document is None:
            raise NotFound("There is no such derived document.")
        await self._marked(principal, exhibit, kind)
        return document, await self._vault.open(document.blob)

    async def show(self, principal: Principal, exhibits: Mapping[UUID, UUID]) -> None:
        """Some words of these exhibits (with their cases) are about to be shown, as in a list of hits: that is viewing them.

        The caller has shown that the principal may.
        """
        await self._record_reads(principal, exhibits, "viewed")

    async def _marked(self, principal: Principal, exhibit: UUID, kind: str) -> Exhibit:
        """The exhibit, once its custody tells that it is read. Refiled meanwhile, it is asked for anew: the wall is another."""
        while True:
            found = await self.get(principal, exhibit, _operation(kind))
            try:
                await self._record_reads(principal, {found.id: found.case}, kind)
            except ExhibitMoved:
                continue
            return found

    async def _record_reads(self, principal: Principal, exhibits: Mapping[UUID, UUID], kind: str) -> None:
        """One custody event for each exhibit that has none of this person, kind and quarter hour yet; durable on return."""
        await self._notary.refuse_reads_when_behind()
        now = datetime.now(UTC)
        quarter = now.replace(minute=now.minute - now.minute % _QUARTER, second=0, microsecond=0)
        # What somebody else did by a link of this account is not covered by what the account did itself.
        reader = principal.via if principal.via.startswith(LINK) else principal.actor_id
        of_quarter = (reader, kind, quarter)
        seen = await self._db.fetch_in(
            "SELECT exhibit FROM view_mark WHERE account = {} AND kind = {} AND quarter = {} AND exhibit IN ",
            sorted(exhibits),
            *of_quarter,
        )
        fresh = sorted(exhibits.keys() - {row["exhibit"] for row in seen})
        if not fresh:
            return
        detail = {"quarter": timestamp.encode(quarter)}
        events = {one: new_event(one, exhibits[one], kind, actor_of(principal), detail) for one in fresh}
        await self._keys.commit(KeyBatch(salts=[event.salts for event in events.values()]))
        async with self._db.transaction():
            marks = ", ".join(["({}, {}, {}, {})"] * len(fresh))
            marked = await self._db.fetch(
                f"INSERT INTO view_mark (exhibit, account, kind, quarter) VALUES {marks} "
                "ON CONFLICT (exhibit, account, kind, quarter) DO NOTHING RETURNING exhibit",
                *(value for one in fresh for value in (one, *of_quarter)),
            )
            if marked:
                await self._custody.append([events[row["exhibit"]] for row in marked])


def _operation(kind: str) -> str:
    return {"viewed": "evidence.read", "downloaded": "evidence.download"}[kind]


def _exhibit(row: dict[str, Any]) -> Exhibit:
    return Exhibit(
        id=row["id"],
        case=row["case_id"],
        number=row["number"],
        name=row["name"],
        media_type=row["media_type"],
        labels=tuple(json.loads(row["labels"])),
        size=row["size"],
        content=row["content"],
        statement=row["statement"],
        blob=row["blob"],
        captured=row["captured"],
        received=row["received"],
        captured_by_desk=row["captured_by_desk"],
        device=row["device"],
        supersedes=row["supersedes"],
    )
