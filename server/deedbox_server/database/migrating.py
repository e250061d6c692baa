"""Brings a database to the schema of this program, or back.

Each step and the row that records it are one transaction, in both dialects: a crash leaves whole steps, and running
again does the rest. Several processes that start at once take turns.
"""

import contextlib
import io
import os
import pkgutil
from datetime import UTC, datetime
from importlib import import_module

from deedbox_server.database import migrations
from deedbox_server.database.errors import DatabaseError, NewerDatabase
from deedbox_server.database.interface import Database

NOTHING = "nothing"  # the name of the state before the first migration

_APP = "deedbox"
_TURN = 0x6465656462  # advisory lock of Postgres: "deedb"

# Piccolo's own table of migrations, so that its commands understand the database
_HISTORY = """CREATE TABLE IF NOT EXISTS "migration" ("id" %s PRIMARY KEY NOT NULL,
    "name" VARCHAR(200) NOT NULL, "app_name" VARCHAR(200) NOT NULL, "ran_on" TIMESTAMP NOT NULL)"""
_HISTORY_ID = {"sqlite": "INTEGER", "postgres": "SERIAL"}


def known_migrations() -> list[str]:
    """The names of the migrations that this program has, in order."""
    return sorted(module.name for module in pkgutil.iter_modules(migrations.__path__))


async def applied_migrations(db: Database) -> list[str]:
    """The names of the migrations that this database has had, in order."""
    async with db.transaction():
        await _take_turn(db)
        await db.execute(_HISTORY % _HISTORY_ID[db.dialect])
        rows = await db.fetch('SELECT name FROM "migration" WHERE app_name = {} ORDER BY name', _APP)
    return [row["name"] for row in rows]


async def migrate(db: Database) -> list[str]:
    """Apply what is missing and return its names. NewerDatabase when the database knows more than this program."""
    known = known_migrations()
    applied = await applied_migrations(db)
    if unknown := sorted(set(applied) - set(known)):
        raise NewerDatabase(f"unknown to this version: {', '.join(unknown)}")
    done = []
    for name in known:
        if name not in applied and await _step(db, name, backwards=False):
            done.append(name)
    return done


async def migrate_back(db: Database, to: str) -> list[str]:
    """Undo every migration after `to` (or all: NOTHING) and return their names, last first. What their tables held is
    gone.
    """
    if to != NOTHING and to not in known_migrations():
        raise DatabaseError(f"no migration is called {to}")
    undone = []
    for name in reversed(await applied_migrations(db)):
        if (to == NOTHING or name > to) and await _step(db, name, backwards=True):
            undone.append(name)
    return undone


async def _step(db: Database, name: str, *, backwards: bool) -> bool:
    from deedbox_server.database import piccolo_conf, piccolo_engine  # noqa: PLC0415 - half a second, needed once a release

    os.environ["PICCOLO_CONF"] = piccolo_conf.__name__  # the only way to tell Piccolo
    token = piccolo_conf.engine.set(piccolo_engine.DatabaseEngine(db))
    try:
        async with db.transaction():
            await _take_turn(db)
            applied = await db.fetch_one('SELECT name FROM "migration" WHERE app_name = {} AND name = {}', _APP, name)
            if (applied is not None) is not backwards:
                return False  # another process was first
            manager = await import_module(f"{migrations.__name__}.{name}").forwards()
            with contextlib.redirect_stdout(io.StringIO()):  # Piccolo prints
                await manager.run(backwards=backwards)
            if backwards:
                await db.execute('DELETE FROM "migration" WHERE app_name = {} AND name = {}', _APP, name)
            else:
                await _record(db, name)
    finally:
        piccolo_conf.engine.reset(token)
    return True


async def _record(db: Database, name: str) -> None:
    """Piccolo's column has no zone, and on SQLite is text."""
    now = datetime.now(UTC).replace(tzinfo=None)
    ran_on = str(now) if db.dialect == "sqlite" else now
    await db.execute('INSERT INTO "migration" (name, app_name, ran_on) VALUES ({}, {}, {})', name, _APP, ran_on)


async def _take_turn(db: Database) -> None:
    """On SQLite a transaction that writes is alone as it is."""
    if db.dialect == "postgres":
        await db.execute("SELECT pg_advisory_xact_lock({})", _TURN)
