"""Everything about one person as one ZIP: JSON for programs, one page of HTML for people (AC-6)."""

from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.cases import folding
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, NotFound
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.erasing import Person, PersonExport
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_sync import timestamp
from deedbox_sync.canonical_json import Json

OPERATION: Final = "person.export"
MAX_FOUND: Final = 1_000  # parties of one name: more is no name

_HEAD: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>What this box keeps about one person</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.3rem .5rem;text-align:left}</style>
<h1>What this box keeps about one person</h1>
"""


@dataclass(frozen=True)
class FoundParty:
    """A party that may be the person who is asked about."""

    id: UUID
    case: UUID
    number: str
    name: str
    kind: str


class PersonExporting:
    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        recorder: Recorder,
        export: PersonExport,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._recorder = recorder
        self._export = export
        self._clock = clock

    async def find(self, principal: Principal, name: str) -> list[FoundParty]:
        """Parties of all cases within the wall that have this name however it is written: who asks chooses whom they mean."""
        await self._permissions.permit(self._db, principal, OPERATION)
        if not name.strip():
            raise BadRequest("give a name")
        wall = self._permissions.wall(principal)
        rows = await self._db.fetch(
            "SELECT case_party.id, case_party.case_id, legal_case.number, case_party.name, case_party.kind FROM case_party"
            " JOIN legal_case ON legal_case.id = case_party.case_id"
            " WHERE case_party.id IN (SELECT party FROM party_name WHERE folded = {})"
            f" AND {wall.on('case_party.case_id')} ORDER BY case_party.id LIMIT {MAX_FOUND}",
            folding.name(name).key,
            *wall.args,
        )
        return [FoundParty(row["id"], row["case_id"], row["number"], row["name"], row["kind"]) for row in rows]

    async def export(self, principal: Principal, account: UUID | None, parties: Sequence[UUID]) -> bytes:
        """The ZIP. What is behind the reader's wall is not in it, as if it were not there; NotFound where nothing is."""
        await self._permissions.permit(self._db, principal, OPERATION)
        if account is None and not parties:
            raise BadRequest("name an account, parties, or both")
        if len(parties) > MAX_FOUND:
            raise BadRequest(f"one export is of at most {MAX_FOUND} parties")
        person = Person(account, tuple(sorted(set(parties))))
        async with self._db.transaction():
            detail: dict[str, Json] = {"account": None if account is None else str(account), "parties": len(parties)}
            await self._recorder.changed(principal, OPERATION, object=account, detail=detail)
        told = await self._export.tell(self._db, principal, person)
        if not told.get("account") and not told.get("parties"):
            raise NotFound
        return _zip(told, self._clock())


def _zip(told: Mapping[str, Sequence[Mapping[str, Json]]], now: datetime) -> bytes:
    made = timestamp.encode(now)
    data = {"made": made, "sections": {name: [dict(row) for row in rows] for name, rows in told.items()}, "v": 1}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("person.json", json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True))
        file.writestr("person.html", _page(told, made))
    return out.getvalue()


def _page(told: Mapping[str, Sequence[Mapping[str, Json]]], made: str) -> str:
    parts = [_HEAD, f"<p>Made {html.escape(made)}.</p>\n"]
    for name, rows in told.items():
        parts.append(f"<h2>{html.escape(name)} ({len(rows)})</h2>\n")
        if rows:
            columns = sorted({column for row in rows for column in row})
            parts.append("<table><tr>" + "".join(f"<th>{html.escape(column)}</th>" for column in columns) + "</tr>\n")
            for row in rows:
                cells = "".join(f"<td>{html.escape(_cell(row.get(column)))}</td>" for column in columns)
                parts.append(f"<tr>{cells}</tr>\n")
            parts.append("</table>\n")
    return "".join([*parts, "</html>\n"])


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
