"""Making the audit report: the reader's rows, set and signed. Not kept; that it was made is in the trail, with its digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest
from deedbox_server.notary.service import Notary
from deedbox_server.papers.audit_report import AuditFacts, write_audit_report
from deedbox_server.papers.press import Press
from deedbox_server.papers.signatory import Signatory
from deedbox_server.papers.typeset import SetPaper, set_paper
from deedbox_server.people.principal import Principal
from deedbox_server.trail import Asked, Told, Trail, TrailReading
from deedbox_sync import note, uuid7
from deedbox_sync.canonical_json import Json

MAX_ROWS: Final = 2_000  # some 200 pages: whoever files more files the export beside a shorter report
_A_PAGE: Final = 10  # rows, as guessed


class AuditReports:
    def __init__(
        self,
        db: Database,
        notary: Notary,
        trail: Trail,
        reading: TrailReading,
        press: Press,
        signatory: Signatory,
        box: str,
    ) -> None:
        self._db = db
        self._notary = notary
        self._trail = trail
        self._reading = reading
        self._press = press
        self._signatory = signatory
        self._box = box

    async def make(self, principal: Principal, asked: Asked) -> bytes:
        """The signed PDF of what the principal may see of what is asked. BadRequest for more than MAX_ROWS rows."""
        rows: list[Told] = []
        async for told in self._reading.all(principal, asked):
            rows.append(told)
            if len(rows) > MAX_ROWS:
                raise BadRequest(f"a report has at most {MAX_ROWS} entries: narrow the range, or take the export")
        facts = await self._facts(principal, asked, rows)
        document = write_audit_report(facts)

        async def setting(seal: tuple[str, ...]) -> SetPaper:
            work = partial(set_paper, replace(document, seal=seal))
            return await self._press.run(work, len(rows) // _A_PAGE)

        signed = await self._signatory.sign(facts, setting)
        operation = "audit.read" if asked.case is None else "case.audit"
        detail: dict[str, Json] = {
            "content": sha256(signed.pdf).hexdigest(),
            "entries": len(rows),
            "made": "report",
            "signed": signed.how,
        }
        async with self._db.transaction():
            await self._trail.changed(principal, operation, case=asked.case, object=facts.paper, detail=detail)
        return signed.pdf

    async def _facts(self, principal: Principal, asked: Asked, rows: list[Told]) -> AuditFacts:
        checkpoint = note.parse_checkpoint(note.parse_note(await self._notary.checkpoint()).body)
        box_id, _ = note.parse_origin(checkpoint.origin)
        cases = sorted({told.case for told in rows if told.case} | ({asked.case} if asked.case else set()))
        found = await self._db.fetch_in("SELECT id, number, title FROM legal_case WHERE id IN ", cases)
        of_case = next((row for row in found if row["id"] == asked.case), None)
        return AuditFacts(
            paper=uuid7.new(),
            made=datetime.now(UTC),
            box=self._box,
            box_id=box_id,
            version=version("deedbox"),
            log=checkpoint.origin,
            log_key=self._notary.vkey,
            log_size=checkpoint.size,
            root=checkpoint.root,
            reader=principal.name,
            asked=asked,
            case=None if of_case is None else f"{of_case['number']} · {of_case['title']}",
            person=await self._name(asked.person),
            numbers={row["id"]: row["number"] for row in found},
            rows=rows,
        )

    async def _name(self, person: UUID | None) -> str | None:
        for kind in ("account", "device"):
            if person is not None and (
                row := await self._db.fetch_one(f"SELECT name FROM {kind} WHERE id = {{}}", person)
            ):
                return str(row["name"])
        return None if person is None else str(person)
