"""One process tree from start to certain end: heard, timed, weighed, and gone when the call returns."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import cast

from deedbox_server.documents.process_tree import resident_bytes

_WATCH_SECONDS = 0.1
_GONE_SECONDS = 2.0  # for the last process of a killed namespace to let go of the pipes
_COMPLAINT = 400  # bytes of stderr that are kept, where it is heard at all


class Ending(Enum):
    """Why a process ended."""

    EXITED = auto()
    OUT_OF_TIME = auto()
    OUT_OF_MEMORY = auto()
    REFUSED = auto()


class Refused(Exception):
    """Raised by the listener: what the process says is not worth another byte."""


class WorkerProcess(asyncio.SubprocessProtocol):
    """Runs a command once. `status` is its exit status, `complaint` the first bytes of stderr if these are heard."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear
        self._transport: asyncio.SubprocessTransport | None = None
        self._gone = asyncio.get_running_loop().create_future()
        self._refused = False
        self.complaint = b""
        self.status: int | None = None

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: int,
        pass_fds: tuple[int, ...],
        seconds: float,
        memory_bytes: int,
        hear_complaints: bool = False,
    ) -> Ending:
        """Start it with this file as stdin and wait for the end of all its processes, which comes in any case.

        The command must end its own descendants when it is killed, as bubblewrap does. OSError where it cannot be started.
        """
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: self,
            *command,
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE if hear_complaints else DEVNULL,
            pass_fds=pass_fds,
            env={},
            cwd="/",
        )
        watch = asyncio.create_task(self._watch(transport, memory_bytes))
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._gone)
        except TimeoutError:
            return Ending.OUT_OF_TIME
        finally:
            watch.cancel()
            _kill(transport)
            with suppress(TimeoutError):
                async with asyncio.timeout(_GONE_SECONDS):
                    await asyncio.shield(self._gone)
            transport.close()
            self.status = transport.get_returncode()
        if self._refused:
            return Ending.REFUSED
        if watch.done() and not watch.cancelled():
            return Ending.OUT_OF_MEMORY
        return Ending.EXITED

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every loop's transport is a subclass: uvloop's only has the same methods.
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self.complaint = (self.complaint + data)[:_COMPLAINT]
        elif not self._refused:
            try:
                self._hear(data)
            except Refused:
                self._refused = True
                assert self._transport is not None
                _kill(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called once the process has exited and every pipe is closed."""
        if not self._gone.done():
            self._gone.set_result(None)

    @staticmethod
    async def _watch(transport: asyncio.SubprocessTransport, memory_bytes: int) -> None:
        """Kill the process and return once it and its descendants together hold more than this."""
        process = transport.get_pid()
        while resident_bytes(process) <= memory_bytes:  # noqa: ASYNC110 - there is no event to wait for: /proc is polled
            await asyncio.sleep(_WATCH_SECONDS)
        _kill(transport)


def _kill(transport: asyncio.SubprocessTransport) -> None:
    with suppress(ProcessLookupError):
        transport.kill()
