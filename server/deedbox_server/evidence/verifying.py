"""Verify an exhibit on the box: stored bytes against the notarised hash, signature, log inclusion (EV-3).

The box checks itself here, which convinces whoever trusts the box. A stranger verifies a bundle instead.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_server.database import Database
from deedbox_server.evidence.exhibits import Exhibit, Exhibits
from deedbox_server.notary.brackets import Brackets
from deedbox_server.notary.service import Notary
from deedbox_server.people import Principal
from deedbox_server.vault import Vault
from deedbox_server.vault.errors import BlobDamaged
from deedbox_sync import dsse, receipt, statement
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.statement import CaptureStatement


@dataclass(frozen=True)
class Report:
    """Three answers, never one; `findings` says in words what is wrong."""

    exhibit: UUID
    intact: bool
    anchored: bool
    attributed: bool
    content: str
    logged: str | None
    log_index: int | None
    device: UUID | None
    operator: str | None
    authenticated: str | None
    findings: tuple[str, ...]
    bracket: Bracket


class Verifying:
    def __init__(self, db: Database, vault: Vault, notary: Notary, exhibits: Exhibits, brackets: Brackets) -> None:
        self._db = db
        self._vault = vault
        self._notary = notary
        self._exhibits = exhibits
        self._brackets = brackets

    async def verify(self, principal: Principal, exhibit_id: UUID, *, read_bytes: bool = True) -> Report:
        """All of it; without `read_bytes` the caller reads the stored bytes itself and answers for them."""
        exhibit = await self._exhibits.get(principal, exhibit_id, "evidence.verify")
        findings: list[str] = []
        if read_bytes:
            await self._check_bytes(exhibit, findings)
        captured = await self._check_statement(exhibit, findings)
        attributed = captured is not None and exhibit.captured_by_desk
        logged, index = await self._check_log(exhibit, findings)
        bracket = (await self._brackets.of([index]))[index] if index is not None else Bracket()
        return Report(
            exhibit=exhibit.id,
            intact=not findings,
            anchored=bracket.not_after is not None,
            attributed=attributed,
            content=exhibit.content.hex(),
            logged=logged,
            log_index=index,
            device=captured.device.id if captured is not None else None,
            operator=captured.operator.name if captured is not None else None,
            authenticated=captured.operator.authenticated if captured is not None else None,
            findings=tuple(findings),
            bracket=bracket,
        )

    async def _check_bytes(self, exhibit: Exhibit, findings: list[str]) -> None:
        try:
            digest, size = await self._vault.verify_blob(exhibit.blob)
        except BlobDamaged as error:
            findings.append(str(error))
            return
        if digest != exhibit.content or size != exhibit.size:
            findings.append("The stored bytes are not those that were received.")

    async def _check_statement(self, exhibit: Exhibit, findings: list[str]) -> CaptureStatement | None:
        row = await self._db.fetch_one(
            "SELECT s.envelope, d.statement_key FROM statement s JOIN device d ON d.id = s.device WHERE s.digest = {}",
            exhibit.statement,
        )
        if row is None:
            findings.append("The statement of this exhibit is missing.")
            return None
        try:
            envelope = dsse.parse(row["envelope"])
            dsse.verify(envelope, Ed25519PublicKey.from_public_bytes(row["statement_key"]))
            parsed = statement.parse_payload(envelope.payload)
        except (FormatError, ProofError) as error:
            findings.append(f"The statement does not hold: {error}.")
            return None
        if statement.digest(envelope.payload) != exhibit.statement:
            findings.append("The statement is not the one that was notarised.")
        if not isinstance(parsed, CaptureStatement) or parsed.content != exhibit.content:
            findings.append("The statement is about other bytes.")
            return None
        return parsed

    async def _check_log(self, exhibit: Exhibit, findings: list[str]) -> tuple[str | None, int | None]:
        row = await self._db.fetch_one("SELECT record FROM statement WHERE digest = {}", exhibit.statement)
        opened = {row["record"]: {"statement": exhibit.statement, "content": exhibit.content}} if row else {}
        receipts = await self._notary.receipts(opened)
        if not receipts:
            findings.append("The log does not have this exhibit yet.")
            return None, None
        try:
            parsed = receipt.parse(next(iter(receipts.values())).encode())
            entry = await asyncio.to_thread(
                receipt.verify_receipt,
                parsed,
                self._notary.vkey,
                statement=exhibit.statement,
                content=exhibit.content,
            )
        except (FormatError, ProofError) as error:
            findings.append(f"The log does not prove this exhibit: {error}.")
            return None, None
        return entry.time.isoformat(), entry.seq
