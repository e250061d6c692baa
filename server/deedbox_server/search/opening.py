"""Which index a box has: its Postgres' where it has one, else the encrypted file beside its database."""

import logging
from pathlib import Path

from deedbox_disk.errors import SealBroken
from deedbox_server.database import Database
from deedbox_server.search.fts5 import Fts5Index
from deedbox_server.search.index import SearchIndex
from deedbox_server.search.postgres import PostgresIndex

_log = logging.getLogger(__name__)
_SIDE_FILES = ("", "-wal", "-shm")


async def open_index(database: Database, path: Path, key: bytes) -> SearchIndex:
    """The index of this database; `path` and `key` are for the file. Fill it with `rebuild` where it `is_new`.

    A file that is damaged is thrown away: the index holds nothing that the derived documents do not.
    """
    if database.dialect == "postgres":
        return await PostgresIndex.open(database)
    try:
        return await Fts5Index.open(path, key)
    except SealBroken:
        _log.warning("the search index was damaged and is made anew")
        for side in _SIDE_FILES:
            path.with_name(path.name + side).unlink(missing_ok=True)
        return await Fts5Index.open(path, key)
