"""Identifiers under the desk's own key, with or without a box (formats/identifier.md), when nothing more urgent is to be done.

A counter is durable with its statement, and all that it names is in the statement: whenever the proof is made, and however
often after a kill, it is the same. The box is told of each, gives its own for it, and the desk's goes on resolving there.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxRefused, BoxUnintelligible
from deedbox_desktop.engine.journal import identifiers, statements
from deedbox_desktop.engine.model import StatementState
from deedbox_sync.identifier import Minter, desk_seed, issuer_note

MOST_MADE = 100  # of one commit: a twentieth of a second, so that what is dropped meanwhile does not wait
MOST_TOLD = 200  # of one call: a tenth of a second of the box's time
_NO_SUCH_CALL = 404


class Namer:
    """`step` makes or tells one batch. False when there is nothing to do, or evidence that goes first: `busy` says so of
    capture. `note` is the statement key's word for the key that mints."""

    def __init__(self, desk: Desk, statement_seed: bytes, busy: Callable[[], bool]) -> None:
        self._desk = desk
        self._busy = busy
        device = desk.facts.device
        self._minter = Minter(desk_seed(statement_seed), f"device/{device}")
        self.note = issuer_note(Ed25519PrivateKey.from_private_bytes(statement_seed), device, self._minter.key)
        self._box_takes = True

    def left(self) -> int:
        """How many are still to be made, or to be told to the box while it is in reach."""
        due, waiting = self._desk.journal.read(identifiers.open_counts)
        return due + (waiting if self._desk.link.online and self._box_takes else 0)

    def step(self) -> bool:
        return not self._must_wait() and (self._make() or self._tell())

    def _must_wait(self) -> bool:
        desk = self._desk
        return self._busy() or (
            desk.link.online and bool(desk.journal.read(lambda db: statements.with_state(db, StatementState.SIGNED, 1)))
        )

    def _make(self) -> bool:
        journal = self._desk.journal
        due = journal.read(lambda db: identifiers.due(db, MOST_MADE))
        if not due:
            return False
        made = [self._minter.mint(one.content, one.beacon, one.counter) for one in due]
        journal.write(lambda db: identifiers.add(db, made))
        return True

    def _tell(self) -> bool:
        desk = self._desk
        records = desk.journal.read(lambda db: identifiers.waiting(db, MOST_TOLD)) if desk.link.online else []
        if not records:
            return False
        try:
            results = desk.box.reconcile(records, self.note)
        except BoxRefused as error:
            if error.status == _NO_SUCH_CALL:
                self._box_takes = False  # a box of before identifiers: they wait until it is a newer one
                return False
            raise
        if [one.id for one in results] != [one.id for one in records]:
            raise BoxUnintelligible("The box answered about other identifiers than it was asked.")
        self._box_takes = True
        judged = list(zip(records, results, strict=True))
        desk.journal.write(lambda db: identifiers.settle(db, judged))
        return True
