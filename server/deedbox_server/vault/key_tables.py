"""The tables of keys.db and the statements over them. Synchronous: `KeyStore` runs this in its one thread."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw

from deedbox_disk import sealed_sqlite
from deedbox_server.errors import Conflict, DeedboxError
from deedbox_server.vault.errors import DamagedKeys, key_store_errors
from deedbox_server.vault.key_rows import CaseKey, KeyBatch, PartKey, Salts
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.salts import pack_salts, parse_salts
from deedbox_server.vault.wrapping import KEY_BYTES, unwrap, wrap
from deedbox_sync import uuid7

FILE_NAME = "keys.db"
_VERSION = 2
_SCHEMA = """
CREATE TABLE key_root (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    root BLOB NOT NULL
) STRICT;
CREATE TABLE case_key (
    id BLOB PRIMARY KEY,
    case_id BLOB NOT NULL UNIQUE,
    root BLOB NOT NULL,
    wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE part_key (
    blob BLOB NOT NULL,
    part INTEGER NOT NULL,
    case_key BLOB NOT NULL REFERENCES case_key (id),
    wrapped BLOB NOT NULL,
    bound BLOB,
    PRIMARY KEY (blob, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE salt (
    record BLOB PRIMARY KEY,
    salts BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""
_MOVING = """
CREATE TABLE part_key_moving (
    blob BLOB NOT NULL,
    part INTEGER NOT NULL,
    case_key BLOB NOT NULL REFERENCES case_key (id),
    wrapped BLOB NOT NULL,
    PRIMARY KEY (blob, part)
) STRICT, WITHOUT ROWID;
"""
_BOUND = "ALTER TABLE part_key ADD COLUMN bound BLOB;"


class KeyTables:
    """An open keys.db. Each method is one durable transaction (synchronous=FULL) or a read; one thread at a time."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._keyring = keyring
        self._case_keys: dict[UUID, bytes] = {}  # unwrapped, by id; a firm has thousands of cases, not millions
        self._by_case: dict[UUID, CaseKey] = {}
        path = folder / FILE_NAME
        with key_store_errors():
            self._db = sealed_sqlite.connect(path, keyring.named("key-store"))
            try:
                self._migrate()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        self._db.close()

    def case_key(self, case_id: UUID) -> CaseKey:
        """The key of a case, made and durable where there was none."""
        if (known := self._by_case.get(case_id)) is not None:
            return known
        with key_store_errors(), _transaction(self._db):
            rows = self._rows("SELECT id FROM case_key WHERE case_id = ?", case_id.bytes)
            case_key = CaseKey(UUID(bytes=rows[0][0]) if rows else uuid7.new(), case_id)
            if not rows:
                self._insert_case_key(case_key)
        self._by_case[case_id] = case_key
        return case_key

    def find_case_key(self, case_key: UUID) -> CaseKey:
        """The case that a key is of."""
        with key_store_errors():
            rows = self._rows("SELECT case_id FROM case_key WHERE id = ?", case_key.bytes)
        if not rows:
            raise DamagedKeys(f"there is no case key {case_key}")
        return CaseKey(case_key, UUID(bytes=rows[0][0]))

    def commit(self, batches: Sequence[KeyBatch]) -> list[DeedboxError | None]:
        """Make many batches durable in one commit. Tells for each whether it is in, or what keeps it out."""
        outcomes: list[DeedboxError | None] = []
        with key_store_errors(), _transaction(self._db):
            for batch in batches:
                try:
                    with _savepoint(self._db):  # a batch that conflicts takes nobody with it
                        self._insert(batch)
                    outcomes.append(None)
                except apsw.ConstraintError:
                    outcomes.append(Conflict("a part has its key already, or a record its salts"))
                except DamagedKeys as error:
                    outcomes.append(error)
        return outcomes

    def part_keys(self, blobs: Iterable[UUID]) -> dict[UUID, dict[int, PartKey]]:
        """Keys by part number, of those blobs that have any."""
        found: dict[UUID, dict[int, PartKey]] = {}
        with key_store_errors():
            for blob in blobs:
                rows = self._rows("SELECT part, case_key, wrapped, bound FROM part_key WHERE blob = ?", blob.bytes)
                for part, case_key_bytes, wrapped, bound in rows:
                    case_key = UUID(bytes=case_key_bytes)
                    key = unwrap(self._unwrapped(case_key), _part_name(blob, part), wrapped)
                    made_under = None if bound is None else UUID(bytes=bound)
                    found.setdefault(blob, {})[part] = PartKey(blob, part, case_key, key, made_under)
        return found

    def salts(self, records: Iterable[UUID]) -> dict[UUID, dict[str, bytes]]:
        """Salts by field, of those records that have any."""
        found: dict[UUID, dict[str, bytes]] = {}
        with key_store_errors():
            for record in records:
                rows = self._rows("SELECT salts FROM salt WHERE record = ?", record.bytes)
                if rows:
                    found[record] = parse_salts(record, rows[0][0])
        return found

    def forget_parts(self, blobs: Iterable[UUID], *, first: int = 0) -> None:
        """Delete the keys of these blobs' parts from number `first` on, durably; secure_delete overwrites them."""
        with key_store_errors(), _transaction(self._db):
            rows = [(blob.bytes, first) for blob in blobs]
            self._db.executemany("DELETE FROM part_key WHERE blob = ? AND part >= ?", rows)
            self._db.executemany("DELETE FROM part_key_moving WHERE blob = ? AND part >= ?", rows)

    def prepare_move(self, blobs: Iterable[UUID], case_key: CaseKey) -> None:
        """Wrap the keys of these blobs by another case's key too, durably; until `settle_move` the old wrapping counts."""
        blobs = list(blobs)
        keys = [key for parts in self.part_keys(blobs).values() for key in parts.values()]
        with key_store_errors(), _transaction(self._db):
            outer = self._unwrapped(case_key.id)
            self._db.executemany("DELETE FROM part_key_moving WHERE blob = ?", [(blob.bytes,) for blob in blobs])
            self._db.executemany(
                "INSERT INTO part_key_moving VALUES (?, ?, ?, ?)",
                [
                    (key.blob.bytes, key.part, case_key.id.bytes, wrap(outer, _part_name(key.blob, key.part), key.key))
                    for key in keys
                    if key.case_key != case_key.id
                ],
            )

    def moving(self) -> dict[UUID, UUID]:
        """The blobs that are on their way, and the case that each goes to."""
        with key_store_errors():
            rows = self._rows(
                "SELECT DISTINCT m.blob, k.case_id FROM part_key_moving m JOIN case_key k ON k.id = m.case_key"
            )
        return {UUID(bytes=blob): UUID(bytes=case) for blob, case in rows}

    def settle_move(self, arrived: Collection[UUID], stayed: Collection[UUID]) -> None:
        """The new wrapping takes the place of the old one where the blob arrived; it goes where the blob stayed. Durable."""
        with key_store_errors(), _transaction(self._db):
            self._db.executemany(
                "UPDATE part_key SET bound = nullif(coalesce(part_key.bound, part_key.case_key), m.case_key),"
                " case_key = m.case_key, wrapped = m.wrapped FROM part_key_moving m"
                " WHERE m.blob = part_key.blob AND m.part = part_key.part AND part_key.blob = ?",
                [(blob.bytes,) for blob in arrived],
            )
            rows = [(blob.bytes,) for blob in (*arrived, *stayed)]
            self._db.executemany("DELETE FROM part_key_moving WHERE blob = ?", rows)

    def forget_salts(self, records: Iterable[UUID], fields: Collection[str] | None = None) -> None:
        """Delete these records' salts, durably: all of them, or those of some fields. What is not there is no error."""
        with key_store_errors(), _transaction(self._db):
            for record in records:
                rows = self._rows("SELECT salts FROM salt WHERE record = ?", record.bytes)
                left = parse_salts(record, rows[0][0]) if rows and fields is not None else {}
                left = {field: salt for field, salt in left.items() if field not in (fields or ())}
                if left:
                    packed = pack_salts(Salts(record, left))
                    self._db.execute("UPDATE salt SET salts = ? WHERE record = ?", (packed, record.bytes))
                elif rows:
                    self._db.execute("DELETE FROM salt WHERE record = ?", (record.bytes,))

    def forget_case_key(self, case_id: UUID) -> None:
        """Delete a case's key, durably. Conflict while a part has its key under it: those go first."""
        try:
            with key_store_errors(), _transaction(self._db):
                self._db.execute("DELETE FROM case_key WHERE case_id = ?", (case_id.bytes,))
        except apsw.ConstraintError:
            raise Conflict("bytes of this case still have keys") from None
        known = self._by_case.pop(case_id, None)
        if known is not None:
            self._case_keys.pop(known.id, None)

    def purge(self) -> bool:
        """Cut the write-ahead log, where what was deleted still stands; whether nobody kept it from being cut."""
        with key_store_errors():
            rows = self._rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return bool(rows) and rows[0][0] == 0

    def blobs_after(self, blob: UUID, limit: int) -> list[UUID]:
        """Up to `limit` blobs that have keys, in the order of their ids, after `blob`."""
        with key_store_errors():
            rows = self._rows(
                "SELECT DISTINCT blob FROM part_key WHERE blob > ? ORDER BY blob LIMIT ?", blob.bytes, limit
            )
        return [UUID(bytes=blob_bytes) for (blob_bytes,) in rows]

    def rewrap(self) -> None:
        """Wrap every case key by the keyring's root key; one transaction, nothing to do where that is so."""
        with key_store_errors(), _transaction(self._db):
            for id_bytes, case_bytes, root, wrapped in self._rows("SELECT id, case_id, root, wrapped FROM case_key"):
                name = _case_name(CaseKey(UUID(bytes=id_bytes), UUID(bytes=case_bytes)))
                key = self._keyring.unwrap(name, wrapped, root=UUID(bytes=root))
                self._db.execute(
                    "UPDATE case_key SET root = ?, wrapped = ? WHERE id = ?",
                    (self._keyring.root_id.bytes, self._keyring.wrap(name, key), id_bytes),
                )
            self._db.execute("UPDATE key_root SET root = ?", (self._keyring.root_id.bytes,))

    def check_root(self) -> None:
        """Conflict unless these tables are under the keyring's root key: another process may have rotated meanwhile."""
        with key_store_errors():
            rows = self._rows("SELECT root FROM key_root")
        if rows != [(self._keyring.root_id.bytes,)]:
            raise Conflict("the key store is under another root key: open it again")

    def _migrate(self) -> None:
        with _transaction(self._db):
            ((version,),) = self._rows("PRAGMA user_version")
            if version > _VERSION:
                raise DamagedKeys("keys.db was made by a newer version of Deedbox")
            if version == 0:
                self._db.execute(_SCHEMA)
                self._db.execute("INSERT INTO key_root VALUES (1, ?)", (self._keyring.root_id.bytes,))
            if version == 1:
                self._db.execute(_BOUND)
            if version < _VERSION:
                self._db.execute(_MOVING)
                self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def _insert_case_key(self, case_key: CaseKey) -> None:
        self.check_root()
        wrapped = self._keyring.wrap(_case_name(case_key), os.urandom(KEY_BYTES))
        self._db.execute(
            "INSERT INTO case_key VALUES (?, ?, ?, ?)",
            (case_key.id.bytes, case_key.case_id.bytes, self._keyring.root_id.bytes, wrapped),
        )

    def _insert(self, batch: KeyBatch) -> None:
        self._db.executemany(
            "INSERT INTO part_key (blob, part, case_key, wrapped) VALUES (?, ?, ?, ?)",
            [
                (
                    key.blob.bytes,
                    key.part,
                    key.case_key.bytes,
                    wrap(self._unwrapped(key.case_key), _part_name(key.blob, key.part), key.key),
                )
                for key in batch.part_keys
            ],
        )
        self._db.executemany(
            "INSERT INTO salt VALUES (?, ?)", [(salts.record.bytes, pack_salts(salts)) for salts in batch.salts]
        )

    def _unwrapped(self, case_key: UUID) -> bytes:
        if (key := self._case_keys.get(case_key)) is not None:
            return key
        rows = self._rows("SELECT case_id, root, wrapped FROM case_key WHERE id = ?", case_key.bytes)
        if not rows:
            raise DamagedKeys(f"there is no case key {case_key}")
        case_bytes, root, wrapped = rows[0]
        name = _case_name(CaseKey(case_key, UUID(bytes=case_bytes)))
        key = self._case_keys[case_key] = self._keyring.unwrap(name, wrapped, root=UUID(bytes=root))
        return key

    def _rows(self, sql: str, *values: bytes | int) -> list[tuple[Any, ...]]:
        return list(self._db.execute(sql, values))


@contextmanager
def _transaction(db: apsw.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # some errors, a full disk among them, roll back by themselves
            db.execute("ROLLBACK")
        raise


@contextmanager
def _savepoint(db: apsw.Connection) -> Iterator[None]:
    """A part of a transaction that is taken back alone; not apsw's own, which hides what took the whole transaction back."""
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise
    db.execute("RELEASE part")


def _case_name(case_key: CaseKey) -> str:
    return f"case-key/{case_key.id}/{case_key.case_id}"


def _part_name(blob: UUID, part: int) -> str:
    return f"part-key/{blob}/{part}"
