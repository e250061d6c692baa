"""The records of physical items: each is parsed, chained, and opened against its log entry with its salts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from deedbox_server.audit.log import Logged
from deedbox_server.audit.report import Report
from deedbox_server.database import Database, Row
from deedbox_server.vault.key_store import KeyStore
from deedbox_sync import commitment, item_record
from deedbox_sync.custody import NO_DIGEST
from deedbox_sync.errors import SyncError


async def audit_items(db: Database, keys: KeyStore, logged: Mapping[UUID, Logged], report: Report) -> None:
    """Every item's chain is whole, and every `item.…` entry of the log has its record here."""
    pending = {row["record"] for row in await db.fetch("SELECT record FROM pending_entry")}
    rows = await db.fetch("SELECT id, item, case_id, number, kind, record FROM item_event ORDER BY item, number")
    chains: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        chains[row["item"]].append(row)
    for item, chain in chains.items():
        salts = await keys.salts([row["id"] for row in chain])
        previous = NO_DIGEST
        for number, row in enumerate(chain, start=1):
            where = f"item {item}, record {number}"
            report.count("item records")
            try:
                record = item_record.parse(row["record"])
            except SyncError as error:
                report.add(where, f"does not parse: {error}")
                break
            if (record.item, record.number, record.kind, record.previous) != (item, number, row["kind"], previous):
                report.add(where, "does not follow the record before it")
            previous = item_record.digest(row["record"])
            if row["id"] not in pending:
                values = item_record.committed_values(record, row["record"], row["case_id"])
                _hold(where, record.kind, values, salts.get(row["id"], {}), logged.get(row["id"]), report)
    told = {row["id"] for row in rows}
    for record_id, entry in logged.items():
        if entry.kind.startswith("item.") and record_id not in told:
            report.add(f"log entry {entry.seq}", f"tells of a record ({entry.kind}) that the database does not have")


def _hold(
    where: str,
    kind: str,
    values: Mapping[str, bytes],
    salts: Mapping[str, bytes],
    entry: Logged | None,
    report: Report,
) -> None:
    if entry is None:
        report.add(where, "is not in the log")
        return
    if entry.kind != f"item.{kind}":
        report.add(where, f"is {entry.kind} in the log, not item.{kind}")
    for name, value in values.items():
        if name not in salts:
            report.add(where, f"has no opening for {name} and no tombstone")
        elif entry.commitments.get(name) != commitment.commit(name, salts[name], value):
            report.add(where, f"is not what log entry {entry.seq} committed to ({name})")
