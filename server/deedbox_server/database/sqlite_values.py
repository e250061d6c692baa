"""Python values in SQLite's five storage classes, and back by the column's declared type.

UUID is a blob of 16 bytes, a time is whole microseconds since 1970 UTC (both half as large as text, and ordered), a
truth is 0 or 1.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Converter = Callable[[Any], Any]


def bind(_cursor: object, _number: int, value: object) -> bytes | int:
    """What SQLite stores for a value that it does not know itself."""
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without a zone")
        return (value - _EPOCH) // _MICROSECOND
    raise TypeError(f"no place in the database for {type(value).__name__}")


def _uuid(value: bytes) -> UUID:
    return UUID(bytes=value)


def _time(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


_CONVERTERS: dict[str, Converter] = {"UUID": _uuid, "TIMESTAMPTZ": _time, "BOOLEAN": bool}


def split_name(name: str) -> tuple[str, str]:
    """`latest [timestamptz]` is the column `latest` of type TIMESTAMPTZ; a plain name has the type ""."""
    if name.endswith("]") and " [" in name:
        plain, _, declared = name[:-1].rpartition(" [")
        return plain, declared.upper()
    return name, ""


def columns(description: Sequence[tuple[str, str | None]]) -> tuple[list[str], list[tuple[int, Converter]]]:
    """The names of a result's columns, and which of them are converted how."""
    names: list[str] = []
    converted: list[tuple[int, Converter]] = []
    for index, (name, declared) in enumerate(description):
        plain, named_type = split_name(name)
        names.append(plain)
        converter = _CONVERTERS.get(named_type or (declared or "").upper())
        if converter is not None:
            converted.append((index, converter))
    return names, converted
