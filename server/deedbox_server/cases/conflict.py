"""A conflict check as it is asked, found and settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from deedbox_server.cases import plain_text
from deedbox_server.errors import BadRequest

OFFICER: Final = (
    "conflicts-officer"  # the duty (Principal.duties) of who settles checks and sees hits behind every wall
)
OPEN: Final = "open"
SETTLED: Final = "settled"
MAX_NAMES: Final = 50  # of one check: the parties of a new matter
MAX_ALIASES: Final = 20  # of each
MAX_HITS: Final = (
    500  # kept of each side of the asker's wall; nobody weighs more, and so common a name is asked more exactly
)

Result = Literal["cleared", "conflict", "waived"]
How = Literal["exact", "initials", "part", "phonetic", "fuzzy"]

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=plain_text.MAX_LINE)]


class AskedName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody in the new matter."""

    name: Line
    aliases: Annotated[tuple[Line, ...], msgspec.Meta(max_length=MAX_ALIASES)] = ()


class NewCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a new matter is about. `case`: a case that is open already, whose own names do not count."""

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=plain_text.MAX_LINE)]
    names: Annotated[tuple[AskedName, ...], msgspec.Meta(min_length=1, max_length=MAX_NAMES)]
    case: UUID | None = None


@dataclass(frozen=True)
class Hit:
    """A name in a case that one of the asked names met: how, and how surely (0 … 100; no probability). `result` is `open`
    until an officer has settled it.
    """

    id: UUID
    case: UUID
    number: str
    title: str
    party: UUID | None
    party_kind: str | None
    party_removed: bool
    asked: str
    found: str
    name_kind: str
    how: str
    sure: int
    result: str
    reason: str | None
    settled: datetime | None
    settled_by: str | None


@dataclass(frozen=True)
class Check:
    """A check that was made. `hits` are those that the reader may see: an officer all, others those in cases that they see as
    one of the firm. Every check goes to the conflicts officer, with hits or without: that it does tells nothing.
    """

    id: UUID
    case: UUID | None
    made_by: str
    created: datetime
    subject: str
    names: tuple[AskedName, ...]
    state: str
    outcome: str | None
    reason: str | None
    settled: datetime | None
    settled_by: str | None
    version: int
    hits: tuple[Hit, ...] = ()


def checked(new: NewCheck) -> NewCheck:
    """In normal form; BadRequest says which member does not do."""
    if not 1 <= len(new.names) <= MAX_NAMES or any(len(one.aliases) > MAX_ALIASES for one in new.names):
        raise BadRequest(f"A check asks about 1 to {MAX_NAMES} names, each with at most {MAX_ALIASES} aliases.")
    return NewCheck(
        plain_text.line(new.subject, "The subject"),
        tuple(
            AskedName(plain_text.line(one.name, "A name"), tuple(plain_text.line(a, "An alias") for a in one.aliases))
            for one in new.names
        ),
        new.case,
    )
