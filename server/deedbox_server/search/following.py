"""The index follows an exhibit that was refiled: nothing of it is found while it is on its way, and then only in its case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from deedbox_server.evidence.moving import Move
from deedbox_server.jobs import Handlers, JobContext, JobDraft, Jobs
from deedbox_server.search.index import SearchIndex
from deedbox_sync import uuid7

FOLLOW: Final = "search.follow"
# When a move that never came about, because the box went down in it, is found again. A move takes a second.
_LATER: Final = timedelta(minutes=1)


class FollowingIndex:
    """A `Follower`. `index_exhibit` puts into the index what an exhibit is now, in the case where it now is."""

    def __init__(self, index: SearchIndex, jobs: Jobs, index_exhibit: Callable[[UUID], Awaitable[None]]) -> None:
        self._index = index
        self._jobs = jobs
        self._index_exhibit = index_exhibit

    def register(self, handlers: Handlers) -> None:
        handlers.register(FOLLOW, self._follow)

    async def before(self, move: Move) -> None:
        later = self._jobs.now() + _LATER
        async with self._jobs.db.transaction():
            await self._jobs.enqueue_many([_job(one, later) for one in move.exhibits])
        await self._index.forget(move.exhibits)

    async def within(self, move: Move) -> None:
        """The index may be in another file: what is durable of this are the jobs before and after."""

    async def after(self, move: Move) -> None:
        async with self._jobs.db.transaction():
            await self._jobs.enqueue_many([_job(one) for one in move.exhibits])

    async def _follow(self, context: JobContext) -> None:
        await self._index_exhibit(UUID(str(context.job.args["exhibit"])))


def _job(exhibit: UUID, not_before: datetime | None = None) -> JobDraft:
    """Its subject is no exhibit: people see an exhibit's jobs as what is read in it."""
    return JobDraft(FOLLOW, uuid7.new(), {"exhibit": str(exhibit)}, not_before=not_before)
