"""A desk reduced to its signing hand: makes true statements in journal order, for tests that speak to the box directly."""

import hashlib
import os
import time
from datetime import UTC, datetime
from pathlib import PurePosixPath
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.app.parts import Box
from deedbox_server.evidence.statements import Sender
from deedbox_server.people.trust import fingerprint, write_trust_record
from deedbox_sync import dsse, statement, uuid7
from deedbox_sync.device_record import PAIRED, DeviceRecord, serial_text
from deedbox_sync.file_facts import FileFacts
from deedbox_sync.statement import (
    NO_DIGEST,
    Captured,
    CaptureStatement,
    DeviceRef,
    GapStatement,
    JournalPlace,
    Operator,
    Tool,
)
from deedbox_sync.transfer import BatchItem


class FieldDesk:
    """One paired device. `journal` holds the envelopes it signed, by number."""

    def __init__(self, device: UUID, case: UUID | None, name: str = "field laptop") -> None:
        self.key = Ed25519PrivateKey.generate()
        self.device = device
        self.case = case
        self.name = name
        self.paired = datetime.now(UTC)
        self.sequence = 0
        self.last = NO_DIGEST

    def capture(self, name: str, content: bytes, **changes: object) -> bytes:
        """The signed envelope of one captured file; it takes the next journal number."""
        facts = FileFacts(PurePosixPath(name).name, (), len(content), time.time_ns())
        given: dict[str, object] = {
            "digests": {"sha256": hashlib.sha256(content).digest()},
            "captured": self._now(),
            "device": self._device(),
            "file": facts,
            "journal": JournalPlace(self.sequence + 1, self.last),
            "operator": Operator("pat", None, "os-session"),
            "tool": Tool("deedbox-tests", "1"),
            "method": "watched-folder",
            "salt": os.urandom(32),
            "case": self.case,
        }
        return self.sign(CaptureStatement(**(given | changes)))  # type: ignore[arg-type]

    def gap(self, first: int, last: int) -> bytes:
        """A signed gap statement over numbers that are lost; the chain goes on behind it."""
        lost = GapStatement(
            self._device(), self._now(), first, last, JournalPlace(last + 1, self.last), "lost", os.urandom(32)
        )
        return self.sign(lost)

    def item(self, name: str, content: bytes, **changes: object) -> BatchItem:
        return BatchItem(self.capture(name, content, **changes), content)

    def sign(self, made: CaptureStatement | GapStatement) -> bytes:
        payload = statement.encode_payload(made)
        self.sequence, self.last = made.journal.sequence, statement.digest(payload)
        return dsse.encode(dsse.sign(payload, self.key))

    def sender(self, account: UUID) -> Sender:
        cases = frozenset({self.case} if self.case is not None else ())
        return Sender(self.device, account, self.name, self.key.public_key().public_bytes_raw(), self.paired, cases)

    def _device(self) -> DeviceRef:
        key = hashlib.sha256(self.key.public_key().public_bytes_raw()).digest()
        return DeviceRef(self.device, self.name, key)

    def _now(self) -> Captured:
        return Captured(datetime.now(UTC), "Europe/Berlin", 3600, time.monotonic_ns())


async def paired_desk(box: Box, account: UUID, case: UUID) -> FieldDesk:
    """A device known to the box, with its pairing record in the log, as pairing leaves it."""
    desk = FieldDesk(uuid7.new(), case)
    key = desk.key.public_key().public_bytes_raw()
    now = datetime.now(UTC)
    async with box.database.transaction():
        await box.database.insert_many(
            "device",
            ("id", "account", "name", "platform", "statement_key", "created", "next_sequence", "last_digest"),
            [(desk.device, account, desk.name, "tests", key, now, 1, NO_DIGEST)],
        )
        certificate = await box.authority.certify_device(desk.device, Ed25519PrivateKey.generate().public_key())
        record = DeviceRecord(
            account=account,
            by="box",
            certificate=fingerprint(certificate),
            device=desk.device,
            kind=PAIRED,
            name=desk.name,
            serial=serial_text(certificate.serial_number),
            statement_key=key,
            time=now,
        )
        await write_trust_record(box.database, box.notary, record)
    return desk


def digest_of(envelope: bytes) -> bytes:
    return statement.digest(dsse.parse(envelope).payload)
