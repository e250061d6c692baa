"""The index's file: sealed, and made anew where it is damaged."""

import uuid
from pathlib import Path

import pytest

from deedbox_server.database import Database
from deedbox_server.documents.indexing import IndexedExhibit, IndexedPage
from deedbox_server.search.fts5 import Fts5Index
from deedbox_server.search.opening import open_index
from deedbox_server.search.postgres import PostgresIndex
from deedbox_server.search.query import parse_query

KEY = bytes(range(32))
CASE = uuid.UUID(int=1)
EXHIBIT = IndexedExhibit(uuid.UUID(int=9), CASE, (IndexedPage(1, "MARKEDWORD marked-text"),))


async def test_nothing_of_it_can_be_read_on_disk(tmp_path: Path, sqlite_database: Database) -> None:
    index = await open_index(sqlite_database, tmp_path / "index.db", KEY)
    await index.put(EXHIBIT)
    for path in tmp_path.glob("index.db*"):
        assert b"markedword" not in path.read_bytes().lower()
    await index.close()
    assert b"markedword" not in (tmp_path / "index.db").read_bytes().lower()


async def test_a_damaged_file_is_made_anew_and_says_so(
    tmp_path: Path, sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "index.db"
    index = await open_index(sqlite_database, path, KEY)
    await index.put(EXHIBIT)
    await index.close()
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    index = await open_index(sqlite_database, path, KEY)
    assert index.is_new
    assert "damaged" in caplog.text
    assert (await index.find(parse_query("markedword"), (CASE,))).hits == ()
    await index.close()


async def test_an_index_of_another_version_is_made_anew(
    tmp_path: Path, postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await Fts5Index.open(tmp_path / "index.db", KEY)).close()
    monkeypatch.setattr("deedbox_server.search.fts5.VERSION", 999)
    index = await Fts5Index.open(tmp_path / "index.db", KEY)
    assert index.is_new
    await index.close()
    await PostgresIndex.open(postgres_database)
    await postgres_database.execute("ALTER TABLE search_version_1 RENAME TO search_version_0")
    assert (await PostgresIndex.open(postgres_database)).is_new


async def test_the_box_with_postgres_keeps_its_index_there(tmp_path: Path, postgres_database: Database) -> None:
    index = await open_index(postgres_database, tmp_path / "index.db", KEY)
    assert isinstance(index, PostgresIndex)
    assert not list(tmp_path.iterdir())
