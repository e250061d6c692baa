"""The database on Postgres, for firms that have outgrown one box."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from asyncpg.transaction import Transaction

from deedbox_server.database import placeholders
from deedbox_server.database.errors import DatabaseBusy, DatabaseError, UniqueViolation
from deedbox_server.database.interface import Database, Dialect, Row, Session
from deedbox_server.database.sqlite_values import split_name
from deedbox_server.errors import DiskFull

CONNECTION_SECONDS = 30.0  # in the queue for a connection; longer means that those who have one wait for each other
STATEMENT_SECONDS = 60.0  # a statement that takes longer is stuck: ours are short
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class PostgresDatabase(Database):
    """READ COMMITTED: a transaction that reads, decides and writes locks what it read (FOR UPDATE) or writes with
    a condition.
    """

    dialect: Dialect = "postgres"

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        super().__init__()
        self._pool = pool

    @classmethod
    async def open(cls, url: str, connections: int) -> "PostgresDatabase":
        """Connect; DatabaseBusy when the server does not answer."""
        with _errors():
            pool = await asyncpg.create_pool(
                url, min_size=1, max_size=connections, command_timeout=STATEMENT_SECONDS, init=_prepare_connection
            )
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    async def purge(self, tables: Sequence[str]) -> bool:
        """Plain VACUUM leaves the bytes of deleted rows in their pages. The server's write-ahead log keeps them until it is
        recycled: that, like its volume's encryption, is the administrator's.
        """
        for table in tables:
            await self._alone(f'VACUUM (FULL) "{table}"', ())
        return True

    def _prepared(self, sql: str, values: int) -> str:
        return placeholders.for_postgres(sql, values)

    async def _begin(self) -> Session:
        with _errors():
            connection = await self._pool.acquire(timeout=CONNECTION_SECONDS)
            try:
                transaction = connection.transaction()
                await transaction.start()
            except BaseException:
                await self._pool.release(connection)
                raise
        return _PostgresSession(self._pool, connection, transaction)

    async def _alone(self, sql: str, args: Sequence[Any]) -> list[Row]:
        with _errors():
            async with self._pool.acquire(timeout=CONNECTION_SECONDS) as connection:
                return _rows(await connection.fetch(sql, *args))


class _PostgresSession(Session):
    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        connection: "PoolConnectionProxy[asyncpg.Record]",
        transaction: Transaction,
    ) -> None:
        self._pool = pool
        self._connection = connection
        self._transaction = transaction

    async def run(self, sql: str, args: Sequence[Any]) -> list[Row]:
        with _errors():
            return _rows(await self._connection.fetch(sql, *args))

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        with _errors():
            await self._connection.executemany(sql, rows)

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        with _errors():
            await self._connection.copy_records_to_table(table, records=rows, columns=columns)

    async def end(self, *, commit: bool) -> None:
        try:
            with _errors():
                await (self._transaction.commit() if commit else self._transaction.rollback())
        finally:
            await self._pool.release(self._connection)


async def _prepare_connection(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Plain UUIDs instead of the driver's own subclass, int or float for what sums and averages give, and no time
    without a zone: the driver would take it for local time.
    """
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=_uuid_bytes, decoder=_uuid_from, format="binary"
    )
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=_time_tuple, decoder=_time_from, format="tuple"
    )
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text")


def _uuid_bytes(value: uuid.UUID) -> bytes:
    return value.bytes


def _uuid_from(value: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=value)


def _time_tuple(value: datetime) -> tuple[int]:
    if value.tzinfo is None:
        raise TypeError("a time without a zone")
    return ((value - _POSTGRES_EPOCH) // _MICROSECOND,)


def _time_from(value: tuple[int]) -> datetime:
    return _POSTGRES_EPOCH + timedelta(microseconds=value[0])


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _rows(records: Sequence[asyncpg.Record]) -> list[Row]:
    if not records:
        return []
    names = list(records[0].keys())
    if any(name.endswith("]") for name in names):
        names = [split_name(name)[0] for name in names]
        return [dict(zip(names, record.values(), strict=True)) for record in records]
    return [dict(record) for record in records]


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise UniqueViolation from error
    except asyncpg.DiskFullError as error:
        raise DiskFull from error
    except (
        asyncpg.DeadlockDetectedError,
        asyncpg.LockNotAvailableError,
        asyncpg.PostgresConnectionError,
        asyncpg.TooManyConnectionsError,
        asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError,
        OSError,
        TimeoutError,
    ) as error:
        raise DatabaseBusy from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseError from error
