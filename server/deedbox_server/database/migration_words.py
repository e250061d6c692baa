"""Tables in few words, for migrations: `add_tables(manager, {"ApiKey api_key": "id uuid key, name text, expires time
null"})`.

Piccolo's generated migrations take twenty lines a column; these are read. A migration is frozen, so words only ever
get added here.
"""

from collections.abc import Mapping
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import Column

from deedbox_server.database import columns, piccolo_conf

_TYPES: Mapping[str, type[Column]] = {
    "text": columns.Text,
    "uuid": columns.UUID,
    "bytes": columns.Bytea,
    "int": columns.Integer,
    "bigint": columns.BigInt,
    "bool": columns.Boolean,
    "float": columns.DoublePrecision,
    "time": columns.Timestamptz,
    "bigserial": columns.BigSerial,
}
_FLAGS: Mapping[str, str] = {"key": "primary_key", "null": "null", "unique": "unique", "index": "index"}


def add_tables(manager: MigrationManager, tables: Mapping[str, str]) -> None:
    """Have the migration make these tables: class and table name to columns, each a name, a type and flags."""
    for names, listed in tables.items():
        class_name, table = names.split()
        manager.add_table(class_name=class_name, tablename=table)
        for words in listed.split(","):
            add_column(manager, class_name, table, words)


def add_column(manager: MigrationManager, class_name: str, table: str, words: str) -> None:
    """Have the migration make one column."""
    name, kind, *flags = words.split()
    params: dict[str, Any] = {_FLAGS[flag]: True for flag in flags}
    manager.add_column(
        table_class_name=class_name, tablename=table, column_name=name, column_class=_TYPES[kind], params=params
    )


def add_indexes(manager: MigrationManager, paths: Mapping[str, str], unique: Mapping[str, str] | None = None) -> None:
    """Have the migration make these indexes, each a name and `table (columns)`, those in `unique` as constraints; and drop them
    on the way back. Their tables must be there: they are of an earlier migration."""
    kinds = [("UNIQUE INDEX", unique or {}), ("INDEX", paths)]

    async def make() -> None:
        for kind, indexes in kinds:
            for name, path in indexes.items():
                await run_sql(f'CREATE {kind} "{name}" ON {path}')

    async def unmake() -> None:
        for _, indexes in kinds:
            for name in indexes:
                await run_sql(f'DROP INDEX "{name}"')

    manager.add_raw(make)
    manager.add_raw_backwards(unmake)


async def run_sql(sql: str) -> None:
    """One statement within the migration's transaction, for what Piccolo has no words for."""
    engine = piccolo_conf.engine.get()
    assert engine is not None, "only inside a migration"
    await engine.run_ddl(sql)
