"""Identifiers that this desk minted, and what the box made of them. Run inside the journal's thread."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import apsw

from deedbox_desktop.engine.model import Reconciled
from deedbox_sync import identifier
from deedbox_sync.identifier import MintRecord


@dataclass(frozen=True)
class Standing:
    """How many were minted, how many of them the box does not know yet or has refused, and why it refused the first."""

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


def add(db: apsw.Connection, made: Iterable[tuple[int | None, MintRecord]]) -> None:
    """Keep records, each with the number of the statement it is about, if it is about one."""
    db.executemany(
        "INSERT INTO identifier VALUES (?, ?, ?, ?, 'waiting', NULL, NULL)",
        [(record.counter, sequence, record.id, identifier.encode(record)) for sequence, record in made],
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
    return Standing(sum(counts.values()), counts.get("waiting", 0), counts.get("refused", 0), problem)


def switch(db: apsw.Connection, *, on: bool) -> None:
    """Whether each capture gets an identifier."""
    if on:
        db.execute("DELETE FROM fact WHERE name = 'identifiers_off'")
    else:
        db.execute("INSERT OR REPLACE INTO fact VALUES ('identifiers_off', '')")


def is_on(db: apsw.Connection) -> bool:
    return db.execute("SELECT 1 FROM fact WHERE name = 'identifiers_off'").fetchone() is None
