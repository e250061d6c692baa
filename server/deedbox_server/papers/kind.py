"""What a kind of paper is: what it asks for, and how it is written from the record. Each kind has its own module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deedbox_server.papers.document import Document
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import Field, Given, Rows


@dataclass(frozen=True)
class Request:
    """What was given for one paper, checked against its kind."""

    given: Given
    rows: tuple[Given, ...] = ()
    draft: bool = False


@dataclass(frozen=True)
class Kind:
    """`write` makes the document of a paper that is wholly text; a kind without one is made in its own way (service.py).

    `counsel` are the notes for counsel: what the tool did not and cannot check, and what of the law is unconfirmed.
    `exhibits` says how many: "any", "some" (at least one), "one" or "none".
    """

    name: str
    title: str
    help: str
    exhibits: str
    fields: tuple[Field, ...]
    counsel: tuple[str, ...]
    rows: Rows | None = None
    rehash: bool = False
    write: Callable[[Record, Request], Document] | None = field(default=None, compare=False)
