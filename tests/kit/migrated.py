"""A database that has had every migration, under any key: made once in a process and copied, for a thousand tests open a box."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from deedbox_disk import sealed_sqlite
from deedbox_server.database import migrate, open_sqlite

_KEY = bytes(range(32))
_made: list[Path] = []


async def put_migrated(path: Path, key: bytes) -> None:
    """Make the SQLite database of a box that has nothing in it yet."""
    template = sealed_sqlite.connect(await _template(), _KEY)
    copy = sealed_sqlite.connect(path, key)
    try:
        with copy.backup("main", template, "main") as backup:
            backup.step()
    finally:
        copy.close()
        template.close()


async def _template() -> Path:
    if not _made:
        folder = Path(tempfile.mkdtemp(prefix="deedbox-migrated-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        database = await open_sqlite(folder / "box.db", _KEY)
        await migrate(database)
        await database.close()
        _made.append(folder / "box.db")
    return _made[0]
