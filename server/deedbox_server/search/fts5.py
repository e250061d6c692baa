"""The index in a file of its own: SQLite FTS5 inside the encrypted database, for a box that has no Postgres.

FTS5 holds only our folded words (`tokenize='ascii'` takes them as they are) and no text; the text to show lies beside it. One
thread writes and one reads, so that a long search does not hold up what was just read.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import apsw

from deedbox_disk import sealed_sqlite
from deedbox_disk.errors import DiskError, OutOfSpace
from deedbox_server.database.sqlite_thread import ConnectionThread, TaskQueue
from deedbox_server.documents.indexing import IndexedExhibit
from deedbox_server.errors import DiskFull, Unavailable
from deedbox_server.search.index import MAX_COUNT, MAX_FOUND, ROW_BITS, Count, Found, Row, hit, rows_of
from deedbox_server.search.query import Group, Phrase, Query

# Raise it whenever rows or words change their form: an index of another version is made anew.
VERSION = 1

_T = TypeVar("_T")

_SCHEMA = f"""
    CREATE TABLE exhibit (number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, case_id BLOB NOT NULL);
    CREATE INDEX exhibit_case ON exhibit (case_id, number);
    CREATE TABLE page (id INTEGER PRIMARY KEY, page INTEGER NOT NULL, text TEXT NOT NULL, words BLOB NOT NULL);
    CREATE VIRTUAL TABLE page_words USING fts5 (
        words, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3');
    PRAGMA user_version = {VERSION};
"""
_TABLES = ("page_words", "page", "exhibit")

# The wall: numbers of the exhibits that may be seen. A row's number holds its exhibit's.
_WALLED = f"""
    page_words MATCH :match AND (page_words.rowid >> {ROW_BITS}) IN (
        SELECT number FROM exhibit WHERE case_id IN (SELECT unhex(value) FROM json_each(:cases)))
"""
_FIND = f"""
    SELECT page.id, exhibit.id, exhibit.case_id, page.page, page.text, page.words FROM (
        SELECT rowid AS id FROM page_words WHERE {_WALLED} AND rowid < :after ORDER BY rowid DESC LIMIT :limit) AS hit
    JOIN page ON page.id = hit.id JOIN exhibit ON exhibit.number = (hit.id >> {ROW_BITS}) ORDER BY page.id DESC
"""
_COUNT = f"""
    SELECT count(DISTINCT hit.id >> {ROW_BITS}), min(count(*), {MAX_COUNT}), count(*) > {MAX_COUNT} FROM (
        SELECT rowid AS id FROM page_words WHERE {_WALLED} LIMIT {MAX_COUNT + 1}) AS hit
"""
_BEYOND = 1 << 62


class Fts5Index:
    """A `SearchIndex`. Made by `open`; belongs to one event loop."""

    def __init__(self, writing: apsw.Connection, reading: apsw.Connection, *, is_new: bool) -> None:
        self.is_new = is_new
        self._writes, self._reads = TaskQueue(), TaskQueue()
        self._threads = (
            ConnectionThread("search-writer", self._writes, writing),
            ConnectionThread("search-reader", self._reads, reading),
        )

    @classmethod
    async def open(cls, path: Path, key: bytes) -> "Fts5Index":
        """Open or make the index under this raw key.

        SealBroken where the file is damaged or another key's: delete it, and it is made anew.
        """
        return await asyncio.to_thread(cls._open, path, key)

    @classmethod
    def _open(cls, path: Path, key: bytes) -> "Fts5Index":
        writing = sealed_sqlite.connect(path, key)
        try:
            with sealed_sqlite.sealed_errors():
                is_new = _prepare(writing)
            return cls(writing, sealed_sqlite.connect(path, key), is_new=is_new)
        except BaseException:
            writing.close()
            raise

    async def put(self, exhibit: IndexedExhibit) -> None:
        rows = await asyncio.to_thread(lambda: list(rows_of(exhibit)))  # a book takes a second to cut into words
        await self._write(lambda connection: _put(connection, exhibit.exhibit, exhibit.case, rows))

    async def forget(self, exhibits: Sequence[UUID]) -> None:
        await self._write(lambda connection: _forget(connection, exhibits))

    async def purge(self) -> None:
        def work(connection: apsw.Connection) -> None:
            connection.execute("INSERT INTO page_words (page_words) VALUES ('optimize')")
            # As the name of a pragma it would be quoted, and do nothing.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

        await self._run(self._writes, work)

    async def exhibits(self) -> frozenset[UUID]:
        return await self._read(
            lambda connection: frozenset(UUID(bytes=row[0]) for row in _rows(connection, "SELECT id FROM exhibit"))
        )

    async def find(self, query: Query, cases: Sequence[UUID], *, after: int | None = None, limit: int = 25) -> Found:
        if not query.groups or not cases:
            return Found((), None)
        limit = min(max(limit, 1), MAX_FOUND)
        values = {**_walled(query, cases), "after": _BEYOND if after is None else after, "limit": limit}

        def work(connection: apsw.Connection) -> Found:
            rows = _rows(connection, _FIND, values)
            hits = tuple(
                hit(query, UUID(bytes=exhibit), UUID(bytes=case), page, text, words)
                for _, exhibit, case, page, text, words in rows
            )
            return Found(hits, rows[-1][0] if len(rows) == limit else None)

        return await self._read(work)

    async def count(self, query: Query, cases: Sequence[UUID]) -> Count:
        if not query.groups or not cases:
            return Count(0, 0)
        values = _walled(query, cases)

        def work(connection: apsw.Connection) -> Count:
            [[exhibits, pages, more]] = _rows(connection, _COUNT, values)
            return Count(exhibits, pages, bool(more))

        return await self._read(work)

    async def close(self) -> None:
        for tasks in (self._writes, self._reads):
            tasks.stop_one()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    async def _write(self, work: Callable[[apsw.Connection], None]) -> None:
        def transaction(connection: apsw.Connection) -> None:
            with connection:  # a savepoint: all of it or nothing, durable at its end
                work(connection)

        await self._run(self._writes, transaction)

    async def _read(self, work: Callable[[apsw.Connection], _T]) -> _T:
        return await self._run(self._reads, work)

    @staticmethod
    async def _run(tasks: TaskQueue, work: Callable[[apsw.Connection], _T]) -> _T:
        def guarded(connection: apsw.Connection) -> _T:
            with sealed_sqlite.sealed_errors():
                return work(connection)

        try:
            return await tasks.run(guarded)
        except OutOfSpace as error:
            raise DiskFull from error
        except (DiskError, apsw.BusyError) as error:
            raise Unavailable("The search index cannot be read or written.") from error


def _prepare(connection: apsw.Connection) -> bool:
    """Make the tables unless they are there in this version; whether it made them."""
    if connection.pragma("user_version") == VERSION:
        return False
    with connection:
        for table in _TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(_SCHEMA)
    return True


def _put(connection: apsw.Connection, exhibit: UUID, case: UUID, rows: Sequence[Row]) -> None:
    [[number]] = _rows(
        connection,
        "INSERT INTO exhibit (id, case_id) VALUES (?, ?) "
        "ON CONFLICT (id) DO UPDATE SET case_id = excluded.case_id RETURNING number",
        (exhibit.bytes, case.bytes),
    )
    _empty(connection, number)
    first = number << ROW_BITS
    connection.executemany(
        "INSERT INTO page (id, page, text, words) VALUES (?, ?, ?, ?)",
        [(first + row.below, row.page, row.text, row.words) for row in rows],
    )
    connection.executemany(
        "INSERT INTO page_words (rowid, words) VALUES (?, ?)",
        [(first + row.below, " ".join(row.tokens)) for row in rows],
    )


def _forget(connection: apsw.Connection, exhibits: Sequence[UUID]) -> None:
    for exhibit in exhibits:
        for [number] in _rows(connection, "DELETE FROM exhibit WHERE id = ? RETURNING number", (exhibit.bytes,)):
            _empty(connection, number)


def _empty(connection: apsw.Connection, number: int) -> None:
    """Remove an exhibit's rows: all whose number begins with its own."""
    span = (number << ROW_BITS, (number + 1) << ROW_BITS)
    connection.execute("DELETE FROM page_words WHERE rowid IN (SELECT id FROM page WHERE id >= ? AND id < ?)", span)
    connection.execute("DELETE FROM page WHERE id >= ? AND id < ?", span)


def _rows(connection: apsw.Connection, sql: str, values: "apsw.Bindings | None" = None) -> list[tuple[Any, ...]]:
    return connection.execute(sql, values).fetchall()


def _walled(query: Query, cases: Sequence[UUID]) -> "dict[str, apsw.SQLiteValue]":
    return {"match": match_expression(query), "cases": json.dumps([case.hex for case in cases])}


def match_expression(query: Query) -> str:
    """The query in FTS5's language. Words are letters, digits and marks, so that nothing in them can be misread."""
    return " OR ".join(f"({_group(group)})" for group in query.groups)


def _group(group: Group) -> str:
    wanted = " AND ".join(map(_phrase, group.wanted))
    return f"({wanted}) NOT ({' OR '.join(map(_phrase, group.barred))})" if group.barred else wanted


def _phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{" *" if phrase.prefix else ""}'
