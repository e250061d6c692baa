"""Canonical JSON: RFC 8785 (JCS) narrowed as `formats/canonical-json.md` says, and a strict reader of its objects.

`encode` and `parse` are inverse: bytes that `parse` accepts are exactly those `encode` writes for the value.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from deedbox_sync import timestamp
from deedbox_sync.binary_text import parse_base64, parse_hex
from deedbox_sync.errors import FormatError

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

# Beyond 2^53 - 1 a double, which is what most JSON readers have, cannot tell two integers apart (RFC 8785 3.2.2.3).
MAX_INTEGER = (1 << 53) - 1
# Deep enough for any format here, shallow enough for any reader's stack.
MAX_DEPTH = 32

_WORD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_DECIMAL = re.compile(r"0|-?[1-9][0-9]*")
# Words are names that code compares; none here is half as long.
_MAX_WORD = 64
# A 64-bit count has at most 20 characters with its sign.
_MAX_DECIMAL = 20


def encode(value: Json) -> bytes:
    """The one byte string of a value. FormatError for what has none: fractions, big integers, lone surrogates."""
    _check(value, 0)
    try:
        return _write(value)
    except UnicodeEncodeError as error:
        raise FormatError("JSON value", "has a lone surrogate in a string") from error


def parse(data: bytes, *, limit: int, where: str = "JSON") -> Json:
    """The value of canonical bytes. Everything else is a FormatError: too long, too deep, not JSON, not canonical."""
    if len(data) > limit:
        raise FormatError(where, f"has {len(data)} bytes, at most {limit} are allowed")
    try:
        value: Json = _decoder.decode(data.decode())
    except UnicodeDecodeError as error:
        raise FormatError(where, f"is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise FormatError(where, f"is nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise FormatError(where, f"is not JSON: {error}") from error
    try:
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH:  # fewer cannot be too deep; the rest the reader has checked
            _check(value, 0)
        canonical = _write(value)
    except UnicodeEncodeError as error:
        raise FormatError(where, "has a lone surrogate in a string") from error
    except FormatError as error:
        raise FormatError(where, error.what) from error
    if canonical != data:
        raise FormatError(where, f"is not canonical, first at byte {_first_difference(canonical, data)}")
    return value


def parse_object(data: bytes, *, limit: int, where: str) -> dict[str, Json]:
    """As `parse`, and the value is an object."""
    value = parse(data, limit=limit, where=where)
    if not isinstance(value, dict):
        raise FormatError(where, "is not an object")
    return value


def decimal(value: int) -> str:
    """How integers that may pass 2^53 travel: as decimal text (`Fields.decimal` reads it)."""
    return str(value)


class Fields:
    """Reads one object's members by name and type; `done()` refuses members that nobody asked for.

    A member of an `optional_…` kind must be present and may be null. Errors name the path to the member.
    """

    def __init__(self, members: Mapping[str, Json], where: str) -> None:
        self.where = where
        self._members = members
        self._unread = dict(members)

    def has(self, name: str) -> bool:
        return name in self._members

    def done(self) -> None:
        if self._unread:
            raise FormatError(self.where, f"has an unknown member {min(self._unread)[:40]!a}")

    def fault(self, name: str, what: str) -> FormatError:
        """The error for a member whose value its reader refuses, to be raised by the caller."""
        return FormatError(f"{self.where}.{name}", what)

    def value(self, name: str) -> Json:
        try:
            return self._unread.pop(name)
        except KeyError:
            if name in self._members:
                return self._members[name]
            raise FormatError(self.where, f"has no member {name!a}") from None

    def text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str):
            raise self.fault(name, "is not a string")
        return value

    def optional_text(self, name: str) -> str | None:
        value = self.value(name)
        if value is not None and not isinstance(value, str):
            raise self.fault(name, "is not a string")
        return value

    def word(self, name: str) -> str:
        """Lower-case letters and digits with single hyphens between, a letter first."""
        value = self.text(name)
        if not is_word(value):
            raise self.fault(name, "is not a lower-case word")
        return value

    def literal(self, name: str, expected: str | int) -> None:
        value = self.value(name)
        if type(value) is not type(expected) or value != expected:
            raise self.fault(name, f"is not {expected!r}")

    def boolean(self, name: str) -> bool:
        value = self.value(name)
        if not isinstance(value, bool):
            raise self.fault(name, "is not true or false")
        return value

    def integer(self, name: str, *, low: int = 0, high: int = MAX_INTEGER) -> int:
        value = self.value(name)
        if type(value) is not int:
            raise self.fault(name, "is not an integer")
        if not low <= value <= high:
            raise self.fault(name, f"is not within {low} … {high}")
        return value

    def optional_integer(self, name: str, *, low: int = 0, high: int = MAX_INTEGER) -> int | None:
        return None if self._is_null(name) else self.integer(name, low=low, high=high)

    def decimal(self, name: str) -> int:
        """A signed 64-bit integer written as decimal text."""
        value = self.text(name)
        if (
            len(value) > _MAX_DECIMAL
            or not _DECIMAL.fullmatch(value)
            or not -(1 << 63) <= (number := int(value)) < 1 << 63
        ):
            raise self.fault(name, "is not a 64-bit integer in decimal")
        return number

    def optional_decimal(self, name: str) -> int | None:
        return None if self._is_null(name) else self.decimal(name)

    def hex(self, name: str, length: int) -> bytes:
        return parse_hex(self.text(name), length=length, where=f"{self.where}.{name}")

    def optional_hex(self, name: str, length: int) -> bytes | None:
        return None if self._is_null(name) else self.hex(name, length)

    def base64(self, name: str) -> bytes:
        return parse_base64(self.text(name), where=f"{self.where}.{name}")

    def uuid(self, name: str) -> UUID:
        """The usual form with hyphens in lower case, of any version."""
        text = self.text(name)
        try:
            value = UUID(text)
        except ValueError as error:
            raise self.fault(name, "is not a UUID") from error
        if str(value) != text:
            raise self.fault(name, "is not a UUID in its usual form")
        return value

    def optional_uuid(self, name: str) -> UUID | None:
        return None if self._is_null(name) else self.uuid(name)

    def time(self, name: str) -> datetime:
        return timestamp.parse(self.text(name), where=f"{self.where}.{name}")

    def optional_time(self, name: str) -> datetime | None:
        return None if self._is_null(name) else self.time(name)

    def members(self, name: str) -> Mapping[str, Json]:
        """An object whose member names are data."""
        value = self.value(name)
        if not isinstance(value, dict):
            raise self.fault(name, "is not an object")
        return value

    def object(self, name: str) -> "Fields":
        return Fields(self.members(name), f"{self.where}.{name}")

    def optional_object(self, name: str) -> "Fields | None":
        return None if self._is_null(name) else self.object(name)

    def array(self, name: str) -> Sequence[Json]:
        value = self.value(name)
        if not isinstance(value, list):
            raise self.fault(name, "is not an array")
        return value

    def objects(self, name: str) -> list["Fields"]:
        """An array of objects."""
        found = []
        for place, item in enumerate(self.array(name)):
            if not isinstance(item, dict):
                raise self.fault(f"{name}[{place}]", "is not an object")
            found.append(Fields(item, f"{self.where}.{name}[{place}]"))
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of strings."""
        found = []
        for place, item in enumerate(self.array(name)):
            if not isinstance(item, str):
                raise self.fault(f"{name}[{place}]", "is not a string")
            found.append(item)
        return tuple(found)

    def _is_null(self, name: str) -> bool:
        return self.value(name) is None


