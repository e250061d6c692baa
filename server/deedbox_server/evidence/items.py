"""Physical items of a case (EV-13): what they are, where they lie, and each thing that was done with them, on record for good."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound
from deedbox_server.evidence.item import (
    COLUMNS,
    HELD,
    MAX_LINE,
    Condition,
    Description,
    Item,
    Party,
    item_of,
    purpose_of,
    text,
)
from deedbox_server.evidence.item_chain import ItemChain
from deedbox_server.notary.service import Notary
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.holds import lock, refuse_if_held
from deedbox_sync import uuid7
from deedbox_sync.canonical_json import Json

READ: Final = "item.read"
WRITE: Final = "item.write"
NOTED: Final = ("examined", "moved", "disposed")  # what one person does alone; a handover needs two


@dataclass(frozen=True)
class NewItem:
    """A thing that comes into the firm's hands, and from whom."""

    description: Description
    condition: Condition
    giver: str
    signature: UUID | None = None
    purpose: str | None = None
    happened: datetime | None = None


@dataclass(frozen=True)
class Note:
    """What one person did with an item: `kind` is one of NOTED."""

    kind: str
    condition: Condition
    seal_intact: bool | None = None
    purpose: str | None = None
    happened: datetime | None = None


class Items:
    def __init__(self, db: Database, notary: Notary, permissions: Permissions) -> None:
        self._db = db
        self._permissions = permissions
        self._chain = ItemChain(db, notary)

    async def create(self, principal: Principal, case: UUID, new: NewItem) -> Item:
        """Take an item in: the case's next number, held by whoever records it. Its first record is in the log."""
        await self._permissions.permit(self._db, principal, WRITE, case=case)
        if principal.account is None:
            raise Denied("only a person takes an item in")
        what, how = new.description.checked(), new.condition.checked()
        giver = Party(text(new.giver, "Who gave it", MAX_LINE, needed=True), None, new.signature)
        holder, item, now = Party(principal.name, principal.account), uuid7.new(), datetime.now(UTC)
        async with self._db.transaction():
            await lock(self._db, {case})
            await self._refuse_unless_open(case)
            if new.signature is not None:
                await self.refuse_unless_here(new.signature, case)
            row = await self._db.fetch_one("SELECT max(number) AS last FROM item WHERE case_id = {}", case)
            number = ((row["last"] if row is not None else None) or 0) + 1
            await self._db.insert_many(
                "item",
                (*COLUMNS.split(", "), "made_by"),
                [
                    (
                        *(item, case, number, what.kind, what.description, what.made, what.serial, how.condition),
                        *(json.dumps(how.seals, ensure_ascii=False), how.place),
                        *(json.dumps(holder.members(), ensure_ascii=False), HELD, 1, now, now, principal.actor_id),
                    )
                ],
            )
            detail: dict[str, Json] = {
                "described": what.members(),
                "from": giver.members(),
                "purpose": purpose_of(new.purpose),
                "state": how.members(),
            }
            await self._chain.append(principal, item, case, "received", detail, new.happened)
        return await self.get(principal, item)

    async def get(self, principal: Principal, item: UUID, operation: str = READ) -> Item:
        row = await self._db.fetch_one(f"SELECT {COLUMNS} FROM item WHERE id = {{}}", item)
        if row is None:
            raise NotFound
        await self._permissions.permit(self._db, principal, operation, case=row["case_id"])
        return item_of(row)

    async def page(self, principal: Principal, case: UUID, *, after: int = 0, limit: int = 100) -> list[Item]:
        """The items of a case by number, after the number `after`."""
        await self._permissions.permit(self._db, principal, READ, case=case)
        wall = self._permissions.wall(principal, READ)
        rows = await self._db.fetch(
            f"SELECT {COLUMNS} FROM item WHERE case_id = {{}} AND number > {{}} AND {wall.on('item.case_id')} "
            f"ORDER BY number LIMIT {limit:d}",
            case,
            after,
            *wall.args,
        )
        return [item_of(row) for row in rows]

    async def records(self, principal: Principal, item: UUID, *, after: int = 0, limit: int = 100) -> list[Row]:
        """Everything that was done with it, told in full, in order."""
        await self.get(principal, item)
        return await self._chain.records(item, after=after, limit=limit)

    async def photos(self, item: Item) -> list[UUID]:
        """The exhibits of its case that show it; the caller has shown that it may see the item."""
        rows = await self._db.fetch(
            "SELECT item_photo.exhibit FROM item_photo JOIN exhibit ON exhibit.id = item_photo.exhibit "
            "WHERE item_photo.item = {} AND exhibit.case_id = {} ORDER BY item_photo.id",
            item.id,
            item.case,
        )
        return [row["exhibit"] for row in rows]

    async def describe(self, principal: Principal, item: UUID, description: Description, *, expected: int) -> Item:
        """Describe it anew; what was said before stays on record. PreconditionFailed unless it is the version `expected`."""
        what = description.checked()
        found = await self.get(principal, item, WRITE)
        async with self._db.transaction():
            here = await self._still(found)
            await self._chain.append(principal, item, here.case, "described", {"described": what.members()}, None)
            await self._chain.change(here, "described", description=what, expected=expected)
        return await self.get(principal, item)

    async def note(self, principal: Principal, item: UUID, note: Note, *, expected: int) -> Item:
        """Somebody examined it, moved it to another place, or disposed of it: not while a hold is over the case (OnHold)."""
        if note.kind not in NOTED:
            raise BadRequest(f"What one person does with an item is one of: {', '.join(NOTED)}.")
        how = note.condition.checked()
        detail: dict[str, Json] = {"purpose": purpose_of(note.purpose), "state": how.members()}
        if note.kind == "examined":
            detail["seal_intact"] = note.seal_intact
        found = await self.get(principal, item, WRITE)
        async with self._db.transaction():
            if note.kind == "disposed":
                if detail["purpose"] is None:
                    raise BadRequest("Say how it was disposed of, and on whose word.")
                await refuse_if_held(self._db, case=found.case)
            here = await self._still(found)
            await self._chain.append(principal, item, here.case, note.kind, detail, note.happened)
            await self._chain.change(here, note.kind, condition=how, expected=expected)
        return await self.get(principal, item)

    async def photograph(self, principal: Principal, item: UUID, exhibit: UUID, purpose: str | None) -> Item:
        """An exhibit of the same case shows it. Again changes nothing."""
        found = await self.get(principal, item, WRITE)
        async with self._db.transaction():
            here = await self._still(found)
            await self.refuse_unless_here(exhibit, here.case)
            added = await self._db.fetch(
                "INSERT INTO item_photo (item, exhibit, added) VALUES ({}, {}, {}) ON CONFLICT (item, exhibit) DO NOTHING "
                "RETURNING item",
                item,
                exhibit,
                datetime.now(UTC),
            )
            if added:
                detail: Mapping[str, Json] = {"exhibit": str(exhibit), "purpose": purpose_of(purpose)}
                await self._chain.append(principal, item, here.case, "photographed", detail, None)
                await self._chain.change(here, "photographed")
        return await self.get(principal, item)

    async def refuse_unless_here(self, exhibit: UUID, case: UUID) -> None:
        """In a transaction: what shows an item or a signature is an exhibit of its case."""
        row = await self._db.fetch_one("SELECT case_id FROM exhibit WHERE id = {}", exhibit)
        if row is None or row["case_id"] != case:
            raise BadRequest("A picture or a signature is an exhibit of the item's case: add it there first.")

    async def _still(self, found: Item) -> Item:
        """The item, locked; Conflict once it is out of the firm's hands, or while a handover of it is pending."""
        here = await self._chain.lock(found.id)
        if here.state != HELD:
            raise Conflict(f"This item was {here.state}: nothing more is done with it.")
        rows = await self._db.fetch("SELECT id FROM handover WHERE item = {} AND state = 'pending'", found.id)
        if rows:
            raise Conflict("A handover of this item is pending: have it confirmed or withdrawn first.")
        return here

    async def _refuse_unless_open(self, case: UUID) -> None:
        row = await self._db.fetch_one("SELECT state FROM legal_case WHERE id = {}", case)
        if row is None or row["state"] != "open":
            raise Conflict("This case is not open: open it first.")
