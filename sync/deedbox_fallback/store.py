"""All that the service must not forget, in one encrypted SQLite file: its key, its callers, its counter, what waits for the box.

A commit that returned survives a power cut. One thread at a time; callers hand over to `Worker`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import apsw

from deedbox_disk import sealed_sqlite
from deedbox_fallback.errors import SetupError
from deedbox_sync import identifier
from deedbox_sync.beacon import Beacon
from deedbox_sync.identifier import Minter, MintRecord

_SEED: Final = "seed"
_NAMESPACE: Final = "namespace"
_COUNTER: Final = "counter"

# The counter is a row of its own: it outlives the records, which go once the box has them.
_SCHEMA: Final = """
    CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE caller (id TEXT PRIMARY KEY, name TEXT NOT NULL, message_key BLOB NOT NULL, created INTEGER NOT NULL);
    CREATE TABLE nonce (caller TEXT, nonce TEXT, until INTEGER NOT NULL, PRIMARY KEY (caller, nonce)) WITHOUT ROWID;
    CREATE INDEX nonce_until ON nonce (until);
    CREATE TABLE record (
        counter INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, retry INTEGER NOT NULL DEFAULT 0, problem TEXT);
    CREATE INDEX record_retry ON record (retry);
    CREATE INDEX record_refused ON record (counter) WHERE problem IS NOT NULL;
