"""What listeners are told of as it stands, not as it came about: jobs under way and alarms. Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.trail.happened import Audience, Happened
from deedbox_sync.canonical_json import Json

_MAX_JOBS: Final = 200  # looked at and told of at a time; who imports ten thousand files needs no ten thousand bars
_ALARMS_EVERY: Final = 10  # looks

_JOBS = (
    "SELECT job.id, job.kind, job.subject, job.state, job.progress, exhibit.case_id FROM job"
    " JOIN exhibit ON exhibit.id = job.subject"
)


class States:
    """The newest state of each, with a number that grows at each change. Of one event loop."""

    def __init__(self, db: Database, alarms: Callable[[], Awaitable[list[str]]]) -> None:
        self._db = db
        self._alarms = alarms
        self.version = 0
        self._told: dict[UUID | str, tuple[int, Happened]] = {}
        self._running: set[UUID] = set()
        self._looks = 0

    def after(self, version: int) -> tuple[list[Happened], int]:
        """States that changed after this number, and the number now."""
        return [one for number, one in self._told.values() if number > version], self.version

    async def look(self) -> None:
        """One look at the jobs and, now and then, at the alarms."""
        rows = await self._db.fetch(f"{_JOBS} WHERE job.state = 'running' ORDER BY job.id LIMIT {{}}", _MAX_JOBS)
        ended = sorted(self._running - {row["id"] for row in rows})
        rows += await self._db.fetch_in(f"{_JOBS} WHERE job.id IN ", ended)
        self._forget_ended()
        for row in rows:
            self._tell(row["id"], _of_job(row))
        self._running = {row["id"] for row in rows if row["state"] == "running"}
        if self._looks % _ALARMS_EVERY == 0:
            sentences: list[Json] = list(await self._alarms())
            self._tell("alarms", Happened(None, "alarms", Audience.WATCHERS, None, None, {"alarms": sentences}))
        self._looks += 1

    def _tell(self, key: UUID | str, state: Happened) -> None:
        known = self._told.get(key)
        if known is None or known[1] != state:
            self.version += 1
            self._told[key] = (self.version, state)

    def _forget_ended(self) -> None:
        """The ends of jobs are kept as long as nobody could have missed them, which is while they are few."""
        ended = [key for key in self._told if key not in self._running and key != "alarms"]
        for key in ended[: max(0, len(ended) - _MAX_JOBS)]:
            del self._told[key]


def _of_job(row: Row) -> Happened:
    progress = "1" if row["state"] == "done" else f"{row['progress']:.2f}"
    data: dict[str, Json] = {
        "job": str(row["id"]),
        "kind": row["kind"],
        "state": row["state"],
        "percent": round(100 * float(progress)),
    }
    return Happened(None, "job", Audience.EVIDENCE, row["case_id"], row["subject"], data)
