"""Statements in the journal: the desk's own chain. Functions here run inside the journal's thread."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import apsw

from deedbox_desktop.engine.journal import identifiers
from deedbox_desktop.engine.model import FileState, Lane, NewStatement, SpoolRef, StatementRow, StatementState
from deedbox_sync import timestamp
from deedbox_sync.statement import NO_DIGEST

_COLUMNS = (
    "sequence, digest, file, content, size, case_id, lane, state, upload, spool_file, spool_offset, spool_length, resume_at,"
    " nonce"
)
_SELECT = f"SELECT {_COLUMNS}, envelope FROM statement JOIN envelope USING (sequence)"
_INSERT = f"INSERT INTO statement ({_COLUMNS}, captured) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, ?)"
# Word for word the index's own condition: only then is the index used.
_OPEN = "state IN ('signed', 'accepted', 'committed', 'held', 'refused')"
_CAPTURED = """
    UPDATE file SET state = ?, reason = NULL, was = NULL, sequence = ?, size = ?, modified_ns = ?, inode = ?, supersedes = ?
    WHERE id = ?
"""


@dataclass(frozen=True)
class Head:
    """The last statement of the desk's chain; number 0 and zeros before the first."""

    sequence: int
    digest: bytes


@dataclass(frozen=True)
class Change:
    """What became of one statement. None leaves lane, upload and spool as they are."""

    sequence: int
    state: StatementState
    lane: Lane | None = None
    upload: str | None = None
    offset: int = 0
    nonce: bytes | None = None
    reason: str | None = None


# Makes the statement that takes this number after this digest: called inside the transaction that gives the number.
Maker = Callable[[int, bytes], NewStatement]


def head(db: apsw.Connection) -> Head:
    found = db.execute("SELECT sequence, digest FROM statement ORDER BY sequence DESC LIMIT 1").fetchone()
    own = Head(*found) if found else Head(0, NO_DIGEST)
    return max(own, _adopted(db), key=lambda one: one.sequence)


def adopt_head(db: apsw.Connection, sequence: int, digest: bytes) -> None:
    """Go on after a statement that only the box has: this journal is an older copy, and a person said to go on."""
    db.execute("INSERT OR REPLACE INTO fact VALUES ('adopted_head', ?)", (f"{sequence} {digest.hex()}",))
    db.execute("DELETE FROM fact WHERE name = 'may_adopt'")


def append(db: apsw.Connection, makers: Iterable[Maker]) -> list[tuple[int, NewStatement]]:
    """Give each statement the next number and put it, its file's new facts and its identifier's counter into the journal,
    all or none."""
    at = head(db)
    made: list[tuple[int, NewStatement]] = []
    for maker in makers:
        new = maker(at.sequence + 1, at.digest)
        at = Head(at.sequence + 1, new.digest)
        made.append((at.sequence, new))
    db.executemany(_INSERT, [_new_values(sequence, new) for sequence, new in made])
    db.executemany("INSERT INTO envelope VALUES (?, ?)", [(sequence, new.envelope) for sequence, new in made])
    identifiers.promise(db, [sequence for sequence, new in made if new.named])
    db.executemany(_CAPTURED, [_file_values(sequence, new) for sequence, new in made if new.file is not None])
    db.executemany("DELETE FROM upload WHERE file = ?", [(new.file.id,) for _, new in made if new.file])
    return made


def with_state(db: apsw.Connection, state: StatementState, limit: int, after: int = 0) -> list[StatementRow]:
    """Statements in a state, in journal order."""
    rows = db.execute(
        f"{_SELECT} WHERE state = ? AND {_OPEN} AND statement.sequence > ? ORDER BY statement.sequence LIMIT ?",
        (state.value, after, limit),
    )
    return [_row(values) for values in rows]


def one(db: apsw.Connection, sequence: int) -> StatementRow | None:
    found = db.execute(f"{_SELECT} WHERE statement.sequence = ?", (sequence,)).fetchone()
    return None if found is None else _row(found)


def by_numbers(db: apsw.Connection, sequences: Iterable[int]) -> dict[int, StatementRow]:
    found = {}
    for sequence in sequences:
        row = one(db, sequence)
        if row is not None:
            found[sequence] = row
    return found


def change(db: apsw.Connection, changes: Iterable[Change]) -> None:
    """Record what became of statements. One that is receipted stays so, whatever a late answer says."""
    db.executemany(
        "UPDATE statement SET state = ?, lane = COALESCE(?, lane), upload = COALESCE(?, upload), resume_at = ?, nonce = ?,"
        " reason = ? WHERE sequence = ? AND state NOT IN ('receipted', 'void')",
        [
            (c.state.value, c.lane.value if c.lane else None, c.upload, c.offset, c.nonce, c.reason, c.sequence)
            for c in changes
        ],
    )


def put_in_spool(db: apsw.Connection, places: Iterable[tuple[int, SpoolRef]]) -> None:
    db.executemany(
        "UPDATE statement SET spool_file = ?, spool_offset = ?, spool_length = ? WHERE sequence = ?",
        [(ref.file, ref.offset, ref.length, sequence) for sequence, ref in places],
    )


def unaccepted_from(db: apsw.Connection, first: int) -> list[StatementRow]:
    """Statements from number `first` on that the box has not taken, if it expects `first`."""
    rows = db.execute(
        f"{_SELECT} WHERE statement.sequence >= ? AND state IN ('signed', 'accepted', 'committed')"
        " ORDER BY statement.sequence",
        (first,),
    )
    return [_row(values) for values in rows]


