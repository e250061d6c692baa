"""Making statements: facts in, a signed envelope out. No file is read here."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_desktop import VERSION
from deedbox_desktop.engine.model import BoxFacts, FileRow, Lane, NewStatement, SpoolRef, StatementRow
from deedbox_sync import dsse, statement
from deedbox_sync.file_facts import FileFacts
from deedbox_sync.statement import (
    Captured,
    CaptureStatement,
    DeviceRef,
    GapStatement,
    JournalPlace,
    Operator,
    ReadException,
    Tool,
)

_TOOL = Tool("deedbox-desktop", VERSION)
_METHOD = "watched-folder"


@dataclass(frozen=True)
class Draft:
    """All that a capture statement says, but for its place in the journal, which is given when it is signed."""

    row: FileRow
    case: UUID
    file: FileFacts
    content: bytes
    captured: Captured
    operator: Operator
    lane: Lane
    exceptions: tuple[ReadException, ...] = ()
    supersedes: bytes | None = None
    upload: str | None = None
    spool: SpoolRef | None = None


class Signer:
    """Signs with the statement key, as the paired device."""

    def __init__(self, box: BoxFacts, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key().public_bytes_raw()
        self._device = DeviceRef(box.device, box.device_name, sha256(public).digest())

    def capture(self, draft: Draft, sequence: int, previous: bytes) -> NewStatement:
        """The capture statement of a draft, with the next place in the journal."""
        said = CaptureStatement(
            digests={"sha256": draft.content},
            captured=draft.captured,
            device=self._device,
            file=draft.file,
            journal=JournalPlace(sequence, previous),
            operator=draft.operator,
            tool=_TOOL,
            method=_METHOD,
            salt=os.urandom(statement.SALT_LENGTH),
            case=draft.case,
            labels=draft.file.path,
            exceptions=draft.exceptions,
            supersedes=draft.supersedes,
        )
        digest, envelope = self._sign(said)
        return NewStatement(
            digest=digest,
            envelope=envelope,
            file=draft.row,
            content=draft.content,
            size=draft.file.size,
            case=draft.case,
            lane=draft.lane,
            captured=draft.captured.time,
            upload=draft.upload,
            spool=draft.spool,
            named=True,
        )

    def again(
        self,
        row: StatementRow,
        file: FileRow | None,
        sequence: int,
        previous: bytes,
        *,
        case: UUID | None,
        supersedes: bytes | None,
    ) -> NewStatement:
        """What an unaccepted statement said, signed anew for another place in the journal."""
        said = statement.parse_payload(dsse.parse(row.envelope).payload)
        assert isinstance(said, CaptureStatement)
        said = replace(
            said,
            journal=JournalPlace(sequence, previous),
            salt=os.urandom(statement.SALT_LENGTH),
            case=case,
            supersedes=supersedes,
        )
        digest, envelope = self._sign(said)
        return NewStatement(
            digest=digest,
            envelope=envelope,
            file=file,
            content=row.content,
            size=row.size,
            case=case,
            lane=row.lane,
            captured=said.captured.time,
            upload=row.upload,
            spool=row.spool,
        )

    def gap(self, first: int, last: int, previous: bytes, reason: str, captured: Captured) -> NewStatement:
        """Closes the numbers `first` … `last` and takes the one after. `previous` names the last statement that the box has."""
        said = GapStatement(
            device=self._device,
            captured=captured,
            first=first,
            last=last,
            journal=JournalPlace(last + 1, previous),
            reason=reason,
            salt=os.urandom(statement.SALT_LENGTH),
        )
        digest, envelope = self._sign(said)
        return NewStatement(digest, envelope, None, None, 0, None, Lane.NONE, captured.time)

    def _sign(self, said: CaptureStatement | GapStatement) -> tuple[bytes, bytes]:
        payload = statement.encode_payload(said)
        return statement.digest(payload), dsse.encode(dsse.sign(payload, self._key))


def superseded_digest(row: StatementRow) -> bytes | None:
    """The statement that an unaccepted statement supersedes."""
    said = statement.parse_payload(dsse.parse(row.envelope).payload)
    return said.supersedes if isinstance(said, CaptureStatement) else None


def makers(signer: Signer, drafts: Sequence[Draft]) -> list["_Maker"]:
    """What the journal calls to get each statement once it knows its place."""
    return [_Maker(signer, draft) for draft in drafts]


@dataclass(frozen=True)
class _Maker:
    signer: Signer
    draft: Draft

    def __call__(self, sequence: int, previous: bytes) -> NewStatement:
        return self.signer.capture(self.draft, sequence, previous)
