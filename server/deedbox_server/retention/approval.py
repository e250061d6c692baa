"""Two people for what cannot be undone: one asks, another approves; or, where the firm has only one who could, the same one
twice with a waiting time between.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, Denied
from deedbox_server.people.principal import Principal
from deedbox_server.retention.tombstone import Decision
from deedbox_sync import timestamp

MAX_REASON: Final = 2000  # characters: a paragraph that somebody else has to read

ASKED: Final = "asked"
WAITING: Final = "waiting"
MARKED: Final = "marked"
BURIED: Final = "buried"
DONE: Final = "done"
WITHDRAWN: Final = "withdrawn"
OPEN: Final = (ASKED, WAITING)
UNDER_WAY: Final = (MARKED, BURIED)


@dataclass(frozen=True)
class Request:
    """What approval is decided from: who asked, where it stands, and until when who asked has to wait."""

    state: str
    asked: Decision
    not_before: datetime | None


async def could_another_approve(db: Database, principal: Principal, roles: frozenset[str]) -> bool:
    """Whether the firm has another active account of a role that could approve, on this case or not: membership can be given."""
    places = ", ".join(["{}"] * len(roles))
    rows = await db.fetch(
        f"SELECT id FROM account WHERE id <> {{}} AND disabled = {{}} AND role IN ({places}) LIMIT 1",
        principal.account,
        False,
        *sorted(roles),
    )
    return bool(rows)


def decide(
    request: Request, principal: Principal, now: datetime, *, another_could: bool, wait: timedelta
) -> datetime | None:
    """What an approval means now: None, it is approved; or the time from which who asked may confirm it, having nobody else.

    Denied to who asked where another could approve. Conflict where it is decided already, or the wait is not over.
    """
    if request.state not in OPEN:
        raise Conflict("this request has been decided")
    if principal.account is None:
        raise Denied("only a person can approve this")
    if principal.actor_id != request.asked.id:
        return None
    if another_could:
        raise Denied("somebody else must approve what you asked for")
    if request.state == ASKED or request.not_before is None:
        return now + wait
    if now < request.not_before:
        raise Conflict(f"you asked for this alone: confirm it from {timestamp.encode(request.not_before)} on")
    return None


def checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON:
        raise BadRequest(f"give a reason of at most {MAX_REASON} characters")
    return reason
