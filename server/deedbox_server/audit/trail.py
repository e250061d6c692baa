"""The trail: each readable record is what its log entry committed to, and is found by what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from deedbox_server.audit.report import Report
from deedbox_server.database import Database
from deedbox_server.vault.key_store import KeyStore
from deedbox_sync import audit_record
from deedbox_sync.errors import SyncError

ENTRIES: Final = "audit."  # kinds of entries that a record here tells in full
_STEP: Final = 1_000

Opened = Callable[[str, UUID, str, Mapping[str, bytes], Mapping[str, bytes], set[UUID]], int | None]


async def audit_trail(db: Database, keys: KeyStore, opened: Opened, pending: set[UUID], report: Report) -> None:
    """A page of records at a time. `opened` compares values and salts with the entry, and remembers that it was told."""
    last = UUID(int=0)
    while True:
        rows = await db.fetch(
            "SELECT id, time, outcome, operation, actor, case_id, object, record FROM audit_record"
            " WHERE id > {} ORDER BY id LIMIT {}",
            last,
            _STEP,
        )
        if not rows:
            return
        salts = await keys.salts([row["id"] for row in rows])
        for row in rows:
            where = f"audit record {row['id']}"
            try:
                record = audit_record.parse(row["record"])
            except SyncError as error:
                report.add(where, f"does not parse: {error}")
                continue
            told = (record.time, record.outcome, record.operation, record.actor, record.case, record.object)
            if told != tuple(row[name] for name in ("time", "outcome", "operation", "actor", "case_id", "object")):
                report.add(where, "is found by what it does not say")
            values = audit_record.committed_values(record, row["record"])
            opened(where, row["id"], f"{ENTRIES}{record.outcome}", values, salts.get(row["id"], {}), pending)
        report.count("audit records", len(rows))
        last = rows[-1]["id"]
