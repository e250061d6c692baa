"""Bytes that the box holds are not sent again, but both sides must show that they have them."""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.vault import BlobReader, Vault
from deedbox_sync import possession
from deedbox_sync.transfer import PossessionProof

NONCE_SECONDS = 600.0
_MOST = 10_000  # open challenges; older ones are forgotten first, and the desk then sends the bytes
_STEP = 1 << 20


@dataclass(frozen=True)
class _Challenge:
    nonce: bytes
    blob: UUID
    expires: float


class Possession:
    """Challenges live in memory: after a restart the desk offers again and gets a new one."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self._open: dict[bytes, _Challenge] = {}

    async def challenge(self, statement: bytes, content: bytes) -> bytes | None:
        """A nonce for this statement where its own case holds its content, else None."""
        row = await self._db.fetch_one(
            "SELECT e.blob FROM exhibit e JOIN statement s ON s.case_id = e.case_id "
            "JOIN blob b ON b.id = e.blob AND b.case_id = e.case_id WHERE s.digest = {} AND e.content = {} LIMIT 1",
            statement,
            content,
        )
        if row is None:
            return None
        nonce = os.urandom(32)
        self._open[statement] = _Challenge(nonce, row["blob"], time.monotonic() + NONCE_SECONDS)
        while len(self._open) > _MOST:
            del self._open[next(iter(self._open))]
        return nonce

    async def settle(self, proof: PossessionProof) -> UUID | None:
        """The blob, when the proof holds over all its bytes; a nonce is used once, whatever comes of it."""
        challenge = self._open.pop(proof.statement, None)
        if challenge is None or challenge.expires < time.monotonic():
            return None
        with closing(await self._vault.open(challenge.blob)) as reader:
            expected = await asyncio.to_thread(_mac, reader, challenge.nonce, proof.statement)
        return challenge.blob if hmac.compare_digest(expected, proof.mac) else None


def _mac(reader: BlobReader, nonce: bytes, statement: bytes) -> bytes:
    mac = possession.mac(nonce, statement)
    for offset in range(0, reader.size, _STEP):
        mac.update(reader.read_at(offset, _STEP))
    return mac.digest()
