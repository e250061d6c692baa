"""Something that happened in a matter, or will, as it is read and written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET, UnsetType

from deedbox_server.cases import plain_text
from deedbox_server.database import Row
from deedbox_server.errors import BadRequest

Certainty = Literal["exact", "minute", "day", "month", "year", "about"]

Line = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_LINE)]
Detail = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_TEXT)]
Zone = Annotated[str, msgspec.Meta(max_length=64)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class NewEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event. `starts` and `ends` are instants (RFC 3339 with an offset); `zone` says where the clock hung (IANA name);
    `certainty` how much of `starts` is known. `source` is where this is known from.
    """

    kind: Line
    title: Line
    starts: Instant
    ends: Instant | None = None
    zone: Zone = "UTC"
    certainty: Certainty = "exact"
    detail: Detail | None = None
    source: Line | None = None
    shared: bool = False


class EventChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of an event is to be changed: what is not named stays."""

    kind: Line | UnsetType = UNSET
    title: Line | UnsetType = UNSET
    starts: Instant | UnsetType = UNSET
    ends: Instant | UnsetType | None = UNSET
    zone: Zone | UnsetType = UNSET
    certainty: Certainty | UnsetType = UNSET
    detail: Detail | UnsetType | None = UNSET
    source: Line | UnsetType | None = UNSET
    shared: bool | UnsetType = UNSET


@dataclass(frozen=True)
class Event:
    """An event of a case. `removed` ones are kept, and not shown to outsiders."""

    id: UUID
    case: UUID
    facts: NewEvent
    version: int
    created: datetime
    made_by: str
    removed: datetime | None


COLUMNS: Final = (
    "id, case_id, kind, title, detail, starts, ends, "
    "zone, certainty, source, shared, version, created, made_by, removed"
)


def checked(new: NewEvent) -> NewEvent:
    """In normal form; BadRequest says which member does not do."""
    starts, ends = _instant(new.starts), None if new.ends is None else _instant(new.ends)
    if ends is not None and ends < starts:
        raise BadRequest("An event does not end before it starts.")
    return NewEvent(
        plain_text.line(new.kind, "The kind"),
        plain_text.line(new.title, "A title"),
        starts,
        ends,
        _zone(new.zone),
        new.certainty,
        plain_text.optional_text(new.detail, "The detail"),
        plain_text.optional_line(new.source, "The source"),
        new.shared,
    )


def merged(old: NewEvent, change: EventChange) -> NewEvent:
    """An event's facts after a change, checked."""
    told = {name: getattr(change, name) for name in change.__struct_fields__}
    return checked(msgspec.structs.replace(old, **{name: value for name, value in told.items() if value is not UNSET}))


def stored(facts: NewEvent) -> dict[str, object]:
    """Column to value."""
    return msgspec.structs.asdict(facts)


def read(row: Row) -> Event:
    """An event of a row with COLUMNS."""
    facts = NewEvent(
        row["kind"],
        row["title"],
        row["starts"],
        row["ends"],
        row["zone"],
        row["certainty"],
        row["detail"],
        row["source"],
        row["shared"],
    )
    return Event(row["id"], row["case_id"], facts, row["version"], row["created"], row["made_by"], row["removed"])


def _instant(time: datetime) -> datetime:
    """In UTC, within what both databases and every reader have room for."""
    if time.tzinfo is None:
        raise BadRequest("A time has an offset: 2026-03-01T09:00:00+01:00, or Z.")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise BadRequest("A time lies in the years 1 to 9999.") from None


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also for what would be a path, or no text at all
        raise BadRequest("zone is the name of a time zone, such as Europe/Oslo or America/New_York.") from None
