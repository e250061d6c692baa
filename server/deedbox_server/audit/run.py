"""The audit's order: files as files, then the log, then what it tells of, then the bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deedbox_disk.errors import DiskError
from deedbox_disk.sealed_pages import damaged_pages
from deedbox_server.audit.blobs import audit_blobs
from deedbox_server.audit.items import audit_items
from deedbox_server.audit.log import LogAudit
from deedbox_server.audit.outside_time import audit_outside_time
from deedbox_server.audit.records import RecordAudit
from deedbox_server.audit.report import Report
from deedbox_server.audit.witnesses import audit_witnesses
from deedbox_server.database import Database, DatabaseError
from deedbox_server.errors import DeedboxError
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyStore

LATE = 30.0  # seconds; entries pend for moments


@dataclass(frozen=True)
class Sources:
    """What is audited."""

    database: Database
    keys: KeyStore
    vault: Vault
    vkey: str


def audit_pages(sealed: Mapping[Path, bytes], report: Report) -> None:
    """The encrypted SQLite files, by path and key, page by page. No database is opened: it runs where one no longer opens."""
    for path, key in sealed.items():
        if path.exists():
            report.count("database files")
            for place in damaged_pages(path, key):
                report.add(place, "was changed: its seal does not hold")


def audit_presence(needed: Iterable[Path], report: Report) -> bool:
    """Whether these are there and not empty. A box that is opened without one of them makes a new one, as if it had been so."""
    lacking = [path for path in needed if not path.exists() or not path.stat().st_size]
    for path in lacking:
        report.add(path.name, "is empty: all of it is gone" if path.exists() else "is gone")
    return not lacking


async def audit(sources: Sources, report: Report) -> None:
    """Log, records, outside time, cosignatures, blobs. A part that cannot be read is a finding; the others are looked at."""
    log = LogAudit(sources.database, sources.vkey, report)
    records = RecordAudit(sources.database, sources.keys, log.records, report)
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "log": log.run,
        "records": records.run,
        "items": partial(audit_items, sources.database, sources.keys, log.records, report),
        "outside time": partial(audit_outside_time, sources.database, sources.vkey, log.records, report),
        "witnesses": partial(audit_witnesses, sources.database, report),
        "blobs": partial(audit_blobs, sources.database, sources.vault, report),
    }
    for name, part in parts.items():
        try:
            await part()
        except (DatabaseError, DeedboxError, DiskError) as error:
            report.add(name, f"cannot be read: {error}")