def is_word(text: str) -> bool:
    return len(text) <= _MAX_WORD and _WORD.fullmatch(text) is not None


def _check(value: Json, depth: int) -> None:
    """FormatError unless the value is one of ours."""
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise FormatError("JSON value", "has an integer beyond 2^53 - 1")
        return
    if depth == MAX_DEPTH:
        raise FormatError("JSON value", f"is nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict | Mapping):
        try:
            "".join(value)  # the quickest way to ask whether all names are strings
        except TypeError as error:
            raise FormatError("JSON value", "has a member whose name is not a string") from error
        items: Iterable[Json] = value.values()
    elif isinstance(value, list | tuple):
        items = value
    else:
        raise FormatError("JSON value", f"has no form for {type(value).__name__}")
    for item in items:
        if type(item) not in _PLAIN:
            _check(item, depth + 1)


def _write(value: Json) -> bytes:
    """The bytes of a value of ours. UnicodeEncodeError for lone surrogates."""
    text = _by_code_points(value)
    if not text.isascii() and len(text.encode("utf-16-le")) > 2 * len(text):
        # Only past U+FFFF do code points and UTF-16 code units differ in their order (RFC 8785 3.2.3).
        text = _as_it_stands(_ordered(value))
    return text.encode()


def _ordered(value: Json) -> Json:
    """The value with every object's members in order."""
    if isinstance(value, Mapping):
        return {name: _ordered(value[name]) for name in sorted(value, key=_utf16)}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    return value


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _plain(value: object) -> Json:
    """What the encoder asks about whatever is neither dict nor list nor plain; after `_check` a mapping."""
    assert isinstance(value, Mapping)
    return dict(value)


def _refuse_number(text: str) -> Json:
    raise ValueError(f"{text[:20]} is not an integer")


def _parse_integer(text: str) -> int:
    if len(text) > 17:  # the longest allowed is -9007199254740991
        raise ValueError("an integer beyond 2^53 - 1")
    value = int(text)
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise ValueError("an integer beyond 2^53 - 1")
    return value


def _first_difference(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


_PLAIN = frozenset((str, bool, type(None)))
# Python's encoder is written in C as long as it sorts by code points and is not asked to indent.
_FORM: Final[dict[str, Any]] = {
    "ensure_ascii": False,
    "check_circular": False,
    "allow_nan": False,
    "separators": (",", ":"),
}
_by_code_points = json.JSONEncoder(**_FORM, sort_keys=True, default=_plain).encode
_as_it_stands = json.JSONEncoder(**_FORM).encode
_decoder = json.JSONDecoder(parse_float=_refuse_number, parse_int=_parse_integer, parse_constant=_refuse_number)