def void_from(db: apsw.Connection, first: int) -> None:
    """Those numbers will never be: they stay as a record of what was signed."""
    db.execute(
        "UPDATE statement SET state = 'void' WHERE sequence >= ? AND state IN ('signed', 'accepted', 'committed')",
        (first,),
    )


def hold_lost(db: apsw.Connection, first: int, reason: str) -> None:
    """Statements from `first` on whose bodies are gone cannot be signed anew: a person must see to their files."""
    db.execute(
        "UPDATE statement SET state = 'held', reason = ? WHERE sequence >= ? AND state = 'void'"
        " AND sequence NOT IN (SELECT sequence FROM envelope)",
        (reason, first),
    )


def hold_refused(db: apsw.Connection, sequences: Iterable[int], reason: str) -> None:
    """Keep these for a person to look at, their spooled bytes with them."""
    db.executemany(
        "UPDATE statement SET state = 'refused', reason = ? WHERE sequence = ?",
        [(reason, number) for number in sequences],
    )


def replaced_by_new(db: apsw.Connection, sequences: Iterable[int]) -> None:
    """These were signed anew: the new statements have their bytes now."""
    db.executemany(
        "UPDATE statement SET state = 'void', spool_file = NULL WHERE sequence = ?", [(number,) for number in sequences]
    )


def receipted_from(db: apsw.Connection, first: int) -> bool:
    """Whether a receipt is held for any number from `first` on."""
    found = db.execute("SELECT 1 FROM statement WHERE sequence >= ? AND state = 'receipted' LIMIT 1", (first,))
    return found.fetchone() is not None


def can_send_from(db: apsw.Connection, expected: int) -> bool:
    """Whether what the box expects is here: that statement, or a gap statement over it that comes next."""
    found = db.execute(
        "SELECT sequence, lane FROM statement JOIN envelope USING (sequence)"
        " WHERE statement.sequence >= ? AND state IN ('signed', 'accepted', 'committed') ORDER BY statement.sequence LIMIT 1",
        (expected,),
    ).fetchone()
    return found is not None and (found[0] == expected or found[1] == Lane.NONE.value)


def send_again_from(db: apsw.Connection, first: int) -> None:
    """The box lost what it had not yet put into its log: everything from `first` on goes once more."""
    db.execute(
        "UPDATE statement SET state = 'signed' WHERE sequence >= ? AND state IN ('accepted', 'committed')", (first,)
    )


def offer_held(db: apsw.Connection) -> None:
    """Try again to find the bytes of statements that the box holds without them."""
    db.execute(
        "UPDATE statement SET state = 'signed', lane = 'offer', reason = NULL WHERE state = 'held'"
        " AND sequence IN (SELECT sequence FROM envelope)"
    )


def offer_again(db: apsw.Connection) -> None:
    """After a restart: uploads and nonces in answers of before may be gone, so those statements are offered once more."""
    db.execute("UPDATE statement SET state = 'signed', lane = 'offer', nonce = NULL WHERE state = 'accepted'")


def digest_before(db: apsw.Connection, sequence: int) -> bytes:
    """The digest of the last statement before this number that the box can have taken."""
    found = db.execute(
        "SELECT sequence, digest FROM statement WHERE sequence < ? AND state NOT IN ('void', 'refused')"
        " ORDER BY sequence DESC LIMIT 1",
        (sequence,),
    ).fetchone()
    own, adopted = Head(*found) if found else Head(0, NO_DIGEST), _adopted(db)
    return adopted.digest if own.sequence < adopted.sequence < sequence else own.digest


def open_counts(db: apsw.Connection) -> dict[StatementState, int]:
    """How many statements stand in each state that is not the last; cheap, however many are receipted."""
    rows = db.execute(f"SELECT state, COUNT(*) FROM statement WHERE {_OPEN} GROUP BY state")
    return {StatementState(str(state)): int(count) for state, count in rows}


def _adopted(db: apsw.Connection) -> Head:
    found = db.execute("SELECT value FROM fact WHERE name = 'adopted_head'").fetchone()
    if found is None:
        return Head(0, NO_DIGEST)
    sequence, digest = str(found[0]).split(" ")
    return Head(int(sequence), bytes.fromhex(digest))


def _new_values(sequence: int, new: NewStatement) -> tuple[int | str | bytes | None, ...]:
    spool = new.spool
    return (
        sequence,
        new.digest,
        new.file.id if new.file else None,
        new.content,
        new.size,
        str(new.case) if new.case else None,
        new.lane.value,
        StatementState.SIGNED.value,
        new.upload,
        spool.file if spool else None,
        spool.offset if spool else None,
        spool.length if spool else None,
        timestamp.encode(new.captured),
    )


def _file_values(sequence: int, new: NewStatement) -> tuple[int | str | bytes | None, ...]:
    file = new.file
    assert file is not None
    state = FileState.CAPTURED.value
    return (state, sequence, file.size, file.modified_ns, file.inode, file.supersedes, file.id)


_LANES = {lane.value: lane for lane in Lane}
_STATES = {state.value: state for state in StatementState}


def _row(values: tuple[Any, ...]) -> StatementRow:
    sequence, digest, file, content, size, case, lane, state, upload, spool, offset, length, resume, nonce, envelope = (
        values
    )
    return StatementRow(
        sequence=sequence,
        digest=digest,
        envelope=envelope,
        file=file,
        content=content,
        size=size,
        case=UUID(case) if case else None,
        lane=_LANES[lane],
        state=_STATES[state],
        upload=upload,
        spool=SpoolRef(spool, offset, length) if spool else None,
        offset=resume,
        nonce=nonce,
    )
