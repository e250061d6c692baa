"""Receipts in the journal, and what of the spool they set free. Functions here run inside the journal's thread."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import apsw

from deedbox_desktop.engine.model import StatementState
from deedbox_sync import timestamp


@dataclass(frozen=True)
class VerifiedReceipt:
    """A receipt whose every step was verified on this machine. `receipt` is its canonical JSON."""

    sequence: int
    log_index: int
    receipt: bytes


def add_receipts(db: apsw.Connection, receipts: Iterable[VerifiedReceipt], verified: datetime) -> int:
    """Keep receipts; how many of them are new."""
    kept = list(receipts)
    before = db.total_changes()
    when = timestamp.encode(verified)
    db.executemany(
        "INSERT OR IGNORE INTO receipt VALUES (?, ?, ?, ?)", [(r.sequence, r.log_index, r.receipt, when) for r in kept]
    )
    added = db.total_changes() - before
    db.executemany(
        "UPDATE statement SET state = ?, reason = NULL, nonce = NULL WHERE sequence = ?",
        [(StatementState.RECEIPTED.value, r.sequence) for r in kept],
    )
    return added


def count(db: apsw.Connection) -> int:
    return int(db.execute("SELECT COUNT(*) FROM receipt").get)


def free_spool(db: apsw.Connection, backed_up_to: int | None) -> list[str]:
    """Let go of spooled bytes whose receipt is verified, and, unless `backed_up_to` is None, whose log entry is below it.

    Gives the spool files that nothing needs any more; they are removed after the commit.
    """
    limit = "" if backed_up_to is None else " AND receipt.log_index < ?"
    values = () if backed_up_to is None else (backed_up_to,)
    rows = db.execute(
        "SELECT statement.sequence, spool_file FROM statement JOIN receipt USING (sequence)"
        f" WHERE spool_file IS NOT NULL AND state = 'receipted'{limit}",
        values,
    ).fetchall()
    db.executemany("UPDATE statement SET spool_file = NULL WHERE sequence = ?", [(sequence,) for sequence, _ in rows])
    files = {str(file) for _, file in rows}
    return [file for file in files if not _needed(db, file)]


def spool_files(db: apsw.Connection) -> set[str]:
    """Every spool file that a statement still needs."""
    return {
        str(file) for (file,) in db.execute("SELECT DISTINCT spool_file FROM statement WHERE spool_file IS NOT NULL")
    }


def _needed(db: apsw.Connection, file: str) -> bool:
    return db.execute("SELECT 1 FROM statement WHERE spool_file = ? LIMIT 1", (file,)).fetchone() is not None
