"""The table of jobs: enqueue, lease, checkpoint, end. Each method is one transaction, or part of the caller's.

A lease is a promise with an end: whoever holds it renews it; when it has run out the job is anybody's. Every write of a
holder is conditional on still holding, so that two may run a job for a moment but only one can record anything.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from deedbox_server.database import Database, Row
from deedbox_server.jobs.outcomes import LeaseLost
from deedbox_server.jobs.work import Ids, JobDraft, JobState, JobStatus, LeasedJob, decode_ids, encode_ids
from deedbox_sync import uuid7

ERROR_LIMIT = 200  # characters kept of what went wrong
_PAGE = 500  # ids in one statement; both dialects take more, but not without end

_ENQUEUE = """
    INSERT INTO job (id, kind, subject, args, state, priority, run_at, attempts, max_attempts, lease_until, worker,
                     progress, dedup, error, created, finished)
    VALUES ({}, {}, {}, {}, 'queued', {}, {}, 0, {}, NULL, '', 0.0, {}, '', {}, NULL)
    ON CONFLICT (dedup) DO NOTHING"""

_DUE = """
    SELECT EXISTS (SELECT 1 FROM job WHERE state = 'queued' AND run_at <= {})
        OR EXISTS (SELECT 1 FROM job WHERE state = 'running' AND lease_until < {}) AS "due [boolean]"
"""

# A job that keeps killing its runners ends here; any other whose runner is gone goes back to its place in the queue.
_BURY = """
    UPDATE job SET state = 'failed', error = 'lease expired', finished = {}, lease_until = NULL
    WHERE state = 'running' AND lease_until < {} AND attempts >= max_attempts
"""
_REQUEUE = """
    UPDATE job SET state = 'queued', worker = '', lease_until = NULL WHERE state = 'running' AND lease_until < {}
"""

# The index on (state, priority, run_at, id) gives the next ones without sorting. MATERIALIZED: Postgres might otherwise
# look for rows to lock more than once.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT id FROM job WHERE state = 'queued' AND run_at <= {{}} AND kind IN ({kinds})
        ORDER BY priority, run_at, id LIMIT {{}} {skip})
    UPDATE job SET state = 'running', worker = {{}}, lease_until = {{}}, attempts = attempts + 1
    WHERE id IN (SELECT id FROM due)
    RETURNING id, kind, subject, args, attempts, max_attempts, priority, run_at
"""

