"""What a paper says, as data: sections of blocks of runs, and where whose signature goes. Nothing here sets type.

Each paragraph says whose statement it is: the record's, the declarant's own, or the form's. What only a person can state and
nobody has is a `Blank`, which prints as a marked line: nothing is invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


class Whose(StrEnum):
    """Who states a paragraph. The words stand in the margin."""

    RECORD = "record"
    DECLARANT = "declarant"
    FORM = ""


@dataclass(frozen=True)
class Blank:
    """A line to be filled in by hand: `label` says with what, `by` says by whom."""

    label: str
    by: str = "the declarant"


@dataclass(frozen=True)
class Mono:
    """A digest or another string that is compared letter by letter."""

    text: str


@dataclass(frozen=True)
class Room:
    """Space to write in, in inches of height."""

    height: float


@dataclass(frozen=True)
class Break:
    """The next line."""


Run: TypeAlias = str | Blank | Mono | Room | Break
Cell: TypeAlias = str | Sequence[Run]


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Numbered through the whole paper unless `numbered` is false; `sticky` stays on the page of what follows."""

    runs: tuple[Run, ...]
    whose: Whose = Whose.FORM
    numbered: bool = True
    sticky: bool = False


@dataclass(frozen=True)
class Facts:
    """Labels and values, two columns."""

    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Table:
    """`widths` are inches, or 0 for what is left, shared; the head repeats on each page."""

    head: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[Cell, ...], ...]
    ruled: bool = False  # lines for handwriting


@dataclass(frozen=True)
class Note:
    """Small print: an explanation that is no statement of the paper's."""

    text: str


@dataclass(frozen=True)
class Signature:
    """A line to sign on, by pen or in the PDF's signature field of this name, with lines to fill in below."""

    field: str
    caption: str
    rows: tuple[tuple[str, Cell], ...] = ()


Block: TypeAlias = Heading | Paragraph | Facts | Table | Note | Signature


@dataclass(frozen=True)
class Section:
    """Blocks that begin on a new page; the footer names the exhibit, and its digest where it is one exhibit."""

    footer: str
    blocks: tuple[Block, ...]
    digest: bytes | None = None


@dataclass(frozen=True)
class Caption:
    """The head of a paper that is filed."""

    court: Cell
    action: Cell
    docket: Cell


@dataclass(frozen=True)
class Document:
    """A whole paper. `first_top` is the first page's top margin in inches (Illinois wants two)."""

    title: str
    subtitle: str
    caption: Caption | None
    sections: tuple[Section, ...]
    paper: UUID
    made: datetime
    first_top: float = 1.0
    legend: bool = True
    draft: bool = False
    seal: tuple[
        str, ...
    ] = ()  # what the box says in its own signature's frame, at the end of the last page, line by line
