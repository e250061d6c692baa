"""When an exhibit's own data says that something was: from the facts that reading found (formats/derived.md).

Nobody has checked it: a camera's clock may be wrong, a mail's Date is whatever its sender wrote. What does not parse is no date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

from deedbox_server.evidence.timeline_dates import ExhibitDate
from deedbox_sync.canonical_json import Json

_EXIF: Final = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?")
_OFFSET: Final = re.compile(r"([+-])(\d\d):?([0-5]\d)")
_FURTHEST: Final = timedelta(hours=14)  # no zone on earth is further from UTC
_OLDEST: Final = 1800  # a year before photographs; cameras whose clock was never set say 0000 or 1904


def dates_of(facts: Mapping[str, Json]) -> tuple[ExhibitDate, ...]:
    """The dates in an exhibit's facts."""
    if facts.get("kind") == "picture":
        return _of_picture(facts)
    headers = facts.get("headers")
    if facts.get("kind") == "mail" and isinstance(headers, dict):
        return tuple(date for date in (_of_mail(headers.get("Date")),) if date is not None)
    return ()


def _of_picture(facts: Mapping[str, Json]) -> tuple[ExhibitDate, ...]:
    found: list[ExhibitDate] = []
    taken = _exif("taken", facts.get("taken"), facts.get("taken_zone"))
    if taken is not None:
        found.append(taken)
    written = _exif("written", facts.get("written"), None)
    if written is not None and facts.get("written") != facts.get("taken"):  # else it is the same fact twice
        found.append(written)
    place = facts.get("gps")
    if isinstance(place, dict) and (moment := _exif("located", place.get("time_utc"), "+00:00")) is not None:
        found.append(ExhibitDate(moment.kind, moment.time, "UTC", moment.certainty, "gps"))
    return tuple(found)


def _exif(kind: str, text: Json, zone: Json) -> ExhibitDate | None:
    match = _EXIF.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or int(match[1]) < _OLDEST:
        return None
    offset = _offset(zone)
    try:
        year, month, day, hour, minute = (int(match[part]) for part in range(1, 6))
        time = datetime(year, month, day, hour, minute, int(match[6] or 0), tzinfo=timezone(offset or timedelta()))
        return ExhibitDate(
            kind, time.astimezone(UTC), _named(offset), "exact" if match[6] is not None else "minute", "exif"
        )
    except (ValueError, OverflowError):
        return None


def _of_mail(text: Json) -> ExhibitDate | None:
    """RFC 5322 3.3; the zone `-0000` says that none is told."""
    try:
        told = parsedate_to_datetime(text) if isinstance(text, str) else None
        if told is None or told.year < _OLDEST:
            return None
        offset = told.utcoffset()
        if offset is not None and abs(offset) > _FURTHEST:
            return None
        time = told.replace(tzinfo=UTC) if offset is None else told.astimezone(UTC)
        return ExhibitDate("sent", time, _named(offset), "exact", "mail")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _offset(zone: Json) -> timedelta | None:
    match = _OFFSET.fullmatch(zone.strip()) if isinstance(zone, str) else None
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return None if offset > _FURTHEST else -offset if match[1] == "-" else offset


def _named(offset: timedelta | None) -> str | None:
    if offset is None:
        return None
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
