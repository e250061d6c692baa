"""Migrations: forward at start, back by command, whole steps whatever happens; and they lead to the tables of the program."""

import asyncio
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from piccolo.apps.migrations.auto.diffable_table import DiffableTable
from piccolo.apps.migrations.auto.schema_differ import SchemaDiffer
from piccolo.apps.migrations.auto.schema_snapshot import SchemaSnapshot

from deedbox_server.database import (
    NOTHING,
    Database,
    DatabaseError,
    NewerDatabase,
    Row,
    applied_migrations,
    known_migrations,
    migrate,
    migrate_back,
    migrations,
    open_database,
    open_sqlite,
)
from deedbox_server.database.migrations import m0001_tables, m0002_indexes
from deedbox_server.database.piccolo_app import APP_CONFIG
from deedbox_server.settings import Settings

KEY = bytes(range(32))

SCHEMA = {
    "sqlite": "SELECT name, sql AS form FROM sqlite_master WHERE tbl_name <> 'migration' ORDER BY 1, 2",
    "postgres": """
        SELECT table_name || '.' || column_name AS name, data_type || is_nullable AS form FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'migration' UNION ALL
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migration' ORDER BY 1, 2
    """,
}


async def schema(database: Database) -> list[Row]:
    return await database.fetch(SCHEMA[database.dialect])


async def test_a_migrated_database_has_had_them_all_and_needs_no_more(database: Database) -> None:
    assert await applied_migrations(database) == known_migrations()
    assert await migrate(database) == []


async def test_every_table_of_the_program_is_there_with_its_columns(database: Database) -> None:
    for table in APP_CONFIG.table_classes:
        columns = ", ".join(f'"{column._meta.db_column_name}"' for column in table._meta.columns)
        assert await database.fetch(f'SELECT {columns} FROM "{table._meta.tablename}"') == []


async def test_back_to_nothing_and_forward_again_is_the_same_schema(database: Database) -> None:
    before = await schema(database)
    assert await migrate_back(database, NOTHING) == known_migrations()[::-1]
    assert await schema(database) == []
    assert await migrate(database) == known_migrations()
    assert await schema(database) == before


async def test_back_by_one_step_and_forward_again(database: Database) -> None:
    first, *later = known_migrations()
    assert await migrate_back(database, first) == later[::-1]
    assert await applied_migrations(database) == [first]
    assert await migrate(database) == later


async def test_back_to_an_unknown_step_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseError, match="no migration"):
        await migrate_back(database, "m9999_future")


async def test_a_step_that_fails_in_its_middle_leaves_nothing_and_can_be_run_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await schema(database)
    await migrate_back(database, m0001_tables.ID)
    before = await schema(database)
    monkeypatch.setitem(m0002_indexes._PATHS, "nowhere", "nothing")
    with pytest.raises(DatabaseError):
        await migrate(database)
    assert await schema(database) == before != whole
    assert await applied_migrations(database) == [m0001_tables.ID]
    monkeypatch.delitem(m0002_indexes._PATHS, "nowhere")
    assert await migrate(database) == known_migrations()[1:]
    assert await schema(database) == whole


DIES_IN_THE_MIDDLE = """
import asyncio, os, sys
from pathlib import Path
from deedbox_server.database import migrate, migration_words, open_database
from deedbox_server.database.migrations import m0002_indexes
from deedbox_server.settings import Settings

calls = []
run = migration_words.run_sql

async def run_and_die(sql):
    await run(sql)
    calls.append(sql)
    if len(calls) == 4:
        os.kill(os.getpid(), 9)

async def main(data, url):
    settings = Settings(data=Path(data), database_url=url or None, postgres_volume_encrypted=True)
    m0002_indexes.run_sql = run_and_die
    await migrate(await open_database(settings, bytes(range(32))))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_process_that_is_killed_in_the_middle_of_a_step_leaves_whole_steps(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, database_url=database_url or None, postgres_volume_encrypted=True)
    database = await open_database(settings, KEY)
    whole = await schema(database)
    await migrate_back(database, NOTHING)
    program = [sys.executable, "-c", DIES_IN_THE_MIDDLE, str(tmp_path), database_url]
    died = await asyncio.to_thread(subprocess.run, program, check=False)
    assert died.returncode == -signal.SIGKILL
    assert await applied_migrations(database) == [m0001_tables.ID]
    assert await migrate(database) == known_migrations()[1:]
    assert await schema(database) == whole
    await database.close()


async def test_several_that_start_at_once_take_turns(database: Database) -> None:
    await migrate_back(database, NOTHING)
    done = await asyncio.gather(*(migrate(database) for _ in range(4)))
    assert sorted(name for names in done for name in names) == known_migrations()


async def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    name = "m9999_future"
    await database.execute(
        'INSERT INTO "migration" (name, app_name, ran_on) VALUES ({}, {}, CURRENT_TIMESTAMP)', name, "deedbox"
    )
    with pytest.raises(NewerDatabase, match=name):
        await migrate(database)


async def test_the_migrations_lead_to_the_tables_of_the_program() -> None:
    """Piccolo's own comparison finds nothing to alter, so that `piccolo migrations new --auto` starts from the truth."""
    modules = [import_module(f"{migrations.__name__}.{name}") for name in known_migrations()]
    snapshot = SchemaSnapshot([await module.forwards() for module in modules])
    present = [
        DiffableTable(table.__name__, table._meta.tablename, columns=table._meta.non_default_columns)
        for table in APP_CONFIG.table_classes
    ]
    differ = SchemaDiffer(schema=present, schema_snapshot=snapshot.get_snapshot(), auto_input="y")
    assert [line for alter in differ.get_alter_statements() for line in alter.statements] == []


async def test_two_databases_in_one_process_are_migrated_each_for_itself(tmp_path: Path) -> None:
    databases = [await open_sqlite(tmp_path / name, bytes(32)) for name in ("one", "two")]
    assert await asyncio.gather(*map(migrate, databases)) == [known_migrations()] * 2
    for database in databases:
        assert await applied_migrations(database) == known_migrations()
        await database.close()
