"""Dates of exhibits, for timelines: what their own data says of when, and the milestones of their custody.

Each row also names the exhibit's case, so that a case's timeline is one path; refiling takes them along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.cases.timeline import TimelineSource
from deedbox_server.database import Database
from deedbox_sync import uuid7

CUSTODY: Final = "custody"  # as `source`: the row's id is the custody event's
# Kinds of custody events that tell something about a matter; being looked at does not.
MILESTONES: Final = frozenset({"exported", "superseded", "refiled"})

_COLUMNS: Final = ("id", "case_id", "exhibit", "kind", "time", "zone", "certainty", "source")


@dataclass(frozen=True)
class ExhibitDate:
    """What one piece of an exhibit's data says of when. `zone` None: it does not say in which; `time` is then what a clock
    showed, as if it had been in UTC."""

    kind: str
    time: datetime
    zone: str | None
    certainty: str
    source: str


@dataclass(frozen=True)
class Milestone:
    """A custody event that is shown on timelines."""

    event: UUID
    exhibit: UUID
    case: UUID
    kind: str
    time: datetime


async def replace_dates(db: Database, exhibit: UUID, dates: Sequence[ExhibitDate]) -> None:
    """These, and no others but milestones, are what the exhibit tells; the same when repeated."""
    async with db.transaction():
        row = await db.fetch_one("SELECT case_id FROM exhibit WHERE id = {}", exhibit)
        await db.execute("DELETE FROM exhibit_date WHERE exhibit = {} AND source <> {}", exhibit, CUSTODY)
        if row is not None:
            rows = [
                (uuid7.new(), row["case_id"], exhibit, date.kind, date.time, date.zone, date.certainty, date.source)
                for date in dates
            ]
            await db.insert_many("exhibit_date", _COLUMNS, rows)


async def add_milestones(db: Database, milestones: Sequence[Milestone]) -> None:
    """In the transaction of the custody events that they are."""
    rows = [(one.event, one.case, one.exhibit, one.kind, one.time, "UTC", "exact", CUSTODY) for one in milestones]
    await db.insert_many("exhibit_date", _COLUMNS, rows)


_NAME_OF_EXHIBIT: Final = "(SELECT exhibit.name FROM exhibit WHERE exhibit.id = exhibit_date.exhibit)"
_DATED_BY: Final = (
    "CASE source WHEN 'exif' THEN 'the picture''s own data (Exif)' "
    "WHEN 'gps' THEN 'the satellites'' time in the picture''s data' "
    "WHEN 'mail' THEN 'the message''s Date header' ELSE 'the record of custody' END"
)

EXHIBIT_SOURCES: Final = (
    TimelineSource(
        name="captures",
        operation="evidence.read",
        table="exhibit",
        where="captured_by_desk",
        time="captured",
        kind="'captured'",
        title="name",
        said_by="'the desk''s signed capture statement'",
        exhibit="id",
    ),
    TimelineSource(
        name="receipts",
        operation="evidence.read",
        table="exhibit",
        time="received",
        kind="'received'",
        title="name",
        said_by="'the box'",
        exhibit="id",
    ),
    TimelineSource(
        name="exhibit-dates",
        operation="evidence.read",
        table="exhibit_date",
        time="time",
        zone="zone",
        certainty="certainty",
        kind="kind",
        title=_NAME_OF_EXHIBIT,
        said_by=_DATED_BY,
        object="exhibit",
        exhibit="exhibit",
    ),
)
