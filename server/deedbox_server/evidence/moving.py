"""An exhibit on its way to another case: what is told to those who keep something of it, and what they promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Move:
    """These exhibits leave one case for another."""

    exhibits: tuple[UUID, ...]
    origin: UUID
    target: UUID


class Follower(Protocol):
    """Whoever keeps something of exhibits by case, and registers with `Refiling.followers`."""

    async def before(self, move: Move) -> None:
        """It may come about, or may not; nothing has changed yet. What must not be seen by the wrong eyes meanwhile goes."""

    async def within(self, move: Move) -> None:
        """In the transaction of the move, where the exhibits lie in the new case already. Raising refuses it."""

    async def after(self, move: Move) -> None:
        """It has come about, or has not: the database says where the exhibits are. Called again where a caller repeats."""
