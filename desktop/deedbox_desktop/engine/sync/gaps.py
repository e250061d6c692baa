"""When the box did not take a number: the chain goes on over a gap statement, and what came after is signed anew."""

from collections.abc import Iterable
from uuid import UUID

import apsw

from deedbox_desktop.engine.capture.signer import superseded_digest
from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import TrustLost
from deedbox_desktop.engine.journal import files, identifiers, statements
from deedbox_desktop.engine.model import Lane, NewStatement, StatementRow, StatementState
from deedbox_sync.transfer import Problem, State

_ASK_AT_ONCE = 500
_LOST = "Its statement is lost from the journal. Save the file anew to have it captured again"
_WHOLE_CASE = frozenset({"unknown-case"})  # refuses everything that goes to the same case


def refuse(desk: Desk, row: StatementRow, problem: Problem) -> None:
    """Hold a statement that the box does not take, close its number, and sign those after it anew. One transaction."""

    def work(db: apsw.Connection) -> dict[int, int]:
        after = statements.unaccepted_from(db, row.sequence)
        held = [
            one.sequence
            for one in after
            if one.sequence == row.sequence or (problem.slug in _WHOLE_CASE and one.case == row.case)
        ]
        return _close(db, desk, row.sequence, held, problem.detail, f"refused: {problem.slug}")

    _move(desk, desk.journal.write(work))


def fill(desk: Desk, row: StatementRow, expected: int) -> None:
    """The box waits for an earlier number: send again from there, or close what this desk no longer has."""

    def work(db: apsw.Connection) -> dict[int, int]:
        if expected > row.sequence:
            raise TrustLost(
                "journal-ahead",
                f"The box has statements from this desk up to number {expected - 1}, which this desk never made. Is there a"
                " copy of this desk somewhere?",
            )
        if statements.receipted_from(db, expected):
            raise TrustLost("box-forgot", "The box no longer knows statements for which it had given receipts.")
        if statements.can_send_from(db, expected):
            statements.send_again_from(db, expected)
            return {}
        return _close(db, desk, expected, [], "", "lost from the desk's journal")

    _move(desk, desk.journal.write(work))


def adopt(desk: Desk, sequence: int, digest: bytes) -> None:
    """A person says that this journal, an older copy, may go on after what only the box has: what the box does not know of
    is signed anew after that."""
    rows = desk.journal.read(lambda db: statements.unaccepted_from(db, 1))
    known: set[bytes] = set()
    for at in range(0, len(rows), _ASK_AT_ONCE):
        asked = [row.digest for row in rows[at : at + _ASK_AT_ONCE]]
        known |= {one.statement for one in desk.box.receipts(asked, 0) if one.state is not State.UNKNOWN}
    missing = [row for row in rows if row.digest not in known and row.lane is not Lane.NONE]

    def work(db: apsw.Connection) -> dict[int, int]:
        statements.adopt_head(db, sequence, digest)
        return _sign_again(db, desk, missing, {})

    _move(desk, desk.journal.write(work))


def sign_held_again(desk: Desk) -> int:
    """A person says that refused statements may be tried again: sign each anew, for the case its folder has now. How many."""

    def work(db: apsw.Connection) -> dict[int, int]:
        rows = statements.with_state(db, StatementState.REFUSED, limit=1 << 30)
        cases = {folder.id: folder.case for folder in files.folders(db)}
        return _sign_again(db, desk, rows, cases)

    moved = desk.journal.write(work)
    _move(desk, moved)
    return len(moved)


def _close(
    db: apsw.Connection, desk: Desk, first: int, held: Iterable[int], detail: str, reason: str
) -> dict[int, int]:
    """Void all from `first` on, hold some, append the gap statement and the rest anew. Old numbers to new ones."""
    kept = set(held)
    rows = [row for row in statements.unaccepted_from(db, first) if row.lane is not Lane.NONE]
    statements.void_from(db, first)
    statements.hold_refused(db, kept, detail)
    statements.hold_lost(db, first, _LOST)
    last = statements.head(db).sequence
    previous = statements.digest_before(db, first)
    captured = desk.scene.captured(desk.link.greeting)
    statements.append(db, [lambda _sequence, _previous: desk.signer.gap(first, last, previous, reason, captured)])
    return _sign_again(db, desk, [row for row in rows if row.sequence not in kept], {})


def _sign_again(db: apsw.Connection, desk: Desk, rows: list[StatementRow], cases: dict[int, UUID]) -> dict[int, int]:
    renamed: dict[bytes, bytes] = {}
    moved: dict[int, int] = {}
    for row in rows:
        [(sequence, new)] = statements.append(db, [_Again(db, desk, row, renamed, cases)])
        renamed[row.digest] = new.digest
        moved[row.sequence] = sequence
    statements.replaced_by_new(db, moved)
    identifiers.moved(db, moved)
    return moved


def _move(desk: Desk, moved: dict[int, int]) -> None:
    for old, new in moved.items():
        desk.contents.move(old, new)
    desk.link.wake()


class _Again:
    """Makes one statement anew. What superseded a statement that was itself signed anew names the new one."""

    def __init__(
        self, db: apsw.Connection, desk: Desk, row: StatementRow, renamed: dict[bytes, bytes], cases: dict[int, UUID]
    ) -> None:
        self._db, self._desk, self._row, self._renamed, self._cases = db, desk, row, renamed, cases

    def __call__(self, sequence: int, previous: bytes) -> NewStatement:
        row = self._row
        file = files.one_file(self._db, row.file) if row.file is not None else None
        superseded = superseded_digest(row)
        case = self._cases.get(file.folder) if file is not None else None
        return self._desk.signer.again(
            row,
            file,
            sequence,
            previous,
            case=case or row.case,
            supersedes=self._renamed.get(superseded, superseded) if superseded else None,
        )
