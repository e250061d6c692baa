"""Case records (formats/case.md): each is what its log entry committed to, and artifacts are what their newest record says."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from deedbox_server.audit.report import Report
from deedbox_server.audit.trail import Opened
from deedbox_server.cases.artifact import note_content
from deedbox_server.database import Database, Row
from deedbox_server.vault.key_store import KeyStore
from deedbox_sync import case_record
from deedbox_sync.case_record import CaseRecord
from deedbox_sync.errors import SyncError

_STEP: Final = 1_000


async def audit_case_records(db: Database, keys: KeyStore, opened: Opened, pending: set[UUID], report: Report) -> None:
    """A page of records at a time. `opened` compares values and salts with the entry, and remembers that it was told."""
    last = UUID(int=0)
    while True:
        rows = await db.fetch(
            "SELECT id, case_id, object, kind, record FROM case_record WHERE id > {} ORDER BY id LIMIT {}", last, _STEP
        )
        if not rows:
            return
        salts = await keys.salts([row["id"] for row in rows])
        newest = await db.fetch_in(
            "SELECT record, case_id, kind, exhibit, content, body FROM case_artifact WHERE record IN ",
            [row["id"] for row in rows],
        )
        artifacts = {row["record"]: row for row in newest}
        for row in rows:
            where = f"case record {row['id']}"
            try:
                record = case_record.parse(row["record"])
            except SyncError as error:
                report.add(where, f"does not parse: {error}")
                continue
            if (record.case, record.artifact) != (row["case_id"], row["object"]):
                report.add(where, "is found by what it does not say")
            if row["id"] in artifacts:
                _compare(f"artifact {record.artifact}", artifacts[row["id"]], record, report)
            values = case_record.committed_values(record, row["record"])
            opened(where, row["id"], case_record.ENTRY_KIND, values, salts.get(row["id"], {}), pending)
        report.count("case records", len(rows))
        last = rows[-1]["id"]


def _compare(where: str, row: Row, record: CaseRecord, report: Report) -> None:
    kept = (row["case_id"], row["kind"], row["exhibit"], row["content"])
    if kept != (record.case, record.kind, record.exhibit, record.content):
        report.add(where, "is not what its record tells of")
    elif record.kind == "note" and (row["body"] is None or note_content(row["body"]) != record.content):
        report.add(where, "has another text than its record tells of")
