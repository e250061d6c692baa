"""Where type is set: short papers in a thread, long ones in a process beside the box, so that uploads go on meanwhile.

Setting takes about a MiB and a twentieth of a second a page and holds the interpreter's lock much of the time. A process is used
once, so that its memory goes with it; it has no keys and no database, and what it is given and gives goes through pipes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from deedbox_server.errors import Unavailable

LONG = 40  # pages, as guessed: from here on a process is worth the second or two that it takes to start

Result = TypeVar("Result")


class Press:
    """Used from one event loop. The first long paper starts it."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[[], Result], pages: int) -> Result:
        """The result of `work`, which must be something that pickle takes where it is long. Unavailable if it was killed."""
        if pages < LONG:
            return await asyncio.to_thread(work)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BrokenProcessPool:
            self._pool = None
            raise Unavailable("The paper is too long for this machine now: try again, or make several.") from None

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