_MINE = "id = {} AND worker = {} AND state = 'running'"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Jobs:
    """The queue over one database. Times are this machine's: servers that share Postgres keep theirs within a lease."""

    def __init__(self, db: Database, now: Callable[[], datetime] = _utc_now) -> None:
        self.db = db
        self.now = now
        self._wakes: list[Callable[[], None]] = []

    async def enqueue_many(self, drafts: Iterable[JobDraft]) -> None:
        """Put jobs in the queue, part of the caller's transaction: they exist if and only if it commits.

        A draft whose `dedup` is known changes nothing.
        """
        now, drafts = self.now(), list(drafts)
        ids = sorted(uuid7.new() for _ in drafts)  # of one moment: in the order in which they were asked for
        rows = [
            (
                job,
                draft.kind,
                draft.subject,
                encode_ids(draft.args),
                draft.priority,
                draft.not_before or now,
                draft.max_attempts,
                draft.dedup,
                now,
            )
            for job, draft in zip(ids, drafts, strict=True)
        ]
        await self.db.execute_many(_ENQUEUE, rows)
        if rows:
            self.db.after_commit(self._wake)

    async def status(self, subjects: Sequence[uuid.UUID]) -> list[JobStatus]:
        """Every job on these subjects, oldest first."""
        found: list[JobStatus] = []
        for start in range(0, len(subjects), _PAGE):
            page = subjects[start : start + _PAGE]
            rows = await self.db.fetch(
                "SELECT id, kind, subject, state, attempts, progress, error, created, finished FROM job"
                f" WHERE subject IN ({_places(page)}) ORDER BY id",
                *page,
            )
            found += [JobStatus(**{**row, "state": JobState(row["state"])}) for row in rows]
        return found

    async def counts(self) -> Mapping[JobState, int]:
        """How many jobs are in each state."""
        rows = await self.db.fetch("SELECT state, count(*) AS jobs FROM job GROUP BY state")
        return dict.fromkeys(JobState, 0) | {JobState(row["state"]): row["jobs"] for row in rows}

    def on_enqueue(self, wake: Callable[[], None]) -> None:
        """Call this after each commit that put jobs in the queue from this process; others are seen by looking."""
        self._wakes.append(wake)

    async def reclaim(self) -> None:
        """Take every lease away. Only where no runner can be alive: at the start of a process that holds the
        folder's lock.
        """
        await self.db.execute(
            "UPDATE job SET lease_until = {} WHERE state = 'running'", datetime.min.replace(tzinfo=UTC)
        )

    async def revive(self, kind: str, errors: Sequence[str]) -> None:
        """Jobs of this kind that failed for one of these reasons are queued again, as new: what they lacked may be
        there now.
        """
        async with self.db.transaction():
            await self.db.execute(
                "UPDATE job SET state = 'queued', error = '', attempts = 0, run_at = {}, finished = NULL, worker = ''"
                f" WHERE kind = {{}} AND state = 'failed' AND error IN ({_places(errors)})",
                self.now(),
                kind,
                *errors,
            )
            self.db.after_commit(self._wake)

    async def claim(self, worker: str, kinds: Sequence[str], limit: int, lease: timedelta) -> list[LeasedJob]:
        """Lease up to `limit` jobs that are due, most urgent first; those that keep killing their runners end here.

        On Postgres rows that another server is claiming are passed over, not waited for.
        """
        now = self.now()
        [look] = await self.db.fetch(_DUE, now, now)
        if not kinds or not look["due"]:
            return []
        skip = "FOR UPDATE SKIP LOCKED" if self.db.dialect == "postgres" else ""
        claim = _CLAIM.format(kinds=_places(kinds), skip=skip)
        async with self.db.transaction():
            await self.db.execute(_BURY, now, now)
            await self.db.execute(_REQUEUE, now)
            rows = await self.db.fetch(claim, now, *kinds, limit, worker, now + lease)
            steps = await self._steps([row["id"] for row in rows])
        rows.sort(key=lambda row: (row["priority"], row["run_at"], row["id"]))
        return [_leased(row, steps.get(row["id"], {})) for row in rows]

    async def renew(self, worker: str, progress: Mapping[uuid.UUID, float], lease: timedelta) -> set[uuid.UUID]:
        """Extend the leases of these jobs and note their progress; returns those that this worker still holds."""
        until = self.now() + lease
        async with self.db.transaction():
            await self.db.execute_many(
                f"UPDATE job SET lease_until = {{}}, progress = {{}} WHERE {_MINE}",
                [(until, fraction, job, worker) for job, fraction in progress.items()],
            )
            rows = await self.db.fetch("SELECT id FROM job WHERE worker = {} AND state = 'running'", worker)
        return {row["id"] for row in rows}

    async def checkpoint(
        self, worker: str, job: uuid.UUID, name: str, lease: timedelta, work: Callable[[], Awaitable[Ids | None]]
    ) -> Ids:
        """Do `work` and record it as a step that is done, in one transaction; LeaseLost, and nothing done, for
        who does not hold it.

        Progress was made, so the count of attempts starts again.
        """
        async with self.db.transaction():
            held = await self.db.fetch_one(
                f"UPDATE job SET attempts = 1, lease_until = {{}} WHERE {_MINE} RETURNING id",
                self.now() + lease,
                job,
                worker,
            )
            if held is None:
                raise LeaseLost
            output = await work() or {}
            await self.db.execute(
                "INSERT INTO job_step (job, name, output) VALUES ({}, {}, {})", job, name, encode_ids(output)
            )
        return output

    async def end(self, worker: str, job: uuid.UUID, state: JobState, error: str = "") -> None:
        """The job is over, if this worker still holds it."""
        await self.db.execute(
            f"UPDATE job SET state = {{}}, error = {{}}, progress = {{}}, finished = {{}}, lease_until = NULL WHERE {_MINE}",
            state.value,
            error[:ERROR_LIMIT],
            1.0 if state is JobState.DONE else 0.0,
            self.now(),
            job,
            worker,
        )

    async def put_back(self, worker: str, job: uuid.UUID, *, after: timedelta, counts: bool, error: str = "") -> None:
        """Into the queue again, if this worker still holds it; an attempt that does not count was nobody's fault."""
        await self.db.execute(
            "UPDATE job SET state = 'queued', worker = '', lease_until = NULL, run_at = {}, error = {},"
            f" attempts = attempts - {{}} WHERE {_MINE}",
            self.now() + after,
            error[:ERROR_LIMIT],
            0 if counts else 1,
            job,
            worker,
        )

    async def release(self, worker: str) -> None:
        """Everything that this worker still holds goes back into the queue, without blame: it stops."""
        await self.db.execute(
            "UPDATE job SET state = 'queued', worker = '', lease_until = NULL, attempts = attempts - 1"
            " WHERE worker = {} AND state = 'running'",
            worker,
        )

    async def _steps(self, jobs: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, Ids]]:
        found: dict[uuid.UUID, dict[str, Ids]] = {}
        if jobs:
            rows = await self.db.fetch(f"SELECT job, name, output FROM job_step WHERE job IN ({_places(jobs)})", *jobs)
            for row in rows:
                found.setdefault(row["job"], {})[row["name"]] = decode_ids(row["output"])
        return found

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()


def _places(values: Sequence[object]) -> str:
    return ", ".join(["{}"] * len(values))


def _leased(row: Row, steps: Mapping[str, Ids]) -> LeasedJob:
    return LeasedJob(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        args=decode_ids(row["args"]),
        attempts=row["attempts"],
        max_attempts=row["max_attempts"],
        steps=steps,
    )
