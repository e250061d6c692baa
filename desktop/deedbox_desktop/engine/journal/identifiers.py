"""Identifiers that this desk minted, and what the box made of them. Run inside the journal's thread."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import apsw

from deedbox_desktop.engine.model import Reconciled
from deedbox_sync import dsse, identifier, statement
from deedbox_sync.beacon import Beacon
from deedbox_sync.identifier import MintRecord


@dataclass(frozen=True)
class Due:
    """What an identifier is to be made of: all of it is in the statement, so that it comes out the same whenever it is made."""

    counter: int
    content: bytes
    beacon: Beacon | None


@dataclass(frozen=True)
class Standing:
    """How many identifiers are still to be made, how many were, how many of those the box does not know yet or has refused,
    and why it refused the first."""

    due: int
    minted: int
    waiting: int
    refused: int
    problem: str | None


def reserve(db: apsw.Connection, count: int) -> int:
    """The first of so many counters that nobody was given before, nor ever will be, whatever becomes of these."""
    found = db.execute("SELECT value FROM fact WHERE name = 'identifier_counter'").fetchone()
    first = int(found[0]) if found is not None else 1
    db.execute("INSERT OR REPLACE INTO fact VALUES ('identifier_counter', ?)", (str(first + count),))
    return first


def promise(db: apsw.Connection, sequences: Sequence[int]) -> None:
    """Give each of these statements, in the transaction that they come in, the counter of its identifier; the identifier
    itself is made when there is time. Where captures are to have none, nothing is done."""
    if sequences and is_on(db):
        first = reserve(db, len(sequences))
        db.executemany(
            "INSERT INTO identifier (counter, sequence, state) VALUES (?, ?, 'due')", enumerate(sequences, first)
        )


def due(db: apsw.Connection, limit: int) -> list[Due]:
    """Identifiers that were promised and are still to be made, the oldest first."""
    rows = db.execute(
        "SELECT counter, content, envelope FROM identifier JOIN statement USING (sequence) LEFT JOIN envelope USING (sequence)"
        " WHERE identifier.state = 'due' ORDER BY counter LIMIT ?",
        (limit,),
    )
    return [Due(counter, content, _beacon(envelope)) for counter, content, envelope in rows]


def add(db: apsw.Connection, made: Iterable[MintRecord]) -> None:
    """Keep records: of what was promised, or of what was named without being captured."""
    db.executemany(
        "INSERT INTO identifier (counter, state, id, record) VALUES (?, 'waiting', ?, ?)"
        " ON CONFLICT (counter) DO UPDATE SET state = excluded.state, id = excluded.id, record = excluded.record",
        [(record.counter, record.id, identifier.encode(record)) for record in made],
    )


def moved(db: apsw.Connection, numbers: Mapping[int, int]) -> None:
    """Statements were signed anew: their identifiers, which name the bytes, go with them."""
    db.executemany(
        "UPDATE identifier SET sequence = ? WHERE sequence = ?", [(new, old) for old, new in numbers.items()]
    )


def waiting(db: apsw.Connection, limit: int) -> list[MintRecord]:
    """Records that the box has not judged yet, the oldest first."""
    rows = db.execute("SELECT record FROM identifier WHERE state = 'waiting' ORDER BY counter LIMIT ?", (limit,))
    return [identifier.parse(record) for (record,) in rows]


def settle(db: apsw.Connection, judged: Sequence[tuple[MintRecord, Reconciled]]) -> None:
    db.executemany(
        "UPDATE identifier SET state = ?, canonical = ?, problem = ? WHERE counter = ?",
        [
            ("refused" if said.problem is not None else "known", said.canonical, said.problem, record.counter)
            for record, said in judged
        ],
    )


def ask_again(db: apsw.Connection) -> None:
    """What the box refused may please it now."""
    db.execute("UPDATE identifier SET state = 'waiting', problem = NULL WHERE state = 'refused'")


def standing(db: apsw.Connection) -> Standing:
    counts = {
        str(state): int(count) for state, count in db.execute("SELECT state, COUNT(*) FROM identifier GROUP BY state")
    }
    first = db.execute("SELECT problem FROM identifier WHERE state = 'refused' ORDER BY counter LIMIT 1").fetchone()
    problem = None if first is None else str(first[0])
    due = counts.pop("due", 0)
    return Standing(due, sum(counts.values()), counts.get("waiting", 0), counts.get("refused", 0), problem)


def open_counts(db: apsw.Connection) -> tuple[int, int]:
    """How many are to be made, and how many the box has not judged; cheap, however many there are."""
    rows = db.execute(
        "SELECT state, COUNT(*) FROM identifier WHERE state IN ('due', 'waiting', 'refused') GROUP BY state"
    )
    counts = {str(state): int(count) for state, count in rows}
    return counts.get("due", 0), counts.get("waiting", 0)


def switch(db: apsw.Connection, *, on: bool) -> None:
    """Whether each capture gets an identifier."""
    if on:
        db.execute("DELETE FROM fact WHERE name = 'identifiers_off'")
    else:
        db.execute("INSERT OR REPLACE INTO fact VALUES ('identifiers_off', '')")


def is_on(db: apsw.Connection) -> bool:
    return db.execute("SELECT 1 FROM fact WHERE name = 'identifiers_off'").fetchone() is None


def _beacon(envelope: bytes | None) -> Beacon | None:
    """The beacon in a statement; none where only its row is left."""
    return None if envelope is None else statement.parse_payload(dsse.parse(envelope).payload).captured.beacon
