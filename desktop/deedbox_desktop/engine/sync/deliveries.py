"""Bytes of statements that the box has taken and wants: sent from where it says, or proven to be here. In any order."""

import threading
from collections.abc import Callable
from contextlib import closing

from deedbox_desktop.engine.bytes_in_motion import Crew, Digest, Source, SourceEnded, hash_source, pieces
from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxError, BoxRefused
from deedbox_desktop.engine.journal import statements
from deedbox_desktop.engine.journal.statements import Change
from deedbox_desktop.engine.model import Lane, StatementRow, StatementState
from deedbox_desktop.engine.sync.settle import TakeReceipts, settle
from deedbox_desktop.engine.sync.sources import CHANGED, BytesLost, FoundSource, find_source
from deedbox_desktop.engine.transfers import Transfers
from deedbox_sync import possession
from deedbox_sync.transfer import PossessionProof
from deedbox_sync.transfer_steps import SendAnew, Stop, action_for_problem


class Deliveries:
    """Shared by the workers: each `step` claims one statement. False when there is nothing to claim."""

    def __init__(self, desk: Desk, take_receipts: TakeReceipts, transfers: Transfers) -> None:
        self._desk = desk
        self._take_receipts = take_receipts
        self._transfers = transfers
        self._claimed: set[int] = set()
        self._lock = threading.Lock()

    def step(self, crew: Crew) -> bool:
        if not self._desk.link.online:
            return False
        row = self._claim()
        if row is None:
            return False
        try:
            self._deliver(row, crew)
        finally:
            with self._lock:
                self._claimed.discard(row.sequence)
        self._desk.link.wake()
        return True

    def _claim(self) -> StatementRow | None:
        with self._lock:  # the look too: between look and claim another worker may have finished the same one
            limit = 1 + len(self._claimed)
            rows = self._desk.journal.read(lambda db: statements.with_state(db, StatementState.ACCEPTED, limit))
            row = next((row for row in rows if row.sequence not in self._claimed), None)
            if row is not None:
                self._claimed.add(row.sequence)
        return row

    def _deliver(self, row: StatementRow, crew: Crew) -> None:
        """Whatever breaks off, the statement is offered again: the answer says anew where to go on."""
        try:
            with find_source(self._desk, row) as found:
                if row.nonce is not None:
                    self._prove(row, row.nonce, found, crew)
                else:
                    self._send(row, found, crew)
        except (BytesLost, SourceEnded) as error:
            words = CHANGED if isinstance(error, SourceEnded) else str(error)
            self._record(Change(row.sequence, StatementState.HELD, reason=words))
        except BoxRefused as error:
            action = action_for_problem(error.problem)
            self._record(Change(row.sequence, StatementState.SIGNED, Lane.OFFER))
            if isinstance(action, Stop) or error.problem.slug not in _ASK_ANEW:
                raise
            if isinstance(action, SendAnew):
                self._require_same_bytes(row, crew)
        except BoxError:
            self._record(Change(row.sequence, StatementState.SIGNED, Lane.OFFER))
            raise

    def _send(self, row: StatementRow, found: FoundSource, crew: Crew) -> None:
        assert row.upload is not None
        digest = None if found.sure else Digest()
        if digest is not None and row.offset:
            hash_source(found.source, digest, row.offset, crew)
        body = pieces(found.source, row.offset, row.size, digest, crew)
        with self._transfers.of(row.file, row.size, row.offset) as progress, closing(body):
            self._desk.box.put(row.upload, row.offset, row.size - row.offset, progress.passing(body))
        if digest is not None and digest.digest() != row.content:
            raise BytesLost(CHANGED)
        self._record(Change(row.sequence, StatementState.COMMITTED))

    def _prove(self, row: StatementRow, nonce: bytes, found: FoundSource, crew: Crew) -> None:
        mac = possession.mac(nonce, row.digest)
        digest = Digest()
        _each_piece(found.source, row.size, digest, crew, mac.update)
        if digest.digest() != row.content:
            raise BytesLost(CHANGED)
        results = self._desk.box.possession([PossessionProof(row.digest, mac.digest())])
        settle(self._desk, [row], results, self._take_receipts)

    def _require_same_bytes(self, row: StatementRow, crew: Crew) -> None:
        """The box says that the bytes are not the statement's: if that is so here too, sending them again is no use."""
        try:
            with find_source(self._desk, row) as found:
                digest = Digest()
                hash_source(found.source, digest, row.size, crew)
            if digest.digest() != row.content:
                raise BytesLost(CHANGED)
        except (BytesLost, SourceEnded) as error:
            words = CHANGED if isinstance(error, SourceEnded) else str(error)
            self._record(Change(row.sequence, StatementState.HELD, reason=words))

    def _record(self, change: Change) -> None:
        self._desk.journal.write(lambda db: statements.change(db, [change]))


# Answers to sent bytes that the next offer sorts out: elsewhere, other bytes, gone, or closed meanwhile.
_ASK_ANEW = frozenset({"offset-mismatch", "hash-mismatch", "size-mismatch", "not-found", "conflict"})


def _each_piece(source: Source, size: int, digest: Digest, crew: Crew, use: Callable[[memoryview], None]) -> None:
    with closing(pieces(source, 0, size, digest, crew)) as body:
        for piece in body:
            use(piece)
