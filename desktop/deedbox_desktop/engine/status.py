"""The truth about every file this desk has ever seen, and about its box. Read from the journal alone, by any process."""

import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import apsw

from deedbox_desktop.engine.journal import facts, files, identifiers, statements
from deedbox_desktop.engine.journal.identifiers import Standing
from deedbox_desktop.engine.model import BoxFacts, FileState, Folder, Greeting, Original, StatementState, Stop
from deedbox_desktop.engine.state_folder import DISK_FULL
from deedbox_disk.space import free_bytes
from deedbox_sync import clock, timestamp
from deedbox_sync.file_facts import readable_name

_ROWS = """
    SELECT file.folder, file.path, file.size, file.state, file.original, file.reason, file.was, file.sequence, file.current,
        statement.state, statement.reason, statement.digest, statement.content, statement.captured, statement.spool_file,
        receipt.log_index, receipt.verified, upload.file, identifier.id, identifier.canonical
    FROM file LEFT JOIN statement ON statement.sequence = file.sequence
        LEFT JOIN receipt ON receipt.sequence = file.sequence LEFT JOIN upload ON upload.file = file.id
        LEFT JOIN identifier ON identifier.sequence = file.sequence
    ORDER BY file.folder, file.path, file.id
"""

_ROOM_TO_SAY = 1 << 20  # with less left, that the disk is full may be more than the journal can still take


class Shown(Enum):
    """A file's state as people are told it."""

    WAITING = "waiting"
    CAPTURED = "captured"
    SENDING = "sending"
    RECEIPTED = "receipted"
    HELD = "held"
    UNREADABLE = "unreadable"
    IGNORED = "ignored"
    VANISHED = "vanished"


_OWN = {
    FileState.WAITING: Shown.WAITING,
    FileState.UNREADABLE: Shown.UNREADABLE,
    FileState.HELD: Shown.HELD,
    FileState.IGNORED: Shown.IGNORED,
    FileState.VANISHED: Shown.VANISHED,
}
_OF_STATEMENT = {
    StatementState.SIGNED: (Shown.CAPTURED, "Captured; on its way as soon as the box takes it"),
    StatementState.ACCEPTED: (Shown.SENDING, "The box waits for its bytes"),
    StatementState.COMMITTED: (Shown.SENDING, "In the box; waiting for the receipt"),
    StatementState.RECEIPTED: (Shown.RECEIPTED, "In the box; receipt verified"),
    StatementState.HELD: (Shown.HELD, "In need of a person"),
    StatementState.REFUSED: (Shown.HELD, "Refused by the box"),
    StatementState.VOID: (Shown.CAPTURED, "Captured; being signed anew"),
}
_AFTER = {
    Original.HERE: "",
    Original.REPLACED: "; saved again since",
    Original.VANISHED: "; the original is gone",
}


@dataclass(frozen=True)
class FileStatus:
    """One capture of one file, or a file that is not captured. `superseded`: its path belongs to a newer one; `canonical`: the
    box's identifier for what this desk named `identifier`."""

    folder: str
    path: str
    path_bytes: bytes | None
    size: int
    state: Shown
    original: Original
    superseded: bool
    words: str
    sequence: int | None
    statement: bytes | None
    content: bytes | None
    captured: datetime | None
    log_index: int | None
    receipted: datetime | None
    spooled: bool
    identifier: str | None
    canonical: str | None


@dataclass(frozen=True)
class FolderStatus:
    folder: Folder
    problem: str | None


@dataclass(frozen=True)
class DeskStatus:
    """Everything `status` knows. `box` is None before pairing, `greeting` before the box was first seen."""

    box: BoxFacts | None
    greeting: Greeting | None
    stop: Stop | None
    troubles: dict[str, str]
    head: statements.Head
    checkpoint: str | None
    identifiers: Standing
    folders: tuple[FolderStatus, ...]
    files: tuple[FileStatus, ...]

    def counts(self) -> dict[Shown, int]:
        return dict(Counter(file.state for file in self.files))


def read_status(db: apsw.Connection) -> DeskStatus:
    """Runs inside the journal's thread, over one view."""
    folders = files.folders(db)
    problems = files.folder_problems(db)
    names = {folder.id: shown_path(folder.path) for folder in folders}
    greeting, minted = facts.greeting(db), identifiers.standing(db)
    return DeskStatus(
        box=facts.box(db),
        greeting=greeting,
        stop=facts.stopped(db),
        troubles=facts.troubles(db) | _full_disk(Path(db.filename)) | _clock(greeting) | _refused(minted),
        head=statements.head(db),
        checkpoint=facts.checkpoint(db),
        identifiers=minted,
        folders=tuple(FolderStatus(folder, problems.get(folder.id)) for folder in folders),
        files=tuple(_file(values, names) for values in db.execute(_ROWS)),
    )


def _full_disk(journal: Path) -> dict[str, str]:
    """What the engine could not write down, for want of room to write it."""
    return {"disk": DISK_FULL} if free_bytes(journal.parent) < _ROOM_TO_SAY else {}


def _clock(greeting: Greeting | None) -> dict[str, str]:
    """That this clock was off when the box was last seen."""
    if greeting is None or not clock.disagrees(greeting.box_offset_ms):
        return {}
    apart = clock.apart_from("the box's", greeting.box_offset_ms)
    return {"clock": f"This computer's clock is {apart}. Statements say so; set the clock."}


def _refused(minted: Standing) -> dict[str, str]:
    if not minted.refused:
        return {}
    counted = "an identifier" if minted.refused == 1 else f"{minted.refused} identifiers"
    return {"identifiers": f"The box refuses {counted} of this desk: {minted.problem}"}


def shown_path(raw: bytes) -> str:
    """A path for people: what is not UTF-8 as U+FFFD."""
    return readable_name(raw).replace(os.sep, "/")


def _file(values: tuple[Any, ...], names: dict[int, str]) -> FileStatus:
    (
        folder,
        raw,
        size,
        own,
        original,
        reason,
        was,
        sequence,
        current,
        state,
        held,
        digest,
        content,
        captured,
        spool,
    ) = values[:15]
    index, verified, uploading, minted, canonical = values[15:]
    path = shown_path(raw)
    after = Original(original)
    shown, words = _words(FileState(own), state, reason, held, uploading is not None)
    if own == FileState.CAPTURED.value:
        words += f"; captured as {shown_path(was)}" if after is Original.RENAMED and was else _AFTER.get(after, "")
    return FileStatus(
        folder=names[folder],
        path=path,
        path_bytes=None if readable_name(raw).encode() == raw else raw,
        size=size,
        state=shown,
        original=after,
        superseded=not current,
        words=words,
        sequence=sequence,
        statement=digest,
        content=content,
        captured=timestamp.parse(captured) if captured else None,
        log_index=index,
        receipted=timestamp.parse(verified) if verified else None,
        spooled=spool is not None,
        identifier=minted,
        canonical=canonical,
    )


def _words(
    own: FileState, state: str | None, reason: str | None, held: str | None, uploading: bool
) -> tuple[Shown, str]:
    if own is FileState.WAITING and uploading:
        return Shown.SENDING, "On its way to the box; captured when all of it is there"
    if own is not FileState.CAPTURED or state is None:
        return _OWN.get(own, Shown.HELD), reason or own.value.capitalize()
    shown, words = _OF_STATEMENT[StatementState(state)]
    return shown, f"{words}: {held}".rstrip(".") if held and shown is Shown.HELD else words
