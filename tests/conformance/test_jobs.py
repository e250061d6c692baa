"""What the queue of jobs promises, on every database."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from deedbox_server.database import Database
from deedbox_server.errors import DiskFull
from deedbox_server.jobs import (
    Handler,
    Handlers,
    Ids,
    JobContext,
    JobDraft,
    JobRefused,
    Jobs,
    JobState,
    JobStatus,
    JobTooLarge,
    LeaseLost,
    Runner,
)

LEASE = timedelta(seconds=30)
SUBJECT = uuid.UUID(int=7)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


def handlers(**by_kind: Handler) -> Handlers:
    made = Handlers()
    for kind, handler in by_kind.items():
        made.register(kind, handler)
    return made


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[None]:
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        runner.stop()
        await task


async def until(jobs: Jobs, wanted: Callable[[list[JobStatus]], bool]) -> list[JobStatus]:
    async with asyncio.timeout(10):
        while not wanted(found := await jobs.status([SUBJECT])):
            await asyncio.sleep(0.005)
    return found


def all_ended(found: list[JobStatus]) -> bool:
    return bool(found) and all(job.state.ended for job in found)


async def run_one(
    database: Database, handler: Handler, *, clock: Clock | None = None, max_attempts: int = 2
) -> JobStatus:
    """Run one job until it has ended, moving the clock over every pause."""
    clock = clock or Clock()
    jobs = Jobs(database, clock)
    await jobs.enqueue_many([JobDraft("work", SUBJECT, max_attempts=max_attempts)])
    async with running(Runner(jobs, handlers(work=handler), poll=0.01)):

        def ended_or_moved(found: list[JobStatus]) -> bool:
            clock.move(seconds=1)
            return all_ended(found)

        [job] = await until(jobs, ended_or_moved)
    return job


def nothing() -> Callable[[], Awaitable[Ids | None]]:
    async def work() -> None:
        return None

    return work


# enqueue


async def test_jobs_exist_if_and_only_if_their_transaction_commits(database: Database) -> None:
    jobs = Jobs(database)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await jobs.enqueue_many([JobDraft("work", SUBJECT)])
            raise ZeroDivisionError
    assert await jobs.status([SUBJECT]) == []
    async with database.transaction():
        await jobs.enqueue_many([JobDraft("work", SUBJECT), JobDraft("work", SUBJECT)])
    assert [job.state for job in await jobs.status([SUBJECT])] == [JobState.QUEUED] * 2
    assert (await jobs.counts())[JobState.QUEUED] == 2


async def test_a_known_dedup_is_not_enqueued_again(database: Database) -> None:
    jobs = Jobs(database)
    for _ in range(2):
        async with database.transaction():
            await jobs.enqueue_many(
                [JobDraft("work", SUBJECT, dedup="read:7"), JobDraft("work", SUBJECT, dedup="read:7")]
            )
    assert len(await jobs.status([SUBJECT])) == 1


async def test_a_runner_is_woken_by_the_commit_and_not_by_its_poll(database: Database) -> None:
    async def work(context: JobContext) -> None:
        return None

    jobs = Jobs(database)
    async with running(Runner(jobs, handlers(work=work), poll=3600)):
        await asyncio.sleep(0.05)
        await jobs.enqueue_many([JobDraft("work", SUBJECT)])
        await until(jobs, all_ended)


# claim


async def test_the_most_urgent_goes_first_then_the_oldest(database: Database) -> None:
    jobs, order = Jobs(database), []

    async def work(context: JobContext) -> None:
        order.append(context.job.args["name"])

    drafts = [("third", 100), ("fourth", 100), ("last", 200), ("first", 1), ("second", 1)]
    await jobs.enqueue_many([JobDraft("work", SUBJECT, {"name": name}, priority) for name, priority in drafts])
    async with running(Runner(jobs, handlers(work=work), concurrency=1)):
        await until(jobs, all_ended)
    assert order == ["first", "second", "third", "fourth", "last"]


async def test_while_something_more_urgent_goes_on_one_job_runs_at_a_time(database: Database) -> None:
    jobs, running_now, most, ended = Jobs(database), 0, [0], asyncio.Event()
    urgent = True
    done = 0

    async def work(context: JobContext) -> None:
        nonlocal running_now, done
        running_now += 1
        most.append(running_now)
        await asyncio.sleep(0.03)
        running_now -= 1
        done += 1
        if done == 8:
            ended.set()

    await jobs.enqueue_many([JobDraft("work", uuid.uuid4()) for _ in range(8)])
    runner = Runner(jobs, handlers(work=work), concurrency=4, poll=0.01, restrained=lambda: urgent)
    async with running(runner), asyncio.timeout(30):
        while done < 3:
            await asyncio.sleep(0.01)
        assert max(most) == 1
        urgent = False
        await ended.wait()
    assert max(most) > 1


async def test_two_who_claim_at_once_never_get_the_same_job(database: Database) -> None:
    jobs = Jobs(database)
    await jobs.enqueue_many([JobDraft("work", SUBJECT) for _ in range(40)])
    claims = await asyncio.gather(*(jobs.claim(f"w{number}", ["work"], 7, LEASE) for number in range(8)))
    taken = [job.id for claim in claims for job in claim]
    assert len(taken) == len(set(taken))
    assert all(len(claim) <= 7 for claim in claims)


async def test_a_job_is_not_due_before_its_time(database: Database) -> None:
    clock = Clock()
    jobs = Jobs(database, clock)
    await jobs.enqueue_many([JobDraft("work", SUBJECT, not_before=clock() + timedelta(hours=1))])
    assert await jobs.claim("w", ["work"], 1, LEASE) == []
    clock.move(hours=1)
    assert len(await jobs.claim("w", ["work"], 1, LEASE)) == 1


async def test_a_kind_without_a_handler_stays_in_the_queue(database: Database) -> None:
    jobs = Jobs(database)
    await jobs.enqueue_many([JobDraft("unknown", SUBJECT)])
    assert await jobs.claim("w", ["work"], 1, LEASE) == []


# leases


async def test_a_job_whose_lease_ran_out_is_anybodys_and_its_first_holder_writes_nothing_more(
    database: Database,
) -> None:
    clock = Clock()
    jobs = Jobs(database, clock)
    await jobs.enqueue_many([JobDraft("work", SUBJECT)])
    [job] = await jobs.claim("first", ["work"], 1, LEASE)
    clock.move(seconds=31)
    [again] = await jobs.claim("second", ["work"], 1, LEASE)
    assert again.id == job.id
    with pytest.raises(LeaseLost):
        await jobs.checkpoint("first", job.id, "step", LEASE, nothing())
    await jobs.end("first", job.id, JobState.FAILED, "late")
    assert await jobs.renew("first", {job.id: 0.5}, LEASE) == set()
    [status] = await jobs.status([SUBJECT])
    assert (status.state, status.error, status.progress) == (JobState.RUNNING, "", 0.0)


async def test_a_renewed_lease_holds(database: Database) -> None:
    clock = Clock()
    jobs = Jobs(database, clock)
    await jobs.enqueue_many([JobDraft("work", SUBJECT)])
    [job] = await jobs.claim("first", ["work"], 1, LEASE)
    for _ in range(5):
        clock.move(seconds=20)
        assert await jobs.renew("first", {job.id: 0.25}, LEASE) == {job.id}
    assert await jobs.claim("second", ["work"], 1, LEASE) == []
    assert (await jobs.status([SUBJECT]))[0].progress == 0.25


async def test_the_heartbeat_keeps_a_long_job_and_tells_its_progress(database: Database) -> None:
    jobs = Jobs(database)
    others: list[object] = []

    async def long(context: JobContext) -> None:
        context.progress(0.5)
        await asyncio.sleep(0.8)
        others.extend(await jobs.claim("other", ["work"], 1, LEASE))
        assert (await jobs.status([SUBJECT]))[0].progress == 0.5

    await jobs.enqueue_many([JobDraft("work", SUBJECT)])
    async with running(Runner(jobs, handlers(work=long), lease=timedelta(seconds=0.45))):
        [job] = await until(jobs, all_ended)
    assert (job.state, job.progress, job.error, others) == (JobState.DONE, 1.0, "", [])


async def test_a_runner_that_lost_its_lease_stops_the_handler(database: Database) -> None:
    jobs = Jobs(database)
    stopped = asyncio.Event()

    async def long(context: JobContext) -> None:
        await database.execute("UPDATE job SET worker = 'other'")
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    await jobs.enqueue_many([JobDraft("work", SUBJECT)])
    async with running(Runner(jobs, handlers(work=long), lease=timedelta(seconds=0.1))), asyncio.timeout(5):
        await stopped.wait()
    assert (await jobs.status([SUBJECT]))[0].state is JobState.RUNNING


async def test_a_runner_that_is_alone_starts_what_a_crash_left_at_once(database: Database) -> None:
    jobs = Jobs(database)
    await jobs.enqueue_many([JobDraft("work", SUBJECT)])
    await jobs.claim("dead", ["work"], 1, timedelta(days=1))

    async def work(context: JobContext) -> None:
        return None

    async with running(Runner(jobs, handlers(work=work), alone=True)):
        [job] = await until(jobs, all_ended)
    assert (job.state, job.attempts) == (JobState.DONE, 2)


async def test_stopping_puts_unfinished_jobs_back_without_blame(database: Database) -> None:
    jobs, begun = Jobs(database), asyncio.Event()

    async def long(context: JobContext) -> None:
        begun.set()
        await asyncio.sleep(60)

    await jobs.enqueue_many([JobDraft("work", SUBJECT)])
    async with running(Runner(jobs, handlers(work=long))):
        await begun.wait()
    [job] = await jobs.status([SUBJECT])
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


# steps


async def test_a_step_that_is_done_is_not_done_again_and_gives_its_output(database: Database) -> None:
    done: list[str] = []

    async def work(context: JobContext) -> None:
        async def one() -> Ids:
            done.append("one")
            return {"blob": "b1", "pages": [1, 2]}

        async def two() -> None:
            done.append("two")
            if done.count("two") < 3:
                raise ValueError

        assert await context.step("one", one) == {"blob": "b1", "pages": [1, 2]}
        assert await context.commit_step("two", two) == {}

    job = await run_one(database, work, max_attempts=3)
    assert (job.state, done) == (JobState.DONE, ["one", "two", "two", "two"])


async def test_what_a_committed_step_writes_is_rolled_back_with_it(database: Database) -> None:
    tries: list[int] = []

    async def work(context: JobContext) -> None:
        async def write() -> None:
            tries.append(1)
            await database.execute("INSERT INTO setting (name, value) VALUES ('written', '')")
            if len(tries) < 2:
                raise ValueError

        await context.commit_step("write", write)

    assert (await run_one(database, work)).state is JobState.DONE
    assert len(await database.fetch("SELECT * FROM setting")) == 1


async def test_progress_made_starts_the_count_of_attempts_again(database: Database) -> None:
    tries: list[int] = []

    async def work(context: JobContext) -> None:
        tries.append(1)
        for number in range(4):
            await context.step(f"s{number}", nothing())
            if len(tries) == number + 1:
                raise ValueError

    job = await run_one(database, work, max_attempts=2)
    assert (job.state, len(tries)) == (JobState.DONE, 5)


# ends


async def test_a_job_that_always_fails_ends_as_failed_and_says_where_but_not_what(database: Database) -> None:
    async def work(context: JobContext) -> None:
        raise ValueError("the privileged contents of the letter")

    job = await run_one(database, work, max_attempts=3)
    assert (job.state, job.attempts) == (JobState.FAILED, 3)
    assert job.error.startswith("ValueError at test_jobs.py:")
    assert job.finished is not None


async def test_attempts_come_later_and_later(database: Database) -> None:
    clock, starts = Clock(), []

    async def work(context: JobContext) -> None:
        starts.append(clock())
        raise ValueError

    await run_one(database, work, clock=clock, max_attempts=4)
    pauses = [after - before for before, after in itertools.pairwise(starts)]
    assert [pause >= timedelta(seconds=least) for pause, least in zip(pauses, (2, 4, 8), strict=True)] == [True] * 3


async def test_a_job_that_kills_its_runners_ends_as_failed(database: Database) -> None:
    clock = Clock()
    jobs = Jobs(database, clock)
    await jobs.enqueue_many([JobDraft("work", SUBJECT, max_attempts=3)])
    for number in range(3):
        assert len(await jobs.claim(f"dead{number}", ["work"], 1, LEASE)) == 1
        clock.move(minutes=1)
    assert await jobs.claim("w", ["work"], 1, LEASE) == []
    [job] = await jobs.status([SUBJECT])
    assert (job.state, job.error) == (JobState.FAILED, "lease expired")


async def test_too_large_is_a_state_of_its_own_and_final(database: Database) -> None:
    async def work(context: JobContext) -> None:
        raise JobTooLarge("pages")

    job = await run_one(database, work, max_attempts=5)
    assert (job.state, job.error, job.attempts) == (JobState.TOO_LARGE, "pages", 1)


async def test_what_can_never_succeed_is_not_tried_again(database: Database) -> None:
    async def work(context: JobContext) -> None:
        raise JobRefused("encrypted")

    job = await run_one(database, work, max_attempts=5)
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, "encrypted", 1)


async def test_a_full_disk_is_not_the_jobs_fault(database: Database) -> None:
    tries: list[int] = []

    async def work(context: JobContext) -> None:
        tries.append(1)
        if len(tries) < 5:
            raise DiskFull

    job = await run_one(database, work, max_attempts=2)
    assert (job.state, len(tries)) == (JobState.DONE, 5)


async def test_one_failing_job_does_not_disturb_the_others(database: Database) -> None:
    async def work(context: JobContext) -> None:
        if context.job.args["number"] == 3:
            raise asyncio.CancelledError

    jobs = Jobs(database)
    await jobs.enqueue_many([JobDraft("work", SUBJECT, {"number": n}, max_attempts=1) for n in range(8)])
    async with running(Runner(jobs, handlers(work=work), concurrency=4)):
        found = await until(jobs, all_ended)
    assert sorted(job.state for job in found) == [JobState.DONE] * 7 + [JobState.FAILED]
