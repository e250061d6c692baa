"""Matter numbers by the firm's own pattern: `{year}-{number:04}`, `{client}-{number}`, `L/{year}/{number}`.

A counter for each text that the rest of the pattern gives (`2026-{}`), which only grows: a number that was given is never given
again, whatever became of the case. Holes are no fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Final

from deedbox_server.cases import folding
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest
from deedbox_server.settings import SettingsError

DEFAULT_PATTERN: Final = "{year}-{number:04}"
MAX_PATTERN: Final = 60  # characters; with a client's code and a number it stays a matter number
MAX_CLIENT_CODE: Final = 12  # letters of a client in a number: enough to know it by

_WIDTH: Final = re.compile(r"0[1-9]|")
_PLACE: Final = "{}"
_FORMS: Final = {
    "year": r"[0-9]{4}",
    "month": r"(?:0[1-9]|1[0-2])",
    "client": rf"[A-Z0-9]{{1,{MAX_CLIENT_CODE}}}",
    "kind": rf"[A-Z0-9]{{1,{MAX_CLIENT_CODE}}}",
}


@dataclass(frozen=True)
class _Part:
    literal: str
    name: str | None
    width: int


class Pattern:
    """A checked pattern. `{number}` (with a width such as `:04`) is in it once; `{year}`, `{month}`, `{client}` and `{kind}` may
    be.
    """

    def __init__(self, text: str) -> None:
        """SettingsError, as a sentence for the administrator, for a pattern that is none."""
        if not 0 < len(text) <= MAX_PATTERN or not text.isprintable():
            raise SettingsError(f"A pattern of matter numbers is one line of at most {MAX_PATTERN} characters.")
        self._parts = tuple(_parts(text))
        names = [part.name for part in self._parts if part.name is not None]
        if names.count("number") != 1 or len(set(names)) != len(names):
            raise SettingsError("A pattern of matter numbers has {number} once, and nothing else in braces twice.")
        form = "".join(re.escape(part.literal) + self._form(part) for part in self._parts)
        self._fits = re.compile(form)

    def fits(self, number: str) -> bool:
        return self._fits.fullmatch(number) is not None

    def counter(self, opened: date, client: str | None, kind: str | None) -> str:
        """The counter's name: the number without its running part. BadRequest where the pattern names what is not given."""
        return "".join(part.literal + self._value(part, opened, client, kind) for part in self._parts)

    def number(self, counter: str, running: int) -> str:
        """The matter number that a counter gives."""
        width = next(part.width for part in self._parts if part.name == "number")
        before, _, after = counter.partition(_PLACE)
        return f"{before}{running:0{width}}{after}"

    def _form(self, part: _Part) -> str:
        if part.name == "number":
            return rf"[0-9]{{{max(part.width, 1)},15}}"
        return "" if part.name is None else _FORMS[part.name]

    def _value(self, part: _Part, opened: date, client: str | None, kind: str | None) -> str:
        match part.name:
            case "number":
                return _PLACE
            case "year":
                return f"{opened.year:04}"
            case "month":
                return f"{opened.month:02}"
            case "client":
                return _code(client, "client")
            case "kind":
                return _code(kind, "kind")
        return ""


async def next_number(db: Database, pattern: Pattern, opened: date, client: str | None, kind: str | None) -> str:
    """The next number that no case has, in the caller's transaction, which holds the counter until it ends."""
    counter = pattern.counter(opened, client, kind)
    while True:
        row = await db.fetch_one(
            "INSERT INTO case_counter (name, last) VALUES ({}, 1)"
            " ON CONFLICT (name) DO UPDATE SET last = case_counter.last + 1 RETURNING last",
            counter,
        )
        assert row is not None
        number = pattern.number(counter, row["last"])
        if await db.fetch_one("SELECT id FROM legal_case WHERE number = {}", number) is None:
            return number  # else somebody gave it by hand


def _code(text: str | None, what: str) -> str:
    found = "".join(folding.name(text or "").words).upper()[:MAX_CLIENT_CODE]
    if not found:
        raise BadRequest(f"Matter numbers of this firm name the {what}: say which one ({what}).")
    return found


def _parts(pattern: str) -> Iterator[_Part]:
    wrong = "A pattern of matter numbers knows {number}, {number:04} (a width), {year}, {month}, {client} and {kind}."
    try:
        for literal, name, width, conversion in Formatter().parse(pattern):
            if conversion is not None or not _WIDTH.fullmatch(width or "") or "{" in literal or "}" in literal:
                raise SettingsError(wrong)
            if (width and name != "number") or (name is not None and name != "number" and name not in _FORMS):
                raise SettingsError(wrong)
            yield _Part(literal, name, int(width or 0))
    except ValueError:  # also those of the standard library's own reader
        raise SettingsError(wrong) from None
