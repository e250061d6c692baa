"""The records of items: one numbered, chained record per event, each committed to in the log (formats/item.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, NotFound, PreconditionFailed
from deedbox_server.evidence.exhibits import actor_of
from deedbox_server.evidence.item import COLUMNS, DISPOSED, HELD, RETURNED, Condition, Description, Item, Party, item_of
from deedbox_server.notary.service import Notary
from deedbox_server.people import Principal
from deedbox_sync import item_record, uuid7
from deedbox_sync.canonical_json import Json
from deedbox_sync.custody import NO_DIGEST, SALT_LENGTH
from deedbox_sync.item_record import ItemRecord

_ENDS = {"returned": RETURNED, "disposed": DISPOSED}


class ItemChain:
    """Called inside the transaction of what happens; writers of one item wait for each other."""

    def __init__(self, db: Database, notary: Notary) -> None:
        self._db = db
        self._notary = notary

    async def lock(self, item: UUID) -> Item:
        """The item as it is now, and nobody else changes it before this transaction ends."""
        locking = " FOR UPDATE" if self._db.dialect == "postgres" else ""
        row = await self._db.fetch_one(f"SELECT {COLUMNS} FROM item WHERE id = {{}}{locking}", item)
        if row is None:
            raise NotFound
        return item_of(row)

    async def append(
        self,
        principal: Principal,
        item: UUID,
        case: UUID,
        kind: str,
        detail: Mapping[str, Json],
        happened: datetime | None,
    ) -> None:
        """BadRequest for what happened later than now."""
        tail = await self._db.fetch_one(
            "SELECT number, record FROM item_event WHERE item = {} ORDER BY number DESC LIMIT 1", item
        )
        now = datetime.now(UTC)
        if happened is not None and happened > now:
            raise BadRequest("What is recorded has happened: its time is not later than now.")
        number = 1 if tail is None else tail["number"] + 1
        previous = NO_DIGEST if tail is None else item_record.digest(tail["record"])
        record = ItemRecord(
            item=item,
            number=number,
            kind=kind,
            time=now,
            happened=happened or now,
            actor=actor_of(principal),
            previous=previous,
            detail=detail,
            salt=os.urandom(SALT_LENGTH),
        )
        data, event = item_record.encode(record), uuid7.new()
        await self._db.insert_many(
            "item_event",
            ("id", "item", "case_id", "number", "kind", "time", "happened", "actor", "record"),
            [(event, item, case, number, kind, now, record.happened, principal.actor_id, data)],
        )
        await self._notary.record(f"item.{kind}", event, item_record.committed_values(record, data, case))

    async def change(
        self,
        item: Item,
        kind: str,
        *,
        description: Description | None = None,
        condition: Condition | None = None,
        holder: Party | None = None,
        expected: int | None = None,
    ) -> None:
        """The item's row after an event of this kind. PreconditionFailed where it is not the version that is `expected`."""
        what, how, who = description or item.description, condition or item.condition, holder or item.holder
        changed = await self._db.fetch(
            "UPDATE item SET kind = {}, description = {}, made = {}, serial = {}, condition = {}, seals = {}, place = {},"
            " holder = {}, state = {}, version = version + 1, updated = {} WHERE id = {} AND version = {} RETURNING id",
            what.kind,
            what.description,
            what.made,
            what.serial,
            how.condition,
            json.dumps(how.seals, ensure_ascii=False),
            how.place,
            json.dumps(who.members(), ensure_ascii=False),
            _ENDS.get(kind, HELD),
            datetime.now(UTC),
            item.id,
            item.version if expected is None else expected,
        )
        if not changed:
            raise PreconditionFailed

    async def records(self, item: UUID, *, after: int = 0, limit: int = 500) -> list[Row]:
        """Number and record of the item's events, in order, after the number `after`."""
        return await self._db.fetch(
            f"SELECT number, record FROM item_event WHERE item = {{}} AND number > {{}} ORDER BY number LIMIT {limit:d}",
            item,
            after,
        )
