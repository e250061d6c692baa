"""A process that runs jobs until it is killed; for crash tests. Arguments: data folder, database URL or "", folder for traces."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from deedbox_server.database import Database, open_database
from deedbox_server.jobs import Handlers, JobContext, Jobs, Runner
from deedbox_server.settings import Settings

KEY = bytes(range(32))
STEPS = ("one", "two", "three", "four")


def trace(folder: Path, line: str) -> None:
    """Append a line that a kill cannot tear (the page cache outlives the process)."""
    descriptor = os.open(folder / "trace", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


async def main(data: Path, url: str, traces: Path) -> None:
    settings = Settings(data=data, database_url=url or None, postgres_volume_encrypted=True)
    database: Database = await open_database(settings, KEY)

    async def work(context: JobContext) -> None:
        job = context.job

        for name in STEPS:

            async def outside(name: str = name) -> dict[str, str]:
                trace(traces, f"{job.id} {name}")
                return {"did": name}

            async def inside(name: str = name) -> None:
                await database.execute("INSERT INTO setting (name, value) VALUES ({}, '')", f"{job.id} {name}")

            await context.step(name, outside)
            await context.commit_step(f"{name}-committed", inside)

    handlers = Handlers()
    handlers.register("work", work)
    runner = Runner(
        Jobs(database),
        handlers,
        concurrency=4,
        lease=timedelta(seconds=1),
        poll=0.05,
        alone=database.dialect == "sqlite",
    )
    await runner.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
