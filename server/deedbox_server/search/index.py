"""The promise of a search index, whichever database holds it. It may be lost: it is rebuilt from derived documents."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from deedbox_server.documents.derived import Word
from deedbox_server.documents.indexing import IndexedExhibit, IndexedPage
from deedbox_server.search.matching import Box, Snippet, boxes, matches, snippet
from deedbox_server.search.query import Query
from deedbox_server.search.tokens import Token, tokens

# Words in one row of the index: four printed pages. What is longer is cut, and searched as if the cut were a page's end:
# a Postgres tsvector keeps 255 places of a word, and "the" is every sixteenth word of English.
ROW_WORDS = 4000
# The rows of one exhibit lie together: the row's number holds the exhibit's above, and counts down below, so that going
# backwards through the numbers gives the newest exhibit first and its pages in their order.
ROW_BITS = 20
MAX_FOUND = 100
# Nobody reads further than this many pages; counting all the pages with a common word would take a second at a million.
MAX_COUNT = 10_000

_PLACE = struct.Struct("<IIHHHH")


@dataclass(frozen=True)
class Hit:
    """One page that fits; page 0 is the exhibit's name and labels. `boxes` are as in `formats/derived.md`, if there are any."""

    exhibit: UUID
    case: UUID
    page: int
    snippet: Snippet
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Found:
    """Hits, newest exhibit first and pages in order; `after` continues the list, None at its end."""

    hits: tuple[Hit, ...]
    after: int | None


@dataclass(frozen=True)
class Count:
    """How much fits in all; with `more`, at least that much."""

    exhibits: int
    pages: int
    more: bool = False


class SearchIndex(Protocol):
    """`cases` is the wall: no answer, order or count depends on anything outside them."""

    @property
    def is_new(self) -> bool:
        """Whether this index was just made, empty, and must be filled from the derived documents."""

    async def put(self, exhibit: IndexedExhibit) -> None:
        """This is all there is of the exhibit; replaces what was. Durable when it returns, the same when repeated."""

    async def forget(self, exhibits: Sequence[UUID]) -> None:
        """Nothing of these is found any more."""

    async def purge(self) -> None:
        """What was forgotten or replaced leaves the files too; takes its time."""

    async def exhibits(self) -> frozenset[UUID]:
        """Everything that is in the index, across all cases: for rebuilding only."""

    async def find(self, query: Query, cases: Sequence[UUID], *, after: int | None = None, limit: int = 25) -> Found:
        """The pages of these cases that fit, at most MAX_FOUND at a time."""

    async def count(self, query: Query, cases: Sequence[UUID]) -> Count:
        """How many fit in these cases, counted to MAX_COUNT pages."""

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Row:
    """A page, or a part of a long one, as it goes into an index."""

    below: int
    page: int
    text: str
    words: bytes
    tokens: tuple[str, ...]


def rows_of(exhibit: IndexedExhibit) -> Iterator[Row]:
    """The rows of an exhibit. Pages without a word have none."""
    below = 1 << ROW_BITS
    for page in exhibit.pages:
        for part in _parts(page):
            below -= 1
            start, end = part[0].start, part[-1].end
            yield Row(
                below, page.number, page.text[start:end], _pack(page.words, start, end), tuple(t.folded for t in part)
            )


def hit(query: Query, exhibit: UUID, case: UUID, page: int, text: str, words: bytes) -> Hit:
    """What is shown of a row that an index says fits."""
    ranges = matches(query, text)
    return Hit(exhibit, case, page, snippet(text, ranges), boxes(_unpack(words), ranges))


def _parts(page: IndexedPage) -> Iterator[list[Token]]:
    found = list(tokens(page.text))
    for at in range(0, len(found), ROW_WORDS):
        yield found[at : at + ROW_WORDS]


def _pack(words: Sequence[Word], start: int, end: int) -> bytes:
    inside = (word for word in words if start <= word.start and word.end <= end)
    packed = b"".join(_PLACE.pack(word.start - start, word.end - start, *word.box) for word in inside)
    return zlib.compress(packed, 1) if packed else b""


def _unpack(data: bytes) -> tuple[Word, ...]:
    packed = zlib.decompress(data) if data else b""
    return tuple(Word(start, end, None, tuple(box)) for start, end, *box in _PLACE.iter_unpack(packed))
