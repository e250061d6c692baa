"""Piccolo over our Database, for migrations: its statements run on our connections and join our transactions, in
either dialect.

Piccolo's own engines open a connection for each query, know no encryption, and keep a transaction apart from ours, so
that a migration and the row that records it could not be one commit.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NoReturn

from piccolo.engine.base import Engine
from piccolo.querystring import QueryString

from deedbox_server.database.interface import Database, Row

_VERSION = 99.0  # Piccolo only warns of old servers; ours is bundled, or checked when it is opened


class DatabaseEngine(Engine[Any]):
    """Runs what Piccolo compiles. Object queries, batches and atomic lists are not served: the box's own SQL goes
    through Database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        super().__init__(engine_type=database.dialect, min_version_number=0)

    async def get_version(self) -> float:
        return _VERSION

    def get_version_sync(self) -> float:
        return _VERSION

    async def prep_database(self) -> None:
        """Nothing: extensions are the administrator's."""

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[Row]:
        sql, args = querystring.compile_string(engine_type=self.engine_type)
        return await self._database.run_native(sql, args)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Sequence[Row]:
        return await self._database.run_native(ddl, ())

    def transaction(self, *args: Any, **kwargs: Any) -> AbstractAsyncContextManager[None]:
        return self._database.transaction()

    async def batch(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("migrations read no batches")

    def atomic(self) -> NoReturn:
        raise NotImplementedError("migrations are atomic as they are")
