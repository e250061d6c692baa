"""Telling the box of the identifiers that this desk minted: each gets the box's own, and goes on resolving."""

from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxRefused, BoxUnintelligible
from deedbox_desktop.engine.journal import identifiers, statements
from deedbox_desktop.engine.model import StatementState

MOST = 200  # of one call: a tenth of a second of the box's time, between two batches of evidence
_NO_SUCH_CALL = 404


class Reconciler:
    """`step` brings one batch. False when there is nothing to bring, no box, or evidence that goes first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def step(self) -> bool:
        desk = self._desk
        if not desk.link.online:
            return False
        records = desk.journal.read(lambda db: identifiers.waiting(db, MOST))
        if not records or desk.journal.read(lambda db: statements.with_state(db, StatementState.SIGNED, 1)):
            return False
        try:
            results = desk.box.reconcile(records, desk.mint.note)
        except BoxRefused as error:
            if error.status == _NO_SUCH_CALL:
                return False  # a box of before identifiers: they wait until it is a newer one
            raise
        if [one.id for one in results] != [one.id for one in records]:
            raise BoxUnintelligible("The box answered about other identifiers than it was asked.")
        judged = list(zip(records, results, strict=True))
        desk.journal.write(lambda db: identifiers.settle(db, judged))
        return True
