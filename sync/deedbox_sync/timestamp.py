"""Times on the wire: RFC 3339 in UTC with six decimals and `Z`, one text per instant."""

import re
from datetime import UTC, datetime

from deedbox_sync.errors import FormatError

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def encode(time: datetime) -> str:
    """The wire form of an aware time. A naive one is refused: nobody can know what it means."""
    if time.tzinfo is not UTC:
        if time.utcoffset() is None:
            raise FormatError("time", "has no zone")
        try:
            time = time.astimezone(UTC)
        except OverflowError as error:
            raise FormatError("time", "is outside the years 1 to 9999 in UTC") from error
    return time.isoformat(timespec="microseconds")[:26] + "Z"


def parse(text: str, *, where: str = "time") -> datetime:
    """The aware UTC time of a wire form; anything else, leap seconds included, is a FormatError."""
    if not _FORM.fullmatch(text):
        raise FormatError(where, "is not YYYY-MM-DDTHH:MM:SS.ffffffZ")
    try:
        return datetime.fromisoformat(text[:26]).replace(tzinfo=UTC)
    except ValueError as error:
        raise FormatError(where, "is no date or time of day") from error
