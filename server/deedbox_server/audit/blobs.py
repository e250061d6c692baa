"""Every stored byte, decrypted and hashed, against the exhibit, derived document or paper that it belongs to."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from deedbox_server.audit.report import Report
from deedbox_server.database import Database
from deedbox_server.vault import Vault
from deedbox_server.vault.errors import BlobDamaged

_ERASING = "SELECT blob.id FROM blob JOIN disposal_blob ON disposal_blob.blob = blob.id WHERE blob.state = 'erasing'"
_STRAY = (
    "SELECT id FROM blob WHERE state <> 'stored' AND id NOT IN (SELECT blob FROM disposal_blob WHERE blob IS NOT NULL)"
)


async def audit_blobs(db: Database, vault: Vault, report: Report) -> None:
    """Read each blob once, in constant memory. What is damaged is named by exhibit, blob and part."""
    owners: defaultdict[UUID, list[tuple[str, bytes, int]]] = defaultdict(list)
    for row in await db.fetch("SELECT id, blob, content, size FROM exhibit"):
        owners[row["blob"]].append((f"exhibit {row['id']}", row["content"], row["size"]))
    for row in await db.fetch("SELECT id, exhibit, form, blob, content, size FROM derived"):
        where = f"exhibit {row['exhibit']}, derived {row['form']}"
        owners[row["blob"]].append((where, row["content"], row["size"]))
    for row in await db.fetch("SELECT id, blob, content, size, notes, notes_content, notes_size FROM paper"):
        owners[row["blob"]].append((f"paper {row['id']}", row["content"], row["size"]))
        owners[row["notes"]].append((f"paper {row['id']}, notes", row["notes_content"], row["notes_size"]))
    for row in await db.fetch(_ERASING):
        owners.pop(row["id"], None)  # its disposal is under way, and says by whom; its keys may be gone already
    for blob, claims in owners.items():
        report.count("blobs")
        try:
            digest, size = await vault.verify_blob(blob)
        except BlobDamaged as error:
            report.add(claims[0][0], str(error))
            continue
        report.count("bytes", size)
        for where, content, expected in claims:
            if (digest, size) != (content, expected):
                report.add(where, "has other bytes than were received")
    for row in await db.fetch(_STRAY):
        report.add(f"blob {row['id']}", "is being erased, and by no disposal")
    known = {row["id"] for row in await db.fetch("SELECT id FROM blob")}
    for blob in owners.keys() - known:
        report.add(owners[blob][0][0], "has no blob")
