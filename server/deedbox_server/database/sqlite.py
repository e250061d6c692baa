"""The database on encrypted SQLite: one writer, four readers, each with a thread."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import apsw

from deedbox_disk import sealed_sqlite
from deedbox_disk.errors import DiskError, OutOfSpace
from deedbox_server.database import placeholders, sqlite_values
from deedbox_server.database.errors import DatabaseBusy, DatabaseError, UniqueViolation
from deedbox_server.database.interface import Database, Dialect, Row, Session
from deedbox_server.database.sqlite_thread import ConnectionThread, TaskQueue
from deedbox_server.errors import DiskFull

T = TypeVar("T")

READERS = 4  # more than the usual cores; a reader that waits for the disk leaves its core to another
WRITER_WAIT = 120.0  # seconds in the queue of writers; longer means that one of them waits for itself
_WRITER_CACHE_KIB = 16384
_READER_CACHE_KIB = 4096

_TAKEN = (apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID)

_READING = re.compile(r"\s*(SELECT|VALUES|EXPLAIN|WITH)\b", re.IGNORECASE)
_WRITING = re.compile(r"\b(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)


class SqliteDatabase(Database):
    """Writers queue in order of arrival in this process (SQLite's own busy wait is a lottery) and begin IMMEDIATE, so
    that a transaction that read first never fails for having read; readers see what was committed before they
    began.
    """

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path, key: bytes) -> None:
        super().__init__()
        self._writing = TaskQueue()
        self._reading = TaskQueue()
        self._lock = asyncio.Lock()
        writer = _open(path, key, _WRITER_CACHE_KIB)
        readers = [_open(path, key, _READER_CACHE_KIB) for _ in range(READERS)]
        self._threads = [ConnectionThread("database-writer", self._writing, writer)]
        for reader in readers:
            reader.pragma("query_only", "on")
            self._threads.append(ConnectionThread("database-reader", self._reading, reader))

    async def close(self) -> None:
        """Each thread finishes what it was given, then closes its connection; the last one folds the WAL into the
        file.
        """
        threads, self._threads = self._threads, []
        if not threads:
            return
        for _ in range(READERS):
            self._reading.stop_one()
        self._writing.stop_one()
        for thread in reversed(threads):
            await asyncio.to_thread(thread.join)

    async def purge(self, tables: Sequence[str]) -> bool:
        """`secure_delete` has overwritten it in the file's own pages; older copies of these stand in the write-ahead log."""
        [result] = await self._alone("PRAGMA wal_checkpoint(TRUNCATE)", ())
        return bool(result["busy"] == 0)

    def _prepared(self, sql: str, values: int) -> str:
        return placeholders.for_sqlite(sql, values)

    async def _begin(self) -> Session:
        await self._queue_for_writing()
        return _SqliteSession(self._writing, self._lock)

    async def _alone(self, sql: str, args: Sequence[Any]) -> list[Row]:
        if _only_reads(sql):
            with _errors():
                return await self._reading.run(lambda connection: _rows(connection, sql, args))
        await self._queue_for_writing()
        try:
            with _errors():
                return await self._writing.run(lambda connection: _rows(connection, sql, args))
        finally:
            self._lock.release()

    async def _queue_for_writing(self) -> None:
        try:
            async with asyncio.timeout(WRITER_WAIT):
                await self._lock.acquire()
        except TimeoutError as error:
            raise DatabaseBusy("no turn to write") from error


class _SqliteSession(Session):
    def __init__(self, writing: TaskQueue, lock: asyncio.Lock) -> None:
        self._writing = writing
        self._lock = lock
        self._begun = False

    async def run(self, sql: str, args: Sequence[Any]) -> list[Row]:
        return await self._do(lambda connection: _rows(connection, sql, args))

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._do(lambda connection: _many(connection, sql, rows))

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        await self.run_many(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})', rows)

    async def end(self, *, commit: bool) -> None:
        """COMMIT or ROLLBACK in the writer's thread, after whatever it is still doing for a cancelled caller."""
        try:
            if self._begun:
                with _errors():
                    await self._writing.run(_commit if commit else _roll_back)
        finally:
            self._lock.release()

    async def _do(self, work: Callable[[apsw.Connection], T]) -> T:
        """BEGIN travels with the first statement: a hop between threads saved."""
        begun, self._begun = self._begun, True

        def begin_and_work(connection: apsw.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            return work(connection)

        with _errors():
            return await self._writing.run(work if begun else begin_and_work)


def _open(path: Path, key: bytes, cache_kib: int) -> apsw.Connection:
    connection = sealed_sqlite.connect(path, key, cache_kib=cache_kib)
    connection.convert_binding = sqlite_values.bind
    return connection


def _commit(connection: apsw.Connection) -> None:
    try:
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)  # a commit that found the disk full leaves the transaction open
        raise


def _roll_back(connection: apsw.Connection) -> None:
    if connection.in_transaction:  # some errors (disk full, I/O) have rolled back by themselves
        connection.execute("ROLLBACK")


def _rows(connection: apsw.Connection, sql: str, args: Sequence[Any]) -> list[Row]:
    cursor = connection.cursor()
    try:
        cursor.execute(sql, tuple(args))
        try:
            description = cursor.get_description()
        except apsw.ExecutionCompleteError:
            return []
        names, converted = sqlite_values.columns([(column[0], column[1]) for column in description])
        if not converted:
            return [dict(zip(names, values, strict=True)) for values in cursor]
        rows: list[Row] = []
        for values in cursor:
            changed = list(values)
            for index, converter in converted:
                if changed[index] is not None:
                    changed[index] = converter(changed[index])
            rows.append(dict(zip(names, changed, strict=True)))
        return rows
    finally:
        cursor.close(True)  # unfinished work is dropped silently: an exception is already on its way


def _many(connection: apsw.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    cursor = connection.cursor()
    try:
        cursor.executemany(sql, rows)
    finally:
        cursor.close(True)


@lru_cache(1024)
def _only_reads(sql: str) -> bool:
    return _READING.match(sql) is not None and _WRITING.search(sql) is None


@contextmanager
def _errors() -> Iterator[None]:
    try:
        with sealed_sqlite.sealed_errors():
            yield
    except OutOfSpace as error:
        raise DiskFull from error
    except DiskError as error:
        raise DatabaseError("the database's disk failed") from error
    except apsw.ConstraintError as error:
        if getattr(error, "extendedresult", 0) in _TAKEN:  # every apsw error has it; its type stubs do not say so
            raise UniqueViolation from error
        raise DatabaseError("a constraint does not hold") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise DatabaseBusy from error
    except (apsw.Error, TypeError, OverflowError) as error:
        raise DatabaseError from error
