"""What the desk knows, as values: folders, files, statements, and the words for their states."""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from deedbox_sync.beacon import Beacon

QUIET_MS = 2_000  # a file untouched for so long is taken to be whole; office programs save in less


class FileState(Enum):
    """How far the desk has come with a file on its own; from CAPTURED on, the statement's state tells the rest."""

    WAITING = "waiting"
    UNREADABLE = "unreadable"
    HELD = "held"  # a person must do something first
    IGNORED = "ignored"
    VANISHED = "vanished"  # gone before it could be captured
    CAPTURED = "captured"


class Original(Enum):
    """What became of the original since it was captured."""

    HERE = "here"
    REPLACED = "replaced"
    RENAMED = "renamed"
    VANISHED = "vanished"


class Lane(Enum):
    """How a statement's bytes reach the box."""

    INLINE = "inline"  # in a batch, beside the statement
    UPLOAD = "upload"  # all there already; the statement closes the upload
    OFFER = "offer"  # the statement first, the bytes when the box asks for them
    NONE = "none"  # a gap statement has no bytes


class StatementState(Enum):
    """Where a statement stands between desk and box."""

    SIGNED = "signed"  # durable here
    ACCEPTED = "accepted"  # the box has it under its number and wants the bytes
    COMMITTED = "committed"  # the exhibit exists; its entry is on the way into the log
    RECEIPTED = "receipted"  # the receipt was verified here
    HELD = "held"  # the box has the statement but can't get the bytes: a person must look
    REFUSED = "refused"  # the box did not take the statement nor its number: a person must look
    VOID = "void"  # the box refused its number; signed anew under another one


@dataclass(frozen=True)
class Folder:
    """A watched folder. `path` is raw, as the system gives it; sub-folders become labels."""

    id: int
    path: bytes
    case: UUID
    ignore: tuple[str, ...] = ()
    quiet_ms: int = QUIET_MS

    def at(self, path: bytes) -> bytes:
        """A file of this folder, as the system is asked for it."""
        return self.path + os.fsencode(os.sep) + path


@dataclass(slots=True)
class FileRow:
    """One file as the journal has it. `path` is relative to the folder, raw. `sequence` is its statement's number.

    `supersedes` is the row of the previous capture of the same path. Not current: the path now belongs to a newer row.
    """

    id: int
    folder: int
    path: bytes
    size: int
    modified_ns: int
    inode: int
    state: FileState
    original: Original = Original.HERE
    reason: str | None = None
    was: bytes | None = None
    sequence: int | None = None
    supersedes: int | None = None
    current: bool = True


@dataclass(frozen=True)
class SpoolRef:
    """One item of a spool file: where its length word begins, and the length of its ciphertext."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True)
class StatementRow:
    """A signed statement and what is known of it. `content` is None for a gap statement."""

    sequence: int
    digest: bytes
    envelope: bytes
    file: int | None
    content: bytes | None
    size: int
    case: UUID | None
    lane: Lane
    state: StatementState
    upload: str | None = None
    spool: SpoolRef | None = None
    offset: int = 0
    nonce: bytes | None = None


@dataclass(frozen=True)
class NewStatement:
    """A statement on its way into the journal, which gives it the file row's facts and keeps both in one transaction.
    `named`: what it captures is to have an identifier."""

    digest: bytes
    envelope: bytes
    file: FileRow | None
    content: bytes | None
    size: int
    case: UUID | None
    lane: Lane
    captured: datetime
    upload: str | None = None
    spool: SpoolRef | None = None
    named: bool = False


@dataclass(frozen=True)
class Reconciled:
    """What the box says of an identifier that this desk minted: its own for the same, or why it takes it not."""

    id: str
    canonical: str | None
    problem: str | None


@dataclass(frozen=True)
class BoxFacts:
    """What pairing gave: whom this desk is, and whom it trusts. Certificates are PEM; `people_url` is where it paired."""

    device: UUID
    device_name: str
    account: UUID
    account_name: str
    ca: str
    certificate: str
    device_url: str
    people_url: str
    origin: str
    vkey: str


@dataclass(frozen=True)
class CaseFacts:
    id: UUID
    number: str
    title: str


@dataclass(frozen=True)
class Greeting:
    """What the last hello told, as far as later steps need it. `beacon` is the newest that any hello told."""

    seen: datetime
    box_name: str
    box_offset_ms: int
    backup_configured: bool
    backed_up_to: int | None
    batch_bytes: int
    batch_items: int
    inline_bytes: int
    cases: tuple[CaseFacts, ...] = field(default=())
    beacon: Beacon | None = None
    alarms: tuple[str, ...] = ()

    def by_box(self, at: datetime) -> datetime:
        """What the box's clock shows when this one shows `at`, as far as is known."""
        return at - timedelta(milliseconds=self.box_offset_ms)


@dataclass(frozen=True)
class Stop:
    """Why sync stopped for good. Only a person clears it."""

    kind: str
    words: str
    since: datetime
