"""The trail as lines of a file: CSV for a spreadsheet, JSON for a program. One row, one line."""

from __future__ import annotations

import csv
import io
import json
from typing import Final
from uuid import UUID

from deedbox_server.trail.told import Told
from deedbox_sync import timestamp
from deedbox_sync.canonical_json import Json

COLUMNS: Final = (
    "time",
    "outcome",
    "operation",
    "actor",
    "name",
    "via",
    "device",
    "address",
    "case",
    "object",
    "reason",
    "why",
    "count",
    "detail",
    "source",
    "id",
    "log_entry",
    "record_digest",
)
# A spreadsheet takes a cell that begins so for a formula; names and titles are what others wrote.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def members(told: Told) -> dict[str, Json]:
    """A row as JSON members: those of `COLUMNS`."""
    of_refusal = told.detail if told.outcome == "refused" else {}
    return {
        "time": timestamp.encode(told.time),
        "outcome": told.outcome,
        "operation": told.operation,
        "actor": told.actor,
        "name": told.name,
        "via": told.via,
        "device": _text(told.device),
        "address": told.address,
        "case": _text(told.case),
        "object": _text(told.object),
        "reason": of_refusal.get("reason"),
        "why": of_refusal.get("why"),
        "count": of_refusal.get("count"),
        "detail": {} if of_refusal else dict(told.detail),
        "source": told.source,
        "id": str(told.id),
        "log_entry": told.seq,
        "record_digest": told.digest.hex(),
    }


def json_line(told: Told) -> bytes:
    return json.dumps(members(told), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def csv_head() -> bytes:
    """The byte order mark, without which a spreadsheet takes UTF-8 for something else, and the names of the columns."""
    return b"\xef\xbb\xbf" + _csv(COLUMNS)


def csv_line(told: Told) -> bytes:
    row = members(told)
    cells = [
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict) and value else value for value in row.values()
    ]
    return _csv(["" if cell in (None, {}) else _harmless(str(cell)) for cell in cells])


def _csv(cells: object) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)  # type: ignore[arg-type] # a sequence of texts
    return out.getvalue().encode("utf-8", "replace")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
