"""What is kept about one person, told and erased by whoever keeps it: two registries, so that a package need not know who else
has something (formats/erasure.md, Erasure of a person).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.people.principal import Principal
from deedbox_sync.canonical_json import Json


@dataclass(frozen=True)
class Person:
    """One human being as the box has them: an account, parties of cases, or both."""

    account: UUID | None
    parties: tuple[UUID, ...]

    @property
    def actor_id(self) -> str | None:
        """As records name them when they act."""
        return None if self.account is None else f"account:{self.account}"


@dataclass(frozen=True)
class Kept:
    """Something that names the person and stays, and why."""

    what: str
    object: UUID | None
    why: str


@dataclass(frozen=True)
class Gone:
    """What an eraser did: the log entries' records that it deleted, whose salts go next; and what it had to leave."""

    records: tuple[UUID, ...] = ()
    kept: tuple[Kept, ...] = ()


Eraser: TypeAlias = Callable[[Database, Person], Awaitable[Gone]]
Teller: TypeAlias = Callable[[Database, Principal, Person], Awaitable[Sequence[Mapping[str, Json]]]]


class Erasers:
    """Called one after another, in the order in which they were registered, inside the transaction that erases. Each looks
    for holds itself, and keeps what one is over."""

    def __init__(self) -> None:
        self._erasers: dict[str, Eraser] = {}

    def register(self, name: str, eraser: Eraser) -> None:
        if name in self._erasers:
            raise ValueError(f"an eraser {name} is registered already")
        self._erasers[name] = eraser

    async def erase(self, db: Database, person: Person) -> Gone:
        assert db.in_transaction, "all of it or nothing"
        records: list[UUID] = []
        kept: list[Kept] = []
        for eraser in self._erasers.values():
            gone = await eraser(db, person)
            records += gone.records
            kept += gone.kept
        return Gone(tuple(records), tuple(kept))


class PersonExport:
    """Sections of the export of everything about one person, by name. A teller shows what its reader may see, and no more:
    the wall stands in its query."""

    def __init__(self) -> None:
        self._tellers: dict[str, Teller] = {}

    def register(self, name: str, teller: Teller) -> None:
        if name in self._tellers:
            raise ValueError(f"a section {name} is registered already")
        self._tellers[name] = teller

    async def tell(self, db: Database, principal: Principal, person: Person) -> dict[str, list[Mapping[str, Json]]]:
        return {name: list(await teller(db, principal, person)) for name, teller in self._tellers.items()}
