"""What a search index is given of an exhibit. The index itself is a higher package's: reading only hands pages to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from deedbox_server.documents.derived import Word


@dataclass(frozen=True)
class IndexedPage:
    """A page's text and the places of its words. Page 0 is what the exhibit is called, not what it says."""

    number: int
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class IndexedExhibit:
    """Everything of one exhibit that can be found."""

    exhibit: UUID
    case: UUID
    pages: tuple[IndexedPage, ...]


class PageIndex(Protocol):
    """The part of a search index that reading needs."""

    async def put(self, exhibit: IndexedExhibit) -> None:
        """This is all there is of the exhibit; replaces what was. Durable when it returns, the same when repeated."""

    async def forget(self, exhibits: Sequence[UUID]) -> None:
        """Nothing of these is found any more."""
