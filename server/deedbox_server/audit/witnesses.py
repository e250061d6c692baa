"""What witnesses signed, held against the log as it is now: who rewrites a log cannot make them sign the new one."""

from __future__ import annotations

from deedbox_server.audit.report import Report
from deedbox_server.database import Database
from deedbox_sync import note
from deedbox_sync.errors import FormatError, ProofError

_STEP = 2_000  # cosignatures read at a time

_COSIGNATURES = """
    SELECT cosignature.size, cosignature.witness, line, note, vkey FROM cosignature
    LEFT JOIN log_checkpoint ON log_checkpoint.size = cosignature.size
    LEFT JOIN asked_witness ON asked_witness.name = cosignature.witness
    WHERE cosignature.size > {} AND cosignature.size <= {} ORDER BY cosignature.size, cosignature.witness
"""


async def audit_witnesses(db: Database, report: Report) -> None:
    """Every cosignature of a witness that the box still asks is over the checkpoint of its size; and none of them refuses."""
    for asked in await db.fetch("SELECT name, state, status FROM asked_witness ORDER BY name"):
        if asked["state"] == "refuses":
            report.add(f"witness {asked['name']}", f"refuses this log (status {asked['status']}): see the box's alarms")
    top = await db.fetch_one("SELECT max(size) AS size FROM cosignature")
    largest = 0 if top is None or top["size"] is None else int(top["size"])
    for start in range(0, largest, _STEP):
        rows = await db.fetch(_COSIGNATURES, start, start + _STEP)
        for row in rows:
            _check(row["size"], row["witness"], row["line"], row["note"], row["vkey"], report)
        report.count("cosignatures", len(rows))


def _check(size: int, witness: str, line: str, noted: str | None, vkey: str | None, report: Report) -> None:
    where = f"cosignature of {size} by {witness}"
    if noted is None:
        report.add(where, "is of a checkpoint that is gone")
        return
    if vkey is None:
        return  # no longer asked: its key is not known here
    try:
        note.verify_note(note.parse_note(noted + line), [vkey])
    except (FormatError, ProofError):
        report.add(where, "is not over the log as it is now")
