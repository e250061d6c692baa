"""The box as a device of its own: it signs for bytes that came without a desk (formats/upload.md, Statement)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.database import Database
from deedbox_server.evidence.journal import Journals, Plan
from deedbox_server.evidence.statements import Checked
from deedbox_server.evidence.upload_metadata import UploadFacts
from deedbox_server.people.authority import Authority
from deedbox_server.people.trust import LogStager, fingerprint, write_trust_record
from deedbox_server.vault import StoredBlob
from deedbox_sync import dsse, statement
from deedbox_sync.device_record import PAIRED, DeviceRecord, serial_text
from deedbox_sync.file_facts import FileFacts, readable_name
from deedbox_sync.statement import (
    NO_DIGEST,
    Captured,
    CaptureStatement,
    DeviceRef,
    JournalPlace,
    Operator,
    Tool,
)

METHOD: Final = "upload"
PLATFORM: Final = "box"
_MAX_NAME: Final = 100  # as of any device
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Sent:
    """What the box can say of bytes that it received: what they are to be, what they are, whose they were."""

    facts: UploadFacts
    stored: StoredBlob
    operator: Operator


class BoxDevice:
    """One per process. Whoever signs and commits holds `journal_lock`, so that numbers follow each other."""

    def __init__(
        self,
        db: Database,
        stager: LogStager,
        authority: Authority,
        journals: Journals,
        *,
        box: UUID,
        name: str,
        key: Ed25519PrivateKey,
    ) -> None:
        self._db = db
        self._stager = stager
        self._authority = authority
        self._journals = journals
        self.id = box
        self._name = name[:_MAX_NAME]
        self._key = key
        self._public = key.public_key().public_bytes_raw()
        self._introduced = False
        self.journal_lock = asyncio.Lock()

    async def introduce(self) -> None:
        """Have the box's row and its `device.paired` record, made the first time: both or neither, whoever starts at once.

        Suspended while the log is, unless they are there. ValueError where the database knows the box under another key.
        """
        if self._introduced:
            return
        now = datetime.now(UTC)
        async with self._db.transaction():
            made = await self._db.fetch(
                "INSERT INTO device (id, account, name, platform, statement_key, created, next_sequence, last_digest)"
                " VALUES ({}, {}, {}, {}, {}, {}, {}, {}) ON CONFLICT (id) DO NOTHING RETURNING id",
                self.id,
                self.id,  # it belongs to nobody: what joins an account neither lists it nor lets it in
                self._name,
                PLATFORM,
                self._public,
                now,
                1,
                NO_DIGEST,
            )
            if made:
                await self._record(now)
        row = await self._db.fetch_one("SELECT statement_key FROM device WHERE id = {}", self.id)
        if row is None or row["statement_key"] != self._public:
            raise ValueError("the intake key in the database is not the one in the keyring")
        self._introduced = True

    async def _record(self, now: datetime) -> None:
        certificate = await self._authority.certify_device(self.id, self._key.public_key())
        record = DeviceRecord(
            kind=PAIRED,
            time=now,
            by="box",
            device=self.id,
            account=self.id,
            name=self._name,
            statement_key=self._public,
            certificate=fingerprint(certificate),
            serial=serial_text(certificate.serial_number),
        )
        await write_trust_record(self._db, self._stager, record)

    async def sign(self, sent: Sent) -> tuple[Checked, Plan]:
        """The next statement of the box's journal about these bytes, and the plan that takes its number when committed."""
        head = await self._journals.head(self.id)
        made = CaptureStatement(
            digests={"sha256": sent.stored.sha256},
            captured=Captured(datetime.now(UTC), "UTC", 0, time.monotonic_ns(), _boot()),
            device=DeviceRef(self.id, self._name, hashlib.sha256(self._public).digest()),
            file=_file(sent.facts.name, sent.stored.size),
            journal=JournalPlace(head.next_sequence, head.last_digest),
            operator=sent.operator,
            tool=Tool("deedbox-server", version("deedbox")),
            method=METHOD,
            salt=os.urandom(statement.SALT_LENGTH),
            case=sent.facts.case,
            labels=sent.facts.labels,
        )
        payload = statement.encode_payload(made)
        checked = Checked(statement.digest(payload), dsse.encode(dsse.sign(payload, self._key)), made)
        return checked, Plan(head, head.after(checked.sequence, checked.digest), (checked,), ())


def _file(name: bytes, size: int) -> FileFacts:
    readable = readable_name(name)
    if readable.encode() == name:
        return FileFacts(readable, (), size, None)
    return FileFacts(readable, (), size, None, name_bytes=name, path_bytes=())


def _boot() -> bytes | None:
    """Differs with each boot, where the system tells (Linux)."""
    try:
        return hashlib.sha256(b"deedbox/v1/boot" + _BOOT.read_bytes().strip()).digest()[:16]
    except OSError:
        return None
