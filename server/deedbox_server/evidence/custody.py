"""Custody: one numbered, chained record per event, each committed to in the log (formats/custody.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Conflict
from deedbox_server.evidence.timeline_dates import MILESTONES, Milestone, add_milestones
from deedbox_server.notary.drafts import EntryDraft, Salts, new_salts
from deedbox_server.notary.service import Notary
from deedbox_sync import clock, uuid7
from deedbox_sync import custody as custody_format
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.clock import ClockFinding
from deedbox_sync.custody import Actor, CustodyRecord
from deedbox_sync.statement import NO_DIGEST

_FIELDS = ("case", "person", "record")


@dataclass(frozen=True)
class Event:
    """Something that happens to an exhibit, with the salts of its log entry and what that entry says in public."""

    id: UUID
    exhibit: UUID
    case: UUID
    kind: str
    actor: Actor
    salts: Salts
    detail: Mapping[str, Json]
    public: Mapping[str, Json]


def new_event(
    exhibit: UUID,
    case: UUID,
    kind: str,
    actor: Actor,
    detail: Mapping[str, Json],
    public: Mapping[str, Json] = MappingProxyType({}),
) -> Event:
    """An event with fresh salts, which the caller makes durable before it appends the event."""
    record = uuid7.new()
    fields = (*_FIELDS, *custody_format.committed_details(detail))
    return Event(record, exhibit, case, kind, actor, new_salts(record, fields), detail, public)


class ExhibitMoved(Conflict):
    """The exhibit is not in the case that the event is for: it was refiled meanwhile. Look again."""

    slug, title = "exhibit-moved", "This exhibit was moved meanwhile: look again"


class Custody:
    def __init__(self, db: Database, notary: Notary) -> None:
        self._db = db
        self._notary = notary

    async def append(self, events: Sequence[Event]) -> dict[UUID, int]:
        """Write records and stage their entries in the caller's transaction; returns each event's number.

        ExhibitMoved where an exhibit is not in its event's case.
        Writers of one exhibit's chain wait for each other: SQLite has one writer, on Postgres the exhibit's row is locked.
        """
        # A received event begins its exhibit's chain: only the others have a record before them.
        tails = await self._tails({event.exhibit: event.case for event in events if event.kind != "received"})
        now = datetime.now(UTC)
        rows, drafts, numbers = [], [], {}
        milestones: list[Milestone] = []
        for event in events:
            number, previous = tails.get(event.exhibit, (0, NO_DIGEST))
            number += 1
            record = CustodyRecord(
                event.exhibit,
                number,
                event.kind,
                now,
                event.actor,
                previous,
                event.detail,
                os.urandom(custody_format.SALT_LENGTH),
            )
            data = custody_format.encode(record)
            digest = custody_format.digest(data)
            tails[event.exhibit] = (number, digest)
            numbers[event.id] = number
            rows.append((event.id, event.exhibit, number, event.kind, now, event.actor.id, data))
            if event.kind in MILESTONES:
                milestones.append(Milestone(event.id, event.exhibit, event.case, event.kind, now))
            values = custody_format.committed_values(record, data, event.case)
            drafts.append(EntryDraft(f"exhibit.{event.kind}", event.salts, values, event.public))
        await self._db.insert_many(
            "custody_event", ("id", "exhibit", "number", "kind", "time", "actor", "record"), rows
        )
        await add_milestones(self._db, milestones)
        await self._notary.stage(drafts)
        return numbers

    async def records(self, exhibits: Sequence[UUID]) -> list[dict[str, Any]]:
        """All events of these exhibits, in order: id, exhibit, number, kind, record."""
        rows = await self._db.fetch_in(
            "SELECT id, exhibit, number, kind, record FROM custody_event WHERE exhibit IN ", exhibits
        )
        return sorted(rows, key=lambda row: (row["exhibit"], row["number"]))

    async def clock(self, exhibit: UUID) -> ClockFinding | None:
        """What was found of the desk's clock when the exhibit was received; None for one that came without a desk."""
        row = await self._db.fetch_one("SELECT record FROM custody_event WHERE exhibit = {} AND number = 1", exhibit)
        found = custody_format.parse(row["record"]).detail.get("clock") if row is not None else None
        return clock.read(Fields(found, "clock")) if isinstance(found, dict) else None

    async def _tails(self, exhibits: Mapping[UUID, UUID]) -> dict[UUID, tuple[int, bytes]]:
        locking = " ORDER BY id FOR UPDATE" if self._db.dialect == "postgres" else ""
        cases = await self._db.fetch_in(
            "SELECT id, case_id FROM exhibit WHERE id IN ", sorted(exhibits), suffix=locking
        )
        if {row["id"]: row["case_id"] for row in cases} != exhibits:
            raise ExhibitMoved
        rows = await self._db.fetch_in(
            "SELECT exhibit, number, record FROM custody_event c WHERE number = "
            "(SELECT max(number) FROM custody_event m WHERE m.exhibit = c.exhibit) AND exhibit IN ",
            list(exhibits),
        )
        return {row["exhibit"]: (row["number"], custody_format.digest(row["record"])) for row in rows}
