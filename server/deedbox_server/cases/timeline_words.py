"""The time of a timeline's entry, as a person reads it: no more exact than it is, in the zone that it was told in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET: Final = re.compile(r"([+-])([01]\d):([0-5]\d)")
_FORMS: Final = {"day": "%d %B %Y", "month": "%B %Y", "year": "%Y", "about": "about %d %B %Y"}


def in_words(time: datetime, zone: str | None, certainty: str) -> str:
    """`4 May 2026, 14:03:22 (America/Chicago)`; `May 2026`; `about 4 May 2026`; a time whose zone nobody told says so."""
    known = zone_of(zone)
    try:
        local = time.astimezone(known or UTC)
    except OverflowError:  # the first or last day that there is, in a zone where it is another one
        zone, known, local = "UTC", UTC, time.astimezone(UTC)
    year = f"{local.year:04d}"
    if certainty in _FORMS:
        return local.strftime(_FORMS[certainty].replace("%Y", year)).lstrip("0").replace("about 0", "about ")
    clock = local.strftime("%H:%M" if certainty == "minute" else "%H:%M:%S")
    named = zone if known is not None else ("UTC" if zone else "zone not told")
    return f"{local.day} {local.strftime('%B')} {year}, {clock} ({named})"


def zone_of(zone: str | None) -> tzinfo | None:
    """`UTC`, an offset like `+02:00`, or a name of the time zone database; None for none, and for what is not known here."""
    if not zone:
        return None
    if zone == "UTC":
        return UTC
    if found := _OFFSET.fullmatch(zone):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
