"""Receipts: asked for in bulk, verified one by one against the pinned key, and held against the log's line. Then they count."""

import threading
from collections import deque
from datetime import UTC, datetime

from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import TrustLost
from deedbox_desktop.engine.journal import facts, receipts, statements
from deedbox_desktop.engine.journal.receipts import VerifiedReceipt
from deedbox_desktop.engine.model import StatementRow, StatementState
from deedbox_desktop.engine.sync.log_line import LogLine
from deedbox_desktop.engine.sync.settle import settle
from deedbox_sync import receipt
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.receipt import Receipt, ReceiptVerifier

MOST_AT_ONCE = 500


class LogKeeper:
    """The line of checkpoints, kept in the journal. One comparison at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._line = LogLine(desk.facts.vkey, desk.journal.read(facts.checkpoint))

    @property
    def size(self) -> int:
        return self._line.size

    def reload(self) -> None:
        """Begin again from what the journal holds."""
        with self._lock:
            self._line = LogLine(self._desk.facts.vkey, self._desk.journal.read(facts.checkpoint))

    def extend(self, met: set[str]) -> None:
        """Prove that the box's log extends all that was seen, these notes among it, and remember how far it goes."""
        with self._lock:
            before = self._line.highest
            steps = self._line.extend(met)
            try:
                shown = next(steps)
                while True:
                    shown = steps.send(self._desk.box.log(shown))
            except StopIteration:
                pass
            highest, size = self._line.highest, self._line.size
            if highest is not None and highest != before:
                self._desk.journal.write(lambda db: facts.put_checkpoint(db, size, highest, datetime.now(UTC)))


class Receipts:
    """`take` is given what the box sent; `step` verifies it, or asks for more. False when nothing is missing."""

    def __init__(self, desk: Desk, keeper: LogKeeper) -> None:
        self._desk = desk
        self._keeper = keeper
        self.verified = desk.journal.read(receipts.count)
        self._verifier = ReceiptVerifier(desk.facts.vkey)
        self._taken: deque[tuple[StatementRow, str]] = deque()
        self._asked_to = 0

    def take(self, given: list[tuple[StatementRow, str]]) -> None:
        self._taken.extend(given)
        self._desk.link.wake()

    def step(self) -> bool:
        if not self._desk.link.online:
            return False
        if self._taken:
            self._verify([self._taken[number] for number in range(min(MOST_AT_ONCE, len(self._taken)))])
            return True
        return self._ask()

    def _ask(self) -> bool:
        """The next ones in turn, so that one whose receipt never comes does not keep others from theirs."""
        journal = self._desk.journal
        rows = journal.read(
            lambda db: statements.with_state(db, StatementState.COMMITTED, MOST_AT_ONCE, self._asked_to)
        )
        if not rows:
            self._asked_to, wrapped = 0, self._asked_to > 0
            return wrapped
        self._asked_to = rows[-1].sequence
        wait = self._desk.link.pace.receipt_wait
        settle(self._desk, rows, self._desk.box.receipts([row.digest for row in rows], wait), self.take)
        return True

    def _verify(self, given: list[tuple[StatementRow, str]]) -> None:
        verified, notes = [], set()
        for row, text in given:
            parsed = self._verify_one(row, text)
            notes.add(parsed.note)
            verified.append(VerifiedReceipt(row.sequence, parsed.index, text.encode()))
        self._keeper.extend(notes)
        now = datetime.now(UTC)
        added = self._desk.journal.write(lambda db: receipts.add_receipts(db, verified, now))
        for one in verified:
            self._taken.popleft()
            self._desk.contents.drop(one.sequence)
        self.verified += added
        if any(row.spool for row, _ in given):
            self._desk.free_spool()
        self._desk.link.wake()

    def _verify_one(self, row: StatementRow, text: str) -> Receipt:
        try:
            parsed = receipt.parse(text.encode())
            self._verifier.verify(parsed, statement=row.digest, content=row.content)
        except (FormatError, ProofError) as error:
            raise TrustLost(
                "receipt-false",
                f"A receipt from the box does not hold ({error}). Nothing is believed from it until a person looks.",
            ) from error
        return parsed
