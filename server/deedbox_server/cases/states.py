"""What state a case is in, how it gets into another, and that a closed one takes no new work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Conflict, NotFound

OPEN: Final = "open"
CLOSED: Final = "closed"
ARCHIVED: Final = "archived"
STATES: Final = (OPEN, CLOSED, ARCHIVED)

# The step, where it leads, where from. What a disposed case was is told by its tombstone; no step leads out of it.
STEPS: Final[Mapping[str, tuple[str, frozenset[str]]]] = MappingProxyType(
    {
        "close": (CLOSED, frozenset({OPEN})),
        "archive": (ARCHIVED, frozenset({CLOSED})),
        "reopen": (OPEN, frozenset({CLOSED, ARCHIVED})),
    }
)


class CaseClosed(Conflict):
    """Work on a case that is not open."""

    slug, title = "case-closed", "This case is not open: reopen it first"


def after(step: str, state: str) -> str:
    """The state after a step; Conflict for one that this state does not allow."""
    to, origins = STEPS[step]
    if state not in origins:
        raise Conflict(f"A case that is {state} cannot take the step: {step}.", state=state)
    return to


async def take_for_work(db: Database, case: UUID, now: datetime) -> None:
    """Hold the case until the caller's transaction ends, and note that something in it changed. CaseClosed unless it is open: a
    step that closes it meanwhile waits, or comes first.
    """
    assert db.in_transaction, "a case is held by a transaction"
    taken = await db.fetch(
        "UPDATE legal_case SET updated = {} WHERE id = {} AND state = {} RETURNING id", now, case, OPEN
    )
    if not taken:
        row = await db.fetch_one("SELECT state FROM legal_case WHERE id = {}", case)
        if row is None:
            raise NotFound
        raise CaseClosed(state=row["state"])
