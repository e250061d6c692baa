"""kill -9 of the process that runs jobs, at random instants: what was recorded is never done again, nothing is left out."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

from deedbox_server.database import Database, open_database
from deedbox_server.jobs import JobDraft, Jobs, JobState
from deedbox_server.settings import Settings

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "kit" / "job_runner_process.py"
KEY = bytes(range(32))
JOBS = 150
STEPS = ("one", "two", "three", "four")


class Runner:
    """The runner's process."""

    def __init__(self, data: Path, url: str) -> None:
        self._process = subprocess.Popen([sys.executable, str(PROGRAM), str(data), url, str(data)])

    async def kill(self) -> None:
        assert self._process.poll() is None, "the runner ended by itself"
        self._process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)


def traced(data: Path) -> list[str]:
    trace = data / "trace"
    return trace.read_text().splitlines() if trace.exists() else []


async def recorded(database: Database) -> set[str]:
    rows = await database.fetch("SELECT job, name FROM job_step")
    return {f"{row['job']} {row['name']}" for row in rows}


async def test_killed_at_random_instants_every_step_is_recorded_once_and_never_repeated(
    database_url: str, tmp_path: Path
) -> None:
    kills = int(os.environ.get("DEEDBOX_TEST_KILLS", "6"))
    settings = Settings(data=tmp_path, database_url=database_url or None, postgres_volume_encrypted=True)
    database = await open_database(settings, KEY)
    jobs = Jobs(database)
    subject = uuid.uuid4()
    await jobs.enqueue_many([JobDraft("work", subject, max_attempts=kills + 2) for _ in range(JOBS)])

    frozen: dict[str, int] = {}  # how often each step that is recorded as done had been done by then

    async def check_and_freeze() -> None:
        lines = Counter(traced(tmp_path))
        assert {step: lines[step] for step in frozen} == frozen
        frozen.update({step: lines[step] for step in await recorded(database) if step in lines})

    for _ in range(kills):
        runner = Runner(tmp_path, database_url)
        before = len(traced(tmp_path))
        async with asyncio.timeout(30):
            while len(traced(tmp_path)) < before + 10 and (await jobs.counts())[JobState.DONE] < JOBS:
                await asyncio.sleep(0.01)
        await asyncio.sleep(random.random() * 0.2)
        await runner.kill()
        await check_and_freeze()

    runner = Runner(tmp_path, database_url)
    async with asyncio.timeout(60):
        while (await jobs.counts())[JobState.DONE] < JOBS:
            await asyncio.sleep(0.05)
    await runner.kill()
    await check_and_freeze()

    ids = [job.id for job in await jobs.status([subject])]
    expected = {f"{job} {name}" for job in ids for name in STEPS}
    assert {row["name"] for row in await database.fetch("SELECT name FROM setting")} == expected
    lines = Counter(traced(tmp_path))
    assert lines.keys() == expected
    torn = lines.total() - len(expected)  # done, but killed before it was recorded: one for each hand at each kill
    assert torn <= 4 * kills
    await database.close()
