"""What of the log becomes live events: its new entries in order, each with what it tells of and for whom that may be.

The log is read, not the memory of one process: several processes over one database see the same, and a number that a client
has kept says for ever where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_sync import audit_record, custody, entry
from deedbox_sync.canonical_json import Json

BATCH: Final = 500  # entries looked at in one go
_APART: Final = 20  # events of one topic and case in a batch that are told one by one; more are one event with a count


class Audience(Enum):
    """Beside the wall: who of those who see the case is told."""

    FIRM = "firm"  # and outsiders, where the object was shared with them
    EVIDENCE = "evidence"  # whoever may read evidence
    WATCHERS = "watchers"  # whoever may read how the box stands


@dataclass(frozen=True)
class Happened:
    """`seq` is the log entry's number; None for what is a state and not kept."""

    seq: int | None
    topic: str
    audience: Audience
    case: UUID | None
    object: UUID | None
    data: Mapping[str, Json] = field(default_factory=dict)


# Changes of a case that those on it are told of at once. Who was barred, and who asked to be let in, is not among them.
_OF_CASES: Final = ("artifact", "case", "disposal", "event", "evidence", "hold", "item", "party", "timeline")


async def happened(db: Database, after: int) -> tuple[list[Happened], int]:
    """What the entries after this number tell, at most BATCH of them, and the number of the last one looked at."""
    rows = await db.fetch("SELECT seq, record, entry FROM log_entry WHERE seq > {} ORDER BY seq LIMIT {}", after, BATCH)
    if not rows:
        return [], after
    kinds = {row["record"]: (row["seq"], entry.parse(row["entry"]).kind) for row in rows}
    found = [
        *await _changes(db, [record for record, (_, kind) in kinds.items() if kind == "audit.changed"]),
        *await _custody(db, [record for record, (_, kind) in kinds.items() if kind.startswith("exhibit.")]),
        *await _papers(db, [record for record, (_, kind) in kinds.items() if kind == "paper.made"]),
        *await _devices(db, [record for record, (_, kind) in kinds.items() if kind.startswith("device.")]),
    ]
    told = sorted(
        (Happened(kinds[record][0], one.topic, one.audience, one.case, one.object, one.data) for record, one in found),
        key=lambda one: one.seq or 0,
    )
    return _together(told), rows[-1]["seq"]


async def head(db: Database) -> int:
    """The number of the newest entry; -1 of an empty log."""
    row = await db.fetch_one("SELECT max(seq) AS newest FROM log_entry")
    return -1 if row is None or row["newest"] is None else int(row["newest"])


async def _changes(db: Database, records: Sequence[UUID]) -> list[tuple[UUID, Happened]]:
    rows = await db.fetch_in(
        "SELECT id, operation, case_id, object, record FROM audit_record WHERE id IN ", list(records)
    )
    told = []
    for row in rows:
        subject = row["operation"].partition(".")[0]
        data: dict[str, Json] = {"operation": row["operation"], "by": audit_record.parse(row["record"]).actor}
        if row["case_id"] is None:
            told.append((row["id"], Happened(None, "box.changed", Audience.WATCHERS, None, row["object"], data)))
        elif subject in _OF_CASES:
            told.append((row["id"], Happened(None, "case.changed", Audience.FIRM, row["case_id"], row["object"], data)))
    return told


async def _custody(db: Database, records: Sequence[UUID]) -> list[tuple[UUID, Happened]]:
    """Who looked at an exhibit is for the trail; what became of it is for those who work on it."""
    rows = await db.fetch_in(
        "SELECT custody_event.id, custody_event.kind, custody_event.exhibit, custody_event.record, exhibit.case_id"
        " FROM custody_event JOIN exhibit ON exhibit.id = custody_event.exhibit"
        " WHERE custody_event.kind NOT IN ('downloaded', 'viewed') AND custody_event.id IN ",
        list(records),
    )
    return [(row["id"], _of_exhibit(row)) for row in rows]


def _of_exhibit(row: Row) -> Happened:
    data: dict[str, Json] = {"kind": row["kind"]}
    topic = {"received": "exhibit.received", "derived": "exhibit.read"}.get(row["kind"], "exhibit.custody")
    if row["kind"] == "derived":
        data["form"] = custody.parse(row["record"]).detail["form"]
    return Happened(None, topic, Audience.EVIDENCE, row["case_id"], row["exhibit"], data)


async def _papers(db: Database, records: Sequence[UUID]) -> list[tuple[UUID, Happened]]:
    rows = await db.fetch_in("SELECT id, case_id, kind FROM paper WHERE id IN ", list(records))
    return [
        (row["id"], Happened(None, "paper.made", Audience.EVIDENCE, row["case_id"], row["id"], {"kind": row["kind"]}))
        for row in rows
    ]


async def _devices(db: Database, records: Sequence[UUID]) -> list[tuple[UUID, Happened]]:
    rows = await db.fetch_in("SELECT id, kind, device FROM trust_record WHERE id IN ", list(records))
    return [
        (row["id"], Happened(None, "device.changed", Audience.WATCHERS, None, row["device"], {"kind": row["kind"]}))
        for row in rows
    ]


def _together(told: Sequence[Happened]) -> list[Happened]:
    """Ten thousand exhibits that come at once are one event for their case, not ten thousand."""
    groups: dict[tuple[str, UUID | None], list[Happened]] = {}
    for one in told:
        groups.setdefault((one.topic, one.case), []).append(one)
    kept = []
    for group in groups.values():
        if len(group) <= _APART:
            kept += group
        else:
            last = group[-1]
            kept.append(Happened(last.seq, last.topic, last.audience, last.case, None, {"count": len(group)}))
    return sorted(kept, key=lambda one: one.seq or 0)
