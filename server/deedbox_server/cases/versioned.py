"""Changing a row that has a version: only as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Conflict, PreconditionFailed


class Kept(Protocol):
    """What is kept when it is removed."""

    @property
    def version(self) -> int: ...
    @property
    def removed(self) -> datetime | None: ...


def check_current(found: Kept, expected: int) -> None:
    """PreconditionFailed unless it has the version expected; Conflict where it was removed."""
    if found.removed is not None:
        raise Conflict("This was removed: add it again.")
    if found.version != expected:
        raise PreconditionFailed


async def write(db: Database, table: str, row: UUID, stored: Mapping[str, object], expected: int) -> None:
    """Write columns and the next version. PreconditionFailed where somebody was faster."""
    places = ", ".join(f"{column} = {{}}" for column in stored)
    rows = await db.fetch(
        f"UPDATE {table} SET {places}, version = {{}} WHERE id = {{}} AND version = {{}} RETURNING id",
        *stored.values(),
        expected + 1,
        row,
        expected,
    )
    if not rows:
        raise PreconditionFailed
