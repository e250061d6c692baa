"""The index in the box's Postgres: our folded words as a tsvector that we write ourselves, so that both homes find the same.

Its tables are its own, made here and not by migration: they hold nothing that cannot be rebuilt, and SQLite has none of them.
"""

import asyncio
import json
from collections.abc import Sequence
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.documents.indexing import IndexedExhibit
from deedbox_server.search.index import MAX_COUNT, MAX_FOUND, ROW_BITS, Count, Found, Row, hit, rows_of
from deedbox_server.search.query import Group, Phrase, Query

# Raise it whenever rows or words change their form: an index of another version is made anew.
VERSION = 1

_TABLES = (
    "CREATE TABLE search_exhibit (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL UNIQUE, "
    "case_id uuid NOT NULL)",
    "CREATE INDEX search_exhibit_case ON search_exhibit (case_id, number)",
    "CREATE TABLE search_page (id bigint PRIMARY KEY, page integer NOT NULL, text text NOT NULL, words bytea NOT NULL, "
    "vector tsvector NOT NULL)",
    "CREATE INDEX search_page_vector ON search_page USING gin (vector)",
    f"CREATE TABLE search_version_{VERSION} ()",
)
# Two boxes that start at once make the tables once (a number of our own, "deedbox" in ASCII, cut to 64 bits).
_LOCK = 0x6465_6564_626F_78

_WALLED = f"""
    vector @@ CAST(CAST({{}} AS text) AS tsquery) AND (search_page.id >> {ROW_BITS}) IN (
        SELECT number FROM search_exhibit
        WHERE case_id IN (SELECT CAST(value AS uuid) FROM json_array_elements_text(CAST(CAST({{}} AS text) AS json))))
"""
_FIND = f"""
    SELECT hit.id, search_exhibit.id AS exhibit, search_exhibit.case_id, hit.page, hit.text, hit.words FROM (
        SELECT id, page, text, words FROM search_page WHERE {_WALLED} AND id < {{}} ORDER BY id DESC LIMIT {{}}) AS hit
    JOIN search_exhibit ON search_exhibit.number = (hit.id >> {ROW_BITS}) ORDER BY hit.id DESC
"""
_COUNT = f"""
    SELECT count(DISTINCT hit.id >> {ROW_BITS}) AS exhibits, least(count(*), {MAX_COUNT}) AS pages,
        count(*) > {MAX_COUNT} AS more
    FROM (SELECT id FROM search_page WHERE {_WALLED} LIMIT {MAX_COUNT + 1}) AS hit
"""
_INSERT = (
    "INSERT INTO search_page (id, page, text, words, vector) "
    "VALUES ({}, {}, {}, {}, CAST(CAST({} AS text) AS tsvector))"
)
_BEYOND = 1 << 62


class PostgresIndex:
    """A `SearchIndex`. Made by `open`; closing the database is its owner's."""

    def __init__(self, database: Database, *, is_new: bool) -> None:
        self.is_new = is_new
        self._database = database

    @classmethod
    async def open(cls, database: Database) -> "PostgresIndex":
        async with database.transaction():
            await database.execute("SELECT pg_advisory_xact_lock({})", _LOCK)
            [row] = await database.fetch(f"SELECT to_regclass('search_version_{VERSION}') IS NULL AS missing")
            if row["missing"]:
                stale = await database.fetch(
                    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND starts_with(tablename, 'search_')"
                )
                for table in stale:
                    await database.execute(f"DROP TABLE {table['tablename']}")
                for statement in _TABLES:
                    await database.execute(statement)
        return cls(database, is_new=row["missing"])

    async def put(self, exhibit: IndexedExhibit) -> None:
        rows = await asyncio.to_thread(lambda: [(row, _vector(row)) for row in rows_of(exhibit)])
        async with self._database.transaction():
            [found] = await self._database.fetch(
                "INSERT INTO search_exhibit (id, case_id) VALUES ({}, {}) "
                "ON CONFLICT (id) DO UPDATE SET case_id = excluded.case_id RETURNING number",
                exhibit.exhibit,
                exhibit.case,
            )
            first = found["number"] << ROW_BITS
            await self._empty(found["number"])
            await self._database.execute_many(
                _INSERT, [(first + row.below, row.page, row.text, row.words, vector) for row, vector in rows]
            )

    async def forget(self, exhibits: Sequence[UUID]) -> None:
        async with self._database.transaction():
            for exhibit in exhibits:
                gone = await self._database.fetch("DELETE FROM search_exhibit WHERE id = {} RETURNING number", exhibit)
                for row in gone:
                    await self._empty(row["number"])

    async def purge(self) -> None:
        await self._database.execute("VACUUM FULL search_page")
        await self._database.execute("VACUUM FULL search_exhibit")

    async def exhibits(self) -> frozenset[UUID]:
        return frozenset(row["id"] for row in await self._database.fetch("SELECT id FROM search_exhibit"))

    async def find(self, query: Query, cases: Sequence[UUID], *, after: int | None = None, limit: int = 25) -> Found:
        if not query.groups or not cases:
            return Found((), None)
        limit = min(max(limit, 1), MAX_FOUND)
        rows = await self._database.fetch(
            _FIND, tsquery(query), _list(cases), _BEYOND if after is None else after, limit
        )
        hits = tuple(hit(query, row["exhibit"], row["case_id"], row["page"], row["text"], row["words"]) for row in rows)
        return Found(hits, rows[-1]["id"] if len(rows) == limit else None)

    async def count(self, query: Query, cases: Sequence[UUID]) -> Count:
        if not query.groups or not cases:
            return Count(0, 0)
        [row] = await self._database.fetch(_COUNT, tsquery(query), _list(cases))
        return Count(row["exhibits"], row["pages"], row["more"])

    async def close(self) -> None:
        """Nothing here is its own to close."""

    async def _empty(self, number: int) -> None:
        await self._database.execute(
            "DELETE FROM search_page WHERE id >= {} AND id < {}", number << ROW_BITS, (number + 1) << ROW_BITS
        )


def tsquery(query: Query) -> str:
    """The query in Postgres' own notation, quoted words only. Words are letters, digits and marks: nothing needs escaping."""
    return " | ".join(f"({_group(group)})" for group in query.groups)


def _group(group: Group) -> str:
    return " & ".join((*map(_phrase, group.wanted), *(f"!{_phrase(phrase)}" for phrase in group.barred)))


def _phrase(phrase: Phrase) -> str:
    quoted = [f"'{word}'" for word in phrase.words]
    if phrase.prefix:
        quoted[-1] += ":*"
    return f"({' <-> '.join(quoted)})"


def _vector(row: Row) -> str:
    """The tsvector of a row in Postgres' notation: each word with its places, counted from 1."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(row.tokens, start=1):
        places.setdefault(word, []).append(place)
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items())


def _list(cases: Sequence[UUID]) -> str:
    return json.dumps([str(case) for case in cases])
