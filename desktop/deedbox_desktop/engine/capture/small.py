"""Capturing many small files as one group: each read once, all signed and journalled in one commit."""

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from deedbox_desktop.engine.capture.original import FileBusy, FileGone, FileUnreadable, OpenOriginal, Shape
from deedbox_desktop.engine.capture.outcome import Job, Kind, Outcome
from deedbox_desktop.engine.capture.signer import Draft, makers
from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.journal import statements
from deedbox_desktop.engine.model import FileRow, Greeting, Lane, StatementRow
from deedbox_disk.errors import DiskError, OutOfSpace

DISK_FULL = "This computer's disk is full: capture goes on when there is room"
UNKNOWN_CASE = "The box knows no such case, or this desk may not send to it"
_FRESH = timedelta(
    seconds=3
)  # how old a greeting may be to say that a case does not exist: it may just have been opened


@dataclass(frozen=True)
class _Read:
    """One file in memory, ready to be signed."""

    job: Job
    draft: Draft
    content: bytes


class SmallCapture:
    """`too_large` takes files that turn out to have grown past what goes into a batch."""

    def __init__(self, desk: Desk, too_large: Callable[[Job], None]) -> None:
        self._desk = desk
        self._too_large = too_large

    def capture(self, jobs: Sequence[Job], limit: int) -> list[Outcome]:
        """Every job that is not handed on has its outcome. Captured means: durable in the journal, and, where no box is
        in reach, in the spool."""
        try:
            before = before_captures(self._desk, jobs)
        except DiskError as error:
            return [Outcome(job, Kind.DEFERRED, words=str(error)) for job in jobs]
        outcomes: list[Outcome] = []
        reads: list[_Read] = []
        for job in jobs:
            if is_unknown_case(self._desk, job):
                outcomes.append(Outcome(job, Kind.HELD, words=UNKNOWN_CASE))
                continue
            read = self._read(job, before, limit)
            if isinstance(read, _Read):
                reads.append(read)
            elif read is not None:
                outcomes.append(read)
        if reads:
            outcomes += self._sign(reads)
        return outcomes

    def _read(self, job: Job, before: dict[int, StatementRow], limit: int) -> _Read | Outcome | None:
        row = job.ready.row
        try:
            with OpenOriginal(job.folder.at(row.path), local=job.local) as original:
                if original.size > limit:
                    self._too_large(job)
                    return None
                content = original.read_whole()
                facts, exceptions = original.file_facts(row.path)
                original.verify_unchanged()
                shape = original.shape
        except (FileGone, FileBusy):
            return Outcome(job, Kind.CHANGED)
        except FileUnreadable as error:
            return Outcome(job, Kind.UNREADABLE, words=str(error))
        digest = sha256(content).digest()
        captured_before = captured_earlier(job, before)
        if captured_before is not None and captured_before.content == digest:
            take_shape(row, shape)
            return Outcome(job, Kind.SAME)
        greeting = self._desk.link.greeting
        draft = Draft(
            row=shaped(job, shape),
            case=job.folder.case,
            file=facts,
            content=digest,
            captured=self._desk.scene.captured(greeting),
            operator=self._desk.scene.operator,
            lane=Lane.INLINE,
            exceptions=exceptions + self._desk.scene.exceptions(greeting),
            supersedes=superseded(job, captured_before),
        )
        return _Read(job, draft, content)

    def _sign(self, reads: list[_Read]) -> list[Outcome]:
        desk = self._desk
        in_memory = desk.link.online
        try:
            drafts = [read.draft for read in reads]
            if not in_memory:
                places = desk.spool.write_pack([read.content for read in reads])
                drafts = [replace(draft, spool=place) for draft, place in zip(drafts, places, strict=True)]
            made = desk.journal.write(lambda db: statements.append(db, makers(desk.signer, drafts)))
        except OutOfSpace:
            return [Outcome(read.job, Kind.DEFERRED, words=DISK_FULL) for read in reads]
        except DiskError as error:
            return [Outcome(read.job, Kind.DEFERRED, words=f"{error}") for read in reads]
        outcomes = []
        for read, (sequence, _) in zip(reads, made, strict=True):
            if in_memory:
                desk.contents.put(sequence, read.content)
            read.draft.row.sequence = sequence
            outcomes.append(Outcome(read.job, Kind.CAPTURED, kept=read.draft.row))
        desk.link.wake()
        return outcomes


def is_unknown_case(desk: Desk, job: Job) -> bool:
    """Whether the box, asked just now, takes nothing for this folder's case. Out of its reach, everything is captured."""
    link = desk.link
    greeting = link.greeting
    if not link.online or greeting is None or _knows(greeting, job.folder.case):
        return False
    if datetime.now(UTC) - greeting.seen > _FRESH:
        link.greet_soon()
        until = time.monotonic() + _FRESH.total_seconds()
        while link.greeting is greeting and link.online and (left := until - time.monotonic()) > 0:
            link.sleep(left, link.turn())
    greeting = link.greeting
    return link.online and greeting is not None and not _knows(greeting, job.folder.case)


def _knows(greeting: Greeting, case: UUID) -> bool:
    return any(known.id == case for known in greeting.cases)


def before_captures(desk: Desk, jobs: Sequence[Job]) -> dict[int, StatementRow]:
    """The statements that the jobs' files may continue, by number."""
    numbers = [job.ready.before.sequence for job in jobs if job.ready.before is not None]
    known = [number for number in numbers if number is not None]
    return desk.journal.read(lambda db: statements.by_numbers(db, known)) if known else {}


def captured_earlier(job: Job, before: dict[int, StatementRow]) -> StatementRow | None:
    earlier = job.ready.before
    return before.get(earlier.sequence) if earlier is not None and earlier.sequence is not None else None


def superseded(job: Job, earlier: StatementRow | None) -> bytes | None:
    """The digest to name as superseded: the same path's capture before, not that of a file which seemed to be renamed."""
    return earlier.digest if earlier is not None and not job.ready.renamed else None


def shaped(job: Job, shape: Shape) -> FileRow:
    """A row of its own with what the file was captured as."""
    row = copy(job.ready.row)
    if job.ready.renamed:
        row.supersedes = None
    take_shape(row, shape)
    return row


def take_shape(row: FileRow, shape: Shape) -> None:
    row.size, row.modified_ns, row.inode = shape.size, shape.modified_ns, shape.inode
