"""All that a witness must not forget, in one encrypted SQLite file: its key, the logs it watches, what speaks against them.

A commit that returned survives a power cut. One thread at a time; other processes may change the list of logs meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_disk import sealed_sqlite
from deedbox_relay.errors import SetupError
from deedbox_sync import merkle, note, witness
from deedbox_sync.errors import FormatError
from deedbox_sync.witness import Answer, Request, WatchedLog, Witness

MAX_LOGS: Final = 4_096  # that one relay watches: at a question a minute each some seventy a second
_MAX_SHOWN: Final = 100

_SCHEMA: Final = """
    CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, seed BLOB NOT NULL);
    CREATE TABLE log (
        origin TEXT PRIMARY KEY, vkey TEXT NOT NULL, watching INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
        note TEXT NOT NULL, cosigned INTEGER) WITHOUT ROWID;
    CREATE TABLE misbehaviour (
        digest BLOB PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL,
        held_size INTEGER NOT NULL, held TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX misbehaviour_of ON misbehaviour (origin, kind);
"""


@dataclass(frozen=True)
class LogUnderWatch:
    """A log and the newest of its checkpoints that was cosigned; `note` is empty, and `cosigned` None, before the first."""

    origin: str
    vkey: str
    size: int
    root: bytes
    note: str
    cosigned: int | None


@dataclass(frozen=True)
class Misbehaviour:
    """A note that the log's key signed and that did not continue `held`; `kind` as in `deedbox_sync.witness`."""

    origin: str
    kind: str
    size: int
    note: str
    held_size: int
    held: str
    seen: int


class RelayStore:
    """Made by `create`, opened by `open`. Times are POSIX seconds and come from the caller."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        with sealed_sqlite.sealed_errors():
            there = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'identity'").fetchone()
            row = connection.execute("SELECT name, seed FROM identity").fetchone() if there == (1,) else None
        if row is None:
            raise SetupError("This relay was not made completely: run `deedbox-relay init` again.")
        self.identity = Witness(str(row[0]), Ed25519PrivateKey.from_private_bytes(_bytes(row[1])))

    @classmethod
    def create(cls, path: Path, key: bytes, name: str) -> RelayStore:
        """A new witness with a key that nobody else has; whole or not at all. FormatError for a name that a vkey cannot carry."""
        seed = os.urandom(32)
        note.encode_vkey(
            name, note.COSIGNATURE_V1, Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        )
        db = sealed_sqlite.connect(path, key)
        with sealed_sqlite.sealed_errors(), _transaction(db):
            db.execute(_SCHEMA)
            db.execute("INSERT INTO identity VALUES (1, ?, ?)", (name, seed))
        return cls(db)

    @classmethod
    def open(cls, path: Path, key: bytes) -> RelayStore:
        return cls(sealed_sqlite.connect(path, key))

    def close(self) -> None:
        self._db.close()

    def add_checkpoint(self, data: bytes, now: int) -> Answer:
        """The answer to a question that anybody may ask. What it says is durable when this returns."""
        try:
            request = witness.parse_request(data)
        except FormatError as error:
            return Answer(witness.MALFORMED, f"{error}\n")
        # Whoever is not the log cannot make the relay lock or write anything: looked at first, and again when it counts.
        glance = self._consider(self._watched(request.checkpoint.origin), request, now)
        if glance.state is None and glance.against is None:
            return glance
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            log = self._watched(request.checkpoint.origin)
            answer = self._consider(log, request, now)
            if log is not None and answer.state is not None:
                self._remember(log, answer.state, request, now)
            elif log is not None and answer.against is not None:
                self._record(log, answer.against, request, now)
        return answer

    # --- which logs

    def watch(self, vkey: str) -> LogUnderWatch:
        """Watch the log of this key from now on; one that was watched before goes on where it was."""
        log = note.parse_vkey(vkey)
        if not log.is_log:
            raise SetupError("This is the key of a witness. A log's key is what its `/log/key` gives.")
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            held = self._db.execute("SELECT vkey, watching FROM log WHERE origin = ?", (log.name,)).fetchone()
            if held is not None and held[0] != vkey:
                raise SetupError(
                    "This log is known under another key: a log keeps its key for as long as it has its name."
                )
            if held is None or not held[1]:
                count = self._db.execute("SELECT count(*) FROM log WHERE watching").fetchone()
                if count is not None and _int(count[0]) >= MAX_LOGS:
                    raise SetupError(f"This relay watches {MAX_LOGS} logs already.")
            self._db.execute(
                "INSERT INTO log VALUES (?, ?, 1, 0, ?, '', NULL) ON CONFLICT (origin) DO UPDATE SET watching = 1",
                (log.name, vkey, merkle.EMPTY_ROOT),
            )
            watched = self._watched(log.name)
        assert watched is not None
        return watched

    def unwatch(self, origin: str) -> bool:
        """Sign it no more; what was cosigned of it stays known. Whether it was watched."""
        with sealed_sqlite.sealed_errors(), _transaction(self._db):
            was = self._watched(origin) is not None
            self._db.execute("UPDATE log SET watching = 0 WHERE origin = ?", (origin,))
        return was

    def logs(self) -> list[LogUnderWatch]:
        with sealed_sqlite.sealed_errors():
            rows = self._db.execute(
                "SELECT origin, vkey, size, root, note, cosigned FROM log WHERE watching ORDER BY origin"
            ).fetchall()
        return [_log(row) for row in rows]

    def misbehaviour(self) -> list[Misbehaviour]:
        """What was found, newest first."""
        with sealed_sqlite.sealed_errors():
            rows: list[Any] = self._db.execute(
                "SELECT origin, kind, size, note, held_size, held, seen FROM misbehaviour ORDER BY seen DESC LIMIT ?",
                (_MAX_SHOWN,),
            ).fetchall()
        return [Misbehaviour(*row) for row in rows]

    # --- inside

    def _consider(self, log: LogUnderWatch | None, request: Request, now: int) -> Answer:
        held = None if log is None else WatchedLog(log.vkey, log.size, log.root)
        return witness.consider(held, request, self.identity, now)

    def _watched(self, origin: str) -> LogUnderWatch | None:
        row = self._db.execute(
            "SELECT origin, vkey, size, root, note, cosigned FROM log WHERE origin = ? AND watching", (origin,)
        ).fetchone()
        return None if row is None else _log(row)

    def _remember(self, log: LogUnderWatch, state: WatchedLog, request: Request, now: int) -> None:
        same = (state.size, state.root) == (log.size, log.root) and log.note
        if same and log.cosigned is not None and 0 <= now - log.cosigned < witness.REFRESH:
            return
        self._db.execute(
            "UPDATE log SET size = ?, root = ?, note = ?, cosigned = ? WHERE origin = ?",
            (state.size, state.root, witness.own_note(request, log.vkey), now, log.origin),
        )

    def _record(self, log: LogUnderWatch, kind: str, request: Request, now: int) -> None:
        kept = self._db.execute(
            "SELECT count(*) FROM misbehaviour WHERE origin = ? AND kind = ?", (log.origin, kind)
        ).fetchone()
        if kept is not None and _int(kept[0]) >= witness.MAX_KEPT:
            return
        signed = witness.own_note(request, log.vkey)
        digest = sha256(f"{kind}\n{signed}\n{log.note}".encode()).digest()
        self._db.execute(
            "INSERT INTO misbehaviour VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET seen = excluded.seen",
            (digest, log.origin, kind, request.checkpoint.size, signed, log.size, log.note, now),
        )


@contextmanager
def _transaction(db: apsw.Connection) -> Iterator[None]:
    """Alone from the first look on, so that nothing comes between what is checked and what is written."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _log(row: tuple[Any, ...]) -> LogUnderWatch:
    return LogUnderWatch(*row)


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
