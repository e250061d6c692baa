"""Pages of lists that are in the order of their ids, which is that of making (UUIDv7)."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import msgspec

from deedbox_server import cursor
from deedbox_server.errors import BadRequest

PAGE: Final = 100
Limit = Annotated[int, msgspec.Meta(ge=1, le=500)]


def id_of(text: str | None) -> UUID | None:
    """The id that a cursor names; None without one. BadRequest for a cursor of another list."""
    if text is None:
        return None
    (found,) = cursor.decode(text, str)
    try:
        return UUID(str(found))
    except ValueError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None


def cursor_of(last: UUID) -> str:
    return cursor.encode(str(last))
