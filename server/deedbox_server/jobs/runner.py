"""Runs jobs: leases as many as it has hands, keeps the leases alive, and records how each one ends."""

import asyncio
import contextlib
import logging
import os
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from deedbox_server.errors import DeedboxError
from deedbox_server.jobs.handlers import Handlers
from deedbox_server.jobs.outcomes import JobRefused, JobTooLarge, LeaseLost
from deedbox_server.jobs.queue import Jobs
from deedbox_server.jobs.work import Ids, JobState, LeasedJob

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)  # how long the jobs of a dead process wait for another one
POLL = 1.0  # seconds between looks for jobs that became due, or that another process enqueued
LATEST_RETRY = timedelta(minutes=10)
_BEATS = 3  # in one lease: two may be missed


class Runner:
    """Runs the kinds that have handlers, at most `concurrency` jobs at once.

    `alone` says that no other process can be running jobs of this database (the box holds its folder's lock):
    what a crash left behind then starts again at once instead of after its lease. While `restrained` says so, something
    more urgent is going on: then one job runs at a time, and none begins sooner than a poll after the one before.
    """

    def __init__(
        self,
        jobs: Jobs,
        handlers: Handlers,
        *,
        concurrency: int = 2,
        lease: timedelta = LEASE,
        poll: float = POLL,
        alone: bool = False,
        restrained: Callable[[], bool] = lambda: False,
    ) -> None:
        self.worker = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._jobs = jobs
        self._handlers = handlers
        self._concurrency = concurrency
        self._lease = lease
        self._poll = poll
        self._alone = alone
        self._restrained = restrained
        self._begun = float("-inf")
        self._running: dict[uuid.UUID, tuple[_Context, asyncio.Task[None]]] = {}
        self._news = asyncio.Event()  # something was enqueued, a hand is free, or it is time to stop
        self._stopping = False
        jobs.on_enqueue(self._news.set)

    async def run(self) -> None:
        """Run jobs until `stop` (or cancellation); then what is unfinished goes back into the queue without blame."""
        if self._alone:
            await self._jobs.reclaim()
        heart = asyncio.create_task(self._beat())
        try:
            while not self._stopping:
                self._news.clear()
                await self._fill()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._news.wait()
        finally:
            self._stopping = True
            heart.cancel()
            tasks = [task for _, task in self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(heart, *tasks, return_exceptions=True)
            try:
                await self._jobs.release(self.worker)
            except DeedboxError as error:  # then their leases run out
                _log.warning("leases not given back: %s", error.slug)

    def stop(self) -> None:
        """Have `run` return soon."""
        self._stopping = True
        self._news.set()

    async def _fill(self) -> None:
        free = self._concurrency - len(self._running)
        if self._restrained():
            free = 1 if not self._running and time.monotonic() >= self._begun + self._poll else 0
        if free <= 0:
            return
        try:
            leased = await self._jobs.claim(self.worker, self._handlers.kinds, free, self._lease)
        except DeedboxError as error:  # the database is busy or its disk full: look again at the next poll
            _log.warning("no jobs claimed: %s", error.slug)
            return
        if leased:
            self._begun = time.monotonic()
        for job in leased:
            context = _Context(self._jobs, self.worker, job, self._lease)
            self._running[job.id] = (context, asyncio.create_task(self._do(context)))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / _BEATS)
            if not self._running:
                continue
            asked = {job: context.fraction for job, (context, _) in self._running.items()}
            try:
                held = await self._jobs.renew(self.worker, asked, self._lease)
            except DeedboxError as error:  # the leases go on until they end: the next beat tries again
                _log.warning("leases not renewed: %s", error.slug)
                continue
            for job in asked.keys() - held:
                if job in self._running:
                    self._running[job][0].lost = True
                    self._running[job][1].cancel()

    async def _do(self, context: "_Context") -> None:
        try:
            await self._record(context, await self._outcome(context))
        except (
            DeedboxError
        ) as error:  # its end is not recorded: the lease runs out and it is done again from its last step
            _log.warning("job %s has no recorded end: %s", context.job.id, error.slug)
        finally:
            del self._running[context.job.id]
            self._news.set()

    async def _outcome(self, context: "_Context") -> BaseException | None:
        try:
            await self._handlers[context.job.kind](context)
        except asyncio.CancelledError as error:
            return error
        except Exception as error:
            return error
        return None

    async def _record(self, context: "_Context", outcome: BaseException | None) -> None:
        job, where = context.job, _where(outcome)
        match outcome:
            case None:
                await self._jobs.end(self.worker, job.id, JobState.DONE)
            case LeaseLost():
                _log.warning("job %s was taken over", job.id)
            case asyncio.CancelledError() if context.lost or self._stopping:
                pass  # it is another's, or `run` gives it back
            case JobTooLarge():
                await self._jobs.end(self.worker, job.id, JobState.TOO_LARGE, str(outcome))
            case JobRefused():
                await self._jobs.end(self.worker, job.id, JobState.FAILED, str(outcome))
            case DeedboxError(status=503 | 507):  # the box's state, not the job's fault: busy, suspended, disk full
                await self._jobs.put_back(
                    self.worker, job.id, after=_pause(context.attempts), counts=False, error=where
                )
            case _ if context.attempts >= job.max_attempts:
                _log.error("job %s (%s) failed for good: %s", job.id, job.kind, where)
                await self._jobs.end(self.worker, job.id, JobState.FAILED, where)
            case _:
                _log.warning("job %s (%s) failed, again later: %s", job.id, job.kind, where)
                await self._jobs.put_back(self.worker, job.id, after=_pause(context.attempts), counts=True, error=where)


class _Context:
    """What one handler sees of its job; see JobContext."""

    def __init__(self, jobs: Jobs, worker: str, job: LeasedJob, lease: timedelta) -> None:
        self.job = job
        self.attempts = job.attempts
        self.fraction = 0.0
        self.lost = False
        self._jobs = jobs
        self._worker = worker
        self._lease = lease
        self._done = dict(job.steps)

    async def step(self, name: str, work: Callable[[], Awaitable[Ids | None]]) -> Ids:
        if name in self._done:
            return self._done[name]
        output = await work()

        async def give() -> Ids | None:
            return output

        return await self._checkpoint(name, give)

    async def commit_step(self, name: str, work: Callable[[], Awaitable[Ids | None]]) -> Ids:
        if name in self._done:
            return self._done[name]
        return await self._checkpoint(name, work)

    def progress(self, fraction: float) -> None:
        self.fraction = min(1.0, max(0.0, fraction))

    async def _checkpoint(self, name: str, work: Callable[[], Awaitable[Ids | None]]) -> Ids:
        self._done[name] = await self._jobs.checkpoint(self._worker, self.job.id, name, self._lease, work)
        self.attempts = 1
        return self._done[name]


def _pause(attempts: int) -> timedelta:
    """2 s, 4 s, 8 s, … at most ten minutes."""
    return min(LATEST_RETRY, timedelta(seconds=2 ** min(attempts, 20)))


def _where(error: BaseException | None) -> str:
    """What failed and where, without the message: it may quote the evidence."""
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
