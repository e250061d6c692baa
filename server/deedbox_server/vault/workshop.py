"""What all writers and readers of a vault share: threads, buffers, places, keys; and jobs in order on those threads."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from mmap import mmap
from typing import TypeVar

from deedbox_server.vault.key_store import KeyStore
from deedbox_server.vault.places import Places
from deedbox_sync.tink_stream import SEGMENT

SEGMENTS_A_BLOCK = (
    4  # sealed and written by one call; more gains nothing measurable, and a writer has up to four blocks
)
BLOCK = SEGMENTS_A_BLOCK * SEGMENT
_SPARE_BUFFERS = 12  # kept for reuse, 48 MiB: two large uploads at full speed

_Result = TypeVar("_Result")


class Buffers:
    """Page-aligned blocks that are used again: fresh pages cost as much as encrypting them. Any thread may call."""

    def __init__(self) -> None:
        self._spare: deque[mmap] = deque(maxlen=_SPARE_BUFFERS)

    def take(self) -> mmap:
        try:
            return self._spare.pop()
        except IndexError:
            return mmap(-1, BLOCK)

    def give(self, buffer: mmap) -> None:
        self._spare.append(buffer)


@dataclass(frozen=True)
class Workshop:
    places: Places
    keys: KeyStore
    threads: ThreadPoolExecutor
    buffers: Buffers

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Do this in a thread. Cancelled, it waits for the thread all the same: what comes next must not overtake it."""
        done = asyncio.wrap_future(self.threads.submit(work))
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            while not done.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([done])
            if not done.cancelled():
                done.exception()  # seen, so that nobody reports it as forgotten
            raise


class Lane:
    """Jobs one after another, in order, on a pool's threads. After one has failed, none that follows is begun."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.failure: BaseException | None = None
        self._threads = threads
        self._lock = threading.Lock()
        self._jobs: deque[tuple[Callable[[], object], Future[None]]] = deque()
        self._busy = False

    def submit(self, job: Callable[[], object]) -> Future[None]:
        """Queue a job. Its future is done when it has run or will never run; it carries no error, `failure` does."""
        done: Future[None] = Future()
        with self._lock:
            self._jobs.append((job, done))
            if self._busy:
                return done
            self._busy = True
        self._threads.submit(self._drain)
        return done

    def _drain(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._busy = False
                    return
                job, done = self._jobs.popleft()
            if self.failure is None:
                try:
                    job()
                except BaseException as error:  # whoever waits for the lane raises it
                    self.failure = error
            done.set_result(None)


async def settled(done: Future[None]) -> None:
    """Wait for a lane's job. Being cancelled here leaves the job alone."""
    if not done.done():
        await asyncio.shield(asyncio.wrap_future(done))
