"""From settings to an open database."""

from pathlib import Path

from deedbox_disk import durable
from deedbox_server.database.interface import Database
from deedbox_server.database.sqlite import SqliteDatabase
from deedbox_server.settings import Settings, SettingsError


async def open_database(settings: Settings, key: bytes | None) -> Database:
    """The box's database, not yet migrated. SQLite needs its 32-byte key; Postgres is refused unless its volume is
    declared encrypted, since what it stores is plaintext to whoever has its disk.
    """
    if settings.database_url is None:
        if key is None:
            raise ValueError("encrypted SQLite needs its key")
        return await open_sqlite(settings.database_file, key)
    if not settings.postgres_volume_encrypted:
        raise SettingsError(
            "Postgres stores plaintext: declare that its volume is encrypted with postgres_volume_encrypted = true,"
            " or leave database_url out and the box uses encrypted SQLite."
        )
    from deedbox_server.database.postgres import PostgresDatabase  # noqa: PLC0415 - most boxes never need asyncpg

    return await PostgresDatabase.open(settings.database_url, settings.database_connections)


async def open_sqlite(path: Path, key: bytes) -> SqliteDatabase:
    """An encrypted SQLite database of its own at `path`, its folder made if missing."""
    durable.make_folder(path.parent)
    return SqliteDatabase(path, key)
