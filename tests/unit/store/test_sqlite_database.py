"""What is particular to the database on encrypted SQLite."""

import asyncio
import contextlib
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deedbox_disk import sealed_sqlite
from deedbox_disk.errors import SealBroken
from deedbox_server.database import Database, open_sqlite, sqlite
from deedbox_server.database.errors import DatabaseBusy
from deedbox_server.errors import DiskFull

KEY = bytes(range(32))  # of the fixture sqlite_database
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def box(tmp_path: Path) -> Path:
    return tmp_path / "db" / "box.db"


async def names(database: Database) -> list[str]:
    return [row["name"] for row in await database.fetch("SELECT name FROM setting ORDER BY rowid")]


async def write(database: Database, name: str) -> None:
    await database.execute("INSERT INTO setting (name, value) VALUES ({}, '')", name)


async def test_writers_go_in_the_order_they_came(sqlite_database: Database) -> None:
    async def writer(number: int) -> None:
        async with sqlite_database.transaction():
            await sqlite_database.fetch("SELECT * FROM setting")
            await asyncio.sleep(0)
            await write(sqlite_database, str(number))

    await asyncio.gather(*(writer(number) for number in range(30)))
    assert await names(sqlite_database) == [str(number) for number in range(30)]


async def test_a_writer_that_waits_for_itself_is_told_so(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WRITER_WAIT", 0.05)
    with pytest.raises(DatabaseBusy):
        async with sqlite_database.transaction():
            await write(sqlite_database, "mine")
            await asyncio.create_task(write(sqlite_database, "never"))
    await write(sqlite_database, "later")
    assert await names(sqlite_database) == ["later"]


async def test_a_lock_held_by_another_process_ends_in_busy(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_sqlite, "BUSY_MS", 20)
    impatient = await open_sqlite(box(tmp_path), KEY)
    async with sqlite_database.transaction():
        await write(sqlite_database, "held")
        with pytest.raises(DatabaseBusy):
            await write(impatient, "refused")
    await write(impatient, "accepted")
    await impatient.close()
    assert await names(sqlite_database) == ["held", "accepted"]


async def test_readers_cannot_write_even_by_mistake(sqlite_database: Database) -> None:
    with pytest.raises(Exception, match="refused"):
        await sqlite_database.fetch("SELECT 1 AS one; PRAGMA user_version = 7; CREATE TABLE slipped_in (id INTEGER)")
    assert await sqlite_database.fetch("SELECT * FROM sqlite_master WHERE name = 'slipped_in'") == []


async def test_a_full_disk_is_said_and_nothing_is_half_written(sqlite_database: Database) -> None:
    [row] = await sqlite_database.fetch("PRAGMA page_count")
    await sqlite_database.execute(f"PRAGMA max_page_count = {row['page_count'] + 8}")
    rows = [(uuid.uuid4(), uuid.uuid4(), 1, NOW, "x" * 500) for _ in range(1000)]
    with pytest.raises(DiskFull):
        async with sqlite_database.transaction():
            await write(sqlite_database, "with them")
            await sqlite_database.insert_many("blob", ("id", "case_id", "size", "created", "state"), rows)
    assert await sqlite_database.fetch("SELECT count(*) AS n FROM blob") == [{"n": 0}]
    await sqlite_database.execute("PRAGMA max_page_count = 1000000")
    await sqlite_database.insert_many("blob", ("id", "case_id", "size", "created", "state"), rows)
    assert await names(sqlite_database) == []


async def test_another_key_does_not_open_it(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(SealBroken):
        await open_sqlite(box(tmp_path), bytes(32))


async def test_names_and_contents_are_nowhere_on_the_disk(sqlite_database: Database, tmp_path: Path) -> None:
    await write(sqlite_database, "the-privileged-name")
    await sqlite_database.fetch("SELECT name FROM setting ORDER BY value || name")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"privileged" not in file.read_bytes()


async def test_closing_waits_for_what_runs_and_folds_the_wal_into_the_file(tmp_path: Path) -> None:
    database = await open_sqlite(tmp_path / "new" / "folder" / "box.db", KEY)
    await database.execute("CREATE TABLE setting (name TEXT, value TEXT)")
    writing = asyncio.gather(*(write(database, str(number)) for number in range(20)))
    await asyncio.sleep(0)
    await writing
    await database.close()
    await database.close()
    assert [file.name for file in (tmp_path / "new" / "folder").iterdir()] == ["box.db"]


FORGETS_TO_CLOSE = """
import asyncio, sys
from pathlib import Path
from deedbox_server.database import open_sqlite

async def main():
    database = await open_sqlite(Path(sys.argv[1]), bytes(range(32)))
    await database.execute("INSERT INTO setting (name, value) VALUES ('kept', '')")
    print("written", flush=True)

asyncio.run(main())
"""

DIES_INSIDE = """
import asyncio, os, sys
from pathlib import Path
from deedbox_server.database import open_sqlite

async def main():
    database = await open_sqlite(Path(sys.argv[1]), bytes(range(32)))
    for number in range(1000000):
        async with database.transaction():
            for side in ("left", "right"):
                await database.execute("INSERT INTO setting (name, value) VALUES ({}, '')", f"{number} {side}")
        print(number, flush=True)

asyncio.run(main())
"""


async def test_a_forgotten_close_loses_nothing_and_does_not_hang_the_exit(
    sqlite_database: Database, tmp_path: Path
) -> None:
    program = [sys.executable, "-c", FORGETS_TO_CLOSE, str(box(tmp_path))]
    done = await asyncio.to_thread(subprocess.run, program, check=True, timeout=20, capture_output=True)
    assert done.stdout == b"written\n"
    assert await names(sqlite_database) == ["kept"]


async def test_a_killed_writer_leaves_every_commit_it_told_of_and_no_half(
    sqlite_database: Database, tmp_path: Path
) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES_INSIDE, str(box(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    for _ in range(50):
        told = int(await writer.stdout.readline())
    with contextlib.suppress(ProcessLookupError):
        writer.kill()
    rest = (await writer.communicate())[0].split()
    told = int(rest[-1]) if rest else told
    found = await names(sqlite_database)
    assert len(found) >= 2 * (told + 1)
    assert found == [f"{number} {side}" for number in range(len(found) // 2) for side in ("left", "right")]
