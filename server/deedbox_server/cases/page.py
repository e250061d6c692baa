"""A page of a list: some items, and the cursor after the last where there are more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from uuid import UUID

from deedbox_server import cursor
from deedbox_server.errors import BadRequest

MAX_LIMIT: Final = 500  # items of a page; an answer stays within a few hundred kilobytes
DEFAULT_LIMIT: Final = 100

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    items: tuple[Item, ...]
    next: str | None


def limit_of(limit: int) -> int:
    if not 1 <= limit <= MAX_LIMIT:
        raise BadRequest(f"limit is between 1 and {MAX_LIMIT}.")
    return limit


def id_after(text: str) -> UUID:
    """The id that a cursor over ids names."""
    (found,) = cursor.decode(text, str)
    return uuid_of(str(found))


def uuid_of(part: str) -> UUID:
    """An id out of a cursor."""
    try:
        return UUID(part)
    except ValueError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None


def page(found: Sequence[Item], size: int, cursor_of: Callable[[Item], str]) -> Page[Item]:
    """A page of `size` out of what was found, which was asked for one more than that."""
    items = tuple(found[:size])
    return Page(items, cursor_of(items[-1]) if len(found) > size else None)
