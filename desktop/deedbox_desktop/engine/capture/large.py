"""Capturing one large file: read once, hashed while it is sent, or, where no box is in reach, while it is put into the spool."""

import os
from contextlib import closing, suppress

from deedbox_desktop.engine.bytes_in_motion import Crew, Digest, SourceEnded, hash_source, pieces
from deedbox_desktop.engine.capture.original import FileBusy, FileGone, FileUnreadable, OpenOriginal
from deedbox_desktop.engine.capture.outcome import Job, Kind, Outcome
from deedbox_desktop.engine.capture.signer import Draft, makers
from deedbox_desktop.engine.capture.small import (
    DISK_FULL,
    UNKNOWN_CASE,
    before_captures,
    captured_earlier,
    is_unknown_case,
    shaped,
    superseded,
    take_shape,
)
from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxError, BoxRefused, BoxUnintelligible, BoxUnreachable
from deedbox_desktop.engine.journal import statements, uploads
from deedbox_desktop.engine.model import Lane, SpoolRef, StatementRow
from deedbox_desktop.engine.stops import stop_for
from deedbox_desktop.engine.transfers import Transfers
from deedbox_disk.errors import DiskError, OutOfSpace
from deedbox_sync.transfer_steps import Stop, action_for_problem


class _NoBox(Exception):
    """The box cannot take the bytes now: into the spool with them."""


class LargeCapture:
    """Thread-safe; each call captures one file."""

    def __init__(self, desk: Desk, transfers: Transfers) -> None:
        self._desk = desk
        self._transfers = transfers

    def capture(self, job: Job, crew: Crew) -> Outcome:
        if is_unknown_case(self._desk, job):
            return Outcome(job, Kind.HELD, words=UNKNOWN_CASE)
        try:
            earlier = captured_earlier(job, before_captures(self._desk, [job]))
            with OpenOriginal(job.folder.at(job.ready.row.path), local=job.local) as original:
                take_shape(job.ready.row, original.shape)
                return self._capture(job, original, earlier, crew)
        except (FileGone, FileBusy, SourceEnded):
            self._give_up(job)
            return Outcome(job, Kind.CHANGED)
        except FileUnreadable as error:
            return Outcome(job, Kind.UNREADABLE, words=str(error))
        except OutOfSpace:
            return Outcome(job, Kind.DEFERRED, words=DISK_FULL)
        except DiskError as error:
            return Outcome(job, Kind.DEFERRED, words=str(error))

    def _capture(self, job: Job, original: OpenOriginal, earlier: StatementRow | None, crew: Crew) -> Outcome:
        if (
            earlier is not None and earlier.size == original.size
        ):  # touched or renamed, most likely: look before sending
            digest = Digest()
            hash_source(original, digest, original.size, crew)
            original.verify_unchanged()
            if digest.digest() == earlier.content:
                return Outcome(job, Kind.SAME)
        digest = Digest()
        try:
            upload = self._stream(job, original, digest, crew)
            lane, spool = Lane.UPLOAD, None
        except _NoBox:
            upload, lane, digest = None, Lane.OFFER, Digest()
            spool = self._desk.spool.write_source(original, original.size, digest)
        return self._sign(job, original, earlier, digest.digest(), lane, upload, spool)

    def _stream(self, job: Job, original: OpenOriginal, digest: Digest, crew: Crew) -> str:
        """Bytes first, hashed on their way; the upload's id once the box says that all of them are durable."""
        desk, row, size = self._desk, job.ready.row, original.size
        if not desk.link.online:
            raise _NoBox
        known = desk.journal.read(lambda db: uploads.find_upload(db, row))
        upload = known.upload if known is not None else os.urandom(16).hex()
        if known is None:
            desk.journal.write(lambda db: uploads.put_upload(db, row, upload))
        with self._transfers.of(row.id, size, 0) as progress:
            while True:
                try:
                    offset = desk.box.create_upload(upload, job.folder.case, size)
                    if offset > digest.at:
                        hash_source(original, digest, min(offset, size), crew)
                    progress.sent = offset
                    if offset < size:
                        with closing(pieces(original, offset, size, digest, crew)) as body:
                            offset = desk.box.put(upload, offset, size - offset, progress.passing(body))
                    if offset == size:
                        return upload
                except BoxUnreachable as error:
                    desk.link.lost()
                    if not desk.link.wait_online(desk.link.pace.stream_patience):
                        raise _NoBox from error
                except BoxRefused as error:
                    self._refused(error)
                except BoxUnintelligible as error:
                    raise _NoBox from error

    def _refused(self, error: BoxRefused) -> None:
        """Only a wrong place is worth another try at once; all else is said again when the statement is offered."""
        if isinstance(action_for_problem(error.problem), Stop):
            self._desk.halt(stop_for(error.problem))
        if error.problem.slug != "offset-mismatch":
            raise _NoBox from error

    def _sign(
        self,
        job: Job,
        original: OpenOriginal,
        earlier: StatementRow | None,
        digest: bytes,
        lane: Lane,
        upload: str | None,
        spool: SpoolRef | None,
    ) -> Outcome:
        desk = self._desk
        file, exceptions = original.file_facts(job.ready.row.path)
        original.verify_unchanged()
        greeting = desk.link.greeting
        draft = Draft(
            row=shaped(job, original.shape),
            case=job.folder.case,
            file=file,
            content=digest,
            captured=desk.scene.captured(greeting),
            operator=desk.scene.operator,
            lane=lane,
            exceptions=exceptions + desk.scene.exceptions(greeting),
            supersedes=superseded(job, earlier),
            upload=upload,
            spool=spool,
        )
        [(sequence, _)] = desk.journal.write(lambda db: statements.append(db, makers(desk.signer, [draft])))
        desk.link.wake()
        draft.row.sequence = sequence
        return Outcome(job, Kind.CAPTURED, kept=draft.row)

    def _give_up(self, job: Job) -> None:
        """Capture starts anew later, under another upload."""
        row = job.ready.row
        known = self._desk.journal.read(lambda db: uploads.find_upload(db, row))
        if known is not None:
            self._desk.journal.write(lambda db: uploads.drop_upload(db, row.id))
            with suppress(BoxError):  # the box sweeps what nobody asks for
                self._desk.box.forget_upload(known.upload)