"""
_VERSION: Final = 1


@dataclass(frozen=True)
class Caller:
    """Who may ask: an API key of this service. Of its text only the key derived from it is kept."""

    id: UUID
    name: str
    created: int
    message_key: bytes = field(repr=False)


@dataclass(frozen=True)
class Counts:
    """Identifiers ever made; those that the box has not reconciled yet; and of these the ones it has refused."""

    minted: int
    waiting: int
    refused: int


class Store:
    """Made by `create`, opened by `open`. Times are POSIX seconds and come from the caller."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._waiting: int | None = None  # known once counted; only the process that serves makes and settles records
        seed, namespace = self.setting(_SEED), self.setting(_NAMESPACE)
        if seed is None or namespace is None:
            raise SetupError(
                "This data folder was not made completely: remove it and run `deedbox-fallback init` again."
            )
        self._minter = Minter(seed, namespace.decode("ascii"))

    @classmethod
    def create(cls, path: Path, key: bytes, service: UUID) -> Store:
        """A new service with a key that nobody else has. Whole or not at all."""
        db = sealed_sqlite.connect(path, key)
        with sealed_sqlite.sealed_errors(), _transaction(db):
            db.execute(_SCHEMA)
            rows = [(_SEED, os.urandom(32)), (_NAMESPACE, f"fallback/{service}".encode()), (_COUNTER, b"0")]
            db.executemany("INSERT INTO setting VALUES (?, ?)", rows)
            db.pragma("user_version", _VERSION)
        return cls(db)

    @classmethod
    def is_made(cls, path: Path, key: bytes) -> bool:
        """Whether `create` got to its end."""
        db = sealed_sqlite.connect(path, key)
        try:
            return bool(db.pragma("user_version"))
        finally:
            db.close()

    @classmethod
    def open(cls, path: Path, key: bytes) -> Store:
        db = sealed_sqlite.connect(path, key)
        if db.pragma("user_version") != _VERSION:
            db.close()
            raise SetupError("This data folder is of another version of the service, or was not made completely.")
        return cls(db)

    def close(self) -> None:
        self._db.close()

    @property
    def key(self) -> bytes:
        """The public key that an administrator registers at the box."""
        return self._minter.key

    @property
    def namespace(self) -> str:
        return self._minter.namespace

    # --- settings

    def setting(self, name: str) -> bytes | None:
        with sealed_sqlite.sealed_errors():
            value: bytes | None = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).get
        return value

    def set(self, values: dict[str, bytes]) -> None:
        """All of them or none."""
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO setting VALUES (?, ?)", values.items())

    # --- callers

    def add_caller(self, caller: Caller) -> None:
        row = (str(caller.id), caller.name, caller.message_key, caller.created)
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            self._db.execute("INSERT INTO caller (id, name, message_key, created) VALUES (?, ?, ?, ?)", row)

    def remove_caller(self, caller: UUID) -> bool:
        """Whether there was one."""
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            self._db.execute("DELETE FROM caller WHERE id = ?", (str(caller),))
            return self._db.changes() > 0

    def callers(self) -> list[Caller]:
        with sealed_sqlite.sealed_errors():
            rows: list[Any] = self._db.execute(
                "SELECT id, name, created, message_key FROM caller ORDER BY created, id"
            ).fetchall()
        return [Caller(UUID(id_), name, created, key) for id_, name, created, key in rows]

    def caller(self, id_: UUID) -> Caller | None:
        with sealed_sqlite.sealed_errors():
            row: Any = self._db.execute(
                "SELECT name, created, message_key FROM caller WHERE id = ?", (str(id_),)
            ).fetchone()
        return None if row is None else Caller(id_, *row)

    def use_nonce(self, caller: UUID, nonce: str, *, now: int, until: int) -> bool:
        """Remember it, durably, until `until`; False where it was used already."""
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            self._db.execute("DELETE FROM nonce WHERE until < ?", (now,))
            self._db.execute("INSERT OR IGNORE INTO nonce VALUES (?, ?, ?)", (str(caller), nonce, until))
            return self._db.changes() > 0

    # --- identifiers

    def mint(self, contents: Sequence[bytes], beacon: Beacon | None) -> list[MintRecord]:
        """A record for each, durable when this returns. What a crash interrupts never left the process: its counters may come
        again, for other records that nobody has seen."""
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            counter = int(self.setting(_COUNTER) or b"0")
            records = [
                self._minter.mint(content, beacon, number) for number, content in enumerate(contents, start=counter)
            ]
            self._db.execute(
                "UPDATE setting SET value = ? WHERE name = ?", (b"%d" % (counter + len(records)), _COUNTER)
            )
            rows = [(record.counter, record.id, identifier.encode(record)) for record in records]
            self._db.executemany("INSERT INTO record (counter, id, body) VALUES (?, ?, ?)", rows)
        self._waiting = None if self._waiting is None else self._waiting + len(records)
        return records

    def waiting(self, now: int, limit: int) -> list[MintRecord]:
        """What is to be sent to the box now, the oldest first."""
        with sealed_sqlite.sealed_errors():
            rows: list[Any] = self._db.execute(
                "SELECT body FROM record WHERE retry <= ? ORDER BY retry, counter LIMIT ?", (now, limit)
            ).fetchall()
        return [identifier.parse(body) for (body,) in rows]

    def settle(self, done: Sequence[str], refused: Sequence[tuple[str, str]], retry: int) -> None:
        """The box has those `done`: they go. Those it refused, each with its reason, are sent again from `retry` on."""
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            before = self._db.total_changes()
            self._db.executemany("DELETE FROM record WHERE id = ?", [(id_,) for id_ in done])
            gone = self._db.total_changes() - before
            rows = [(retry, problem, id_) for id_, problem in refused]
            self._db.executemany("UPDATE record SET retry = ?, problem = ? WHERE id = ?", rows)
        self._waiting = None if self._waiting is None else self._waiting - gone

    def try_all_again(self) -> None:
        """What the box refused is due at once."""
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            self._db.execute("UPDATE record SET retry = 0 WHERE retry > 0")

    def counts(self) -> Counts:
        with sealed_sqlite.sealed_errors():
            if self._waiting is None:  # counting half a million rows takes a while; after that, sums are kept
                self._waiting = self._db.execute("SELECT count(*) FROM record").get
            refused = self._db.execute("SELECT count(*) FROM record WHERE problem IS NOT NULL").get
        return Counts(int(self.setting(_COUNTER) or b"0"), self._waiting, refused)


@contextmanager
def _transaction(db: apsw.Connection) -> Iterator[None]:
    """Takes the write lock at once, so that a read in it is still true when it writes."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk ends it by itself
            db.execute("ROLLBACK")
        raise
