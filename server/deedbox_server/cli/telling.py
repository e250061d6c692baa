"""What a command says: aligned columns and sentences for people, or, with `--json`, one JSON value and nothing else."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

_FADED, _PLAIN = "\x1b[90m", "\x1b[0m"
_GAP: Final = "  "
_WIDEST: Final = 60  # characters of a column that is not the last: one long name must not push the rest off the screen


def add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON value on standard output, and nothing else")


def show(options: argparse.Namespace, items: Sequence[Mapping[str, Any]], columns: Sequence[str], nothing: str) -> None:
    """A list: as a JSON array of all members, or as columns of these, or the sentence that there is none."""
    if options.json:
        print(json.dumps(list(items), ensure_ascii=False))
        return
    if not items:
        print(nothing)
        return
    rows = [[_cell(item[name]) for name in columns] for item in items]
    heads = [name.replace("_", " ") for name in columns]
    widths = [max(len(row[index]) for row in (heads, *rows)) for index in range(len(columns))]
    print(_faded(_line(heads, widths)))
    for row in rows:
        print(_line(row, widths))


def done(options: argparse.Namespace, value: Mapping[str, Any], sentence: str) -> None:
    """What was done: as a JSON object, or as a sentence."""
    print(json.dumps(dict(value), ensure_ascii=False) if options.json else sentence)


def local(time: datetime | None) -> str | None:
    """A time as columns show it: this machine's, to the minute."""
    return None if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M")


def moment(text: str) -> datetime:
    """A time from an argument: RFC 3339, or a date, which is its beginning in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-05-04, and no time") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = [_short(cell).ljust(min(width, _WIDEST)) for cell, width in zip(cells[:-1], widths, strict=False)]
    return _GAP.join([*shown, cells[-1]]).rstrip()


def _short(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"


def _cell(value: object) -> str:
    """Names are what people typed: what would move the cursor is shown as a space."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return "".join(char if char.isprintable() else " " for char in text) or "–"


def _faded(text: str) -> str:
    return f"{_FADED}{text}{_PLAIN}" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text
