"""What only a person can state: the fields of each kind of paper, with the words that ask for them, and what was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from deedbox_server.errors import BadRequest
from deedbox_server.papers.document import Blank, Run

MAX_VALUE = 2_000  # characters of one field: a paragraph of a declaration
MAX_ROWS = 200  # transfers of one physical item: five pages of them
_LINE_FEEDS = str.maketrans({"\r": " ", "\n": " ", "\t": " "})


@dataclass(frozen=True)
class Field:
    """One thing to ask for. `blank` is what its line says where it is missing; `choices`, if any, are all there are."""

    name: str
    label: str
    help: str
    blank: str = ""
    by: str = "the declarant"
    format: str = "text"  # or "date" (a day, YYYY-MM-DD)
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """A list to ask for: each row has some of these fields."""

    name: str
    label: str
    columns: tuple[Field, ...]


class Given:
    """Checked values of a kind's fields: what is there, or a blank line in its place."""

    def __init__(self, fields: Sequence[Field], values: Mapping[str, str]) -> None:
        self._fields = {field.name: field for field in fields}
        self._values = {name: value for name, value in values.items() if value}

    def has(self, name: str) -> bool:
        self._fields[name]
        return name in self._values

    def run(self, name: str) -> Run:
        """For a paragraph: the words given, or the line to fill in."""
        field = self._fields[name]
        value = self._values.get(name)
        if value is None:
            return Blank(field.blank or field.label.lower(), field.by)
        return _day(value) if field.format == "date" else value

    def text(self, name: str, otherwise: str = "") -> str:
        self._fields[name]
        return self._values.get(name, otherwise)

    @property
    def missing(self) -> tuple[Field, ...]:
        return tuple(field for name, field in self._fields.items() if name not in self._values)


def read_fields(fields: Sequence[Field], values: Mapping[str, str]) -> Given:
    """BadRequest names each value that is unknown, too long, or not of its kind."""
    known = {field.name: field for field in fields}
    faults = [
        {"where": f"fields.{name}", "what": "this kind of paper has no such field"}
        for name in values
        if name not in known
    ]
    read = {}
    for name, value in values.items():
        if name in known:
            text = value.translate(_LINE_FEEDS).strip()
            if fault := _fault(known[name], text):
                faults.append({"where": f"fields.{name}", "what": fault})
            read[name] = text
    if faults:
        raise BadRequest("Some fields cannot be taken: see errors.", errors=faults)
    return Given(fields, read)


def read_rows(rows: Rows, values: Sequence[Mapping[str, str]]) -> tuple[Given, ...]:
    if len(values) > MAX_ROWS:
        raise BadRequest(f"{rows.label}: at most {MAX_ROWS} rows.")
    return tuple(read_fields(rows.columns, row) for row in values)


def _fault(field: Field, text: str) -> str | None:
    if len(text) > MAX_VALUE:
        return f"has more than {MAX_VALUE} characters"
    if field.choices and text and text not in field.choices:
        return f"is none of: {', '.join(field.choices)}"
    if field.format == "date" and text:
        try:
            date.fromisoformat(text)
        except ValueError:
            return "is not a day as YYYY-MM-DD"
    return None


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day:%B} {day.day}, {day.year}"
