"""The trusted half of reading: hands sealed bytes to a worker inside the walls, listens, measures, and ends it.

Whatever a worker does, a call ends within its time with a `WorkerResult`; the box itself never parses a document.
"""

import asyncio
import platform
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from deedbox_server.documents import seccomp
from deedbox_server.documents.kinds import HEAD_BYTES, Kind, kind_of
from deedbox_server.documents.limits import WorkerLimits
from deedbox_server.documents.process_tree import resident_bytes
from deedbox_server.documents.sandbox import Sandbox, SandboxUnavailable, find_sandbox
from deedbox_server.documents.sealed_input import sealed, sealed_bytes
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress, ProtocolError, ResultReader, WorkerResult
from deedbox_server.documents.worker_request import WorkerRequest, encode_request

# -I: nothing from the environment or a user's folder is imported; -B: nothing could be written anyway.
WORKER = (sys.executable, "-I", "-B", "-X", "utf8", "-m", "deedbox_server.documents.worker_main")
_READ = 64 * 1024
_WATCH_SECONDS = 0.1
_END_SECONDS = 5.0  # between the last byte of an answer and the end of its process
_GONE_SECONDS = 1.0  # for a killed namespace to be gone
_PROBE_SECONDS = 20.0
_SIGXCPU_EXIT = 128 + 24


class Source(Protocol):
    """The bytes of an exhibit, as the vault gives them."""

    @property
    def size(self) -> int: ...

    def read(self, start: int, end: int) -> AsyncIterator[bytes]: ...


class Dispatcher:
    """Runs at most `slots` workers at a time, each with `limits`. `hidden` is what no worker may ever see: the data folder."""

    def __init__(
        self,
        *,
        hidden: tuple[Path, ...],
        limits: WorkerLimits,
        languages: tuple[str, ...],
        slots: int,
        jobs: int = 1,
        program: tuple[str, ...] = WORKER,
    ) -> None:
        self._hidden = hidden
        self._limits = limits
        self._languages = languages
        self._jobs = jobs
        self._program = program
        self._sandbox: Sandbox | None = None
        self._probing = asyncio.Lock()
        self._slots: asyncio.Queue[int] = asyncio.Queue()
        for slot in range(slots):
            self._slots.put_nowait(slot)

    async def sandbox(self) -> Sandbox:
        """The walls, proven once to stand on this machine. SandboxUnavailable says why they do not; the next call tries again."""
        async with self._probing:
            if self._sandbox is None:
                sandbox = find_sandbox(hidden=self._hidden)
                await self._probe(sandbox)
                self._sandbox = sandbox
            return self._sandbox

    async def read(self, source: Source, progress: Callable[[Progress], None] = lambda _: None) -> WorkerResult:
        """Read one document. Every outcome is a result with its state; only failures of `source` itself are raised."""
        head = b"".join([piece async for piece in source.read(0, min(source.size, HEAD_BYTES))])
        kind = kind_of(head)
        if kind is Kind.NOTHING:
            return _ended(ReadState.NOTHING_TO_READ)
        if source.size > self._limits.input_bytes:
            return _ended(ReadState.TOO_LARGE)
        try:
            sandbox = await self.sandbox()
        except SandboxUnavailable as error:
            return _ended(ReadState.NO_SANDBOX, str(error))
        request = WorkerRequest(kind, self._languages, self._jobs, self._limits.recognised_pages)
        slot = await self._slots.get()
        try:
            async with sealed(source.read(0, source.size)) as document:
                return await self._work(sandbox, slot, document, request, progress)
        finally:
            self._slots.put_nowait(slot)

    async def _work(
        self, sandbox: Sandbox, slot: int, document: int, request: WorkerRequest, progress: Callable[[Progress], None]
    ) -> WorkerResult:
        argv = (*self._program, encode_request(request).decode())
        reader = ResultReader(limit=self._limits.result_bytes)
        try:
            async with (
                asyncio.timeout(self._limits.seconds),
                _started(sandbox, argv, self._limits, slot, document) as worker,
            ):
                watch = asyncio.create_task(_watch(worker, self._limits.memory_bytes))
                try:
                    await _listen(worker, reader, progress)
                    status = await _ending(worker)
                finally:
                    watch.cancel()
        except TimeoutError:
            return _ended(ReadState.OUT_OF_TIME)
        except ProtocolError:
            return _ended(ReadState.WORKER_REFUSED)
        if watch.done() and not watch.cancelled():
            return _ended(ReadState.OUT_OF_MEMORY)
        if status != 0:
            return _ended(ReadState.OUT_OF_TIME if status == _SIGXCPU_EXIT else ReadState.WORKER_DIED)
        try:
            return reader.result()
        except ProtocolError:
            return _ended(ReadState.WORKER_REFUSED)

    async def _probe(self, sandbox: Sandbox) -> None:
        """Start a program that does nothing, inside the same walls."""
        try:
            with sealed_bytes(b"") as nothing:
                async with (
                    asyncio.timeout(_PROBE_SECONDS),
                    _started(sandbox, ("/usr/bin/true",), self._limits, 0, nothing, errors=PIPE) as worker,
                ):
                    assert worker.stderr is not None
                    said = await worker.stderr.read(400)
                    status = await worker.wait()
        except TimeoutError:
            raise SandboxUnavailable("bubblewrap did not start in time") from None
        except OSError as error:
            raise SandboxUnavailable(f"bubblewrap cannot be started: {error.strerror}") from error
        if status != 0:
            raise SandboxUnavailable(f"the walls do not stand: {said.decode(errors='replace').strip()}")


@asynccontextmanager
async def _started(
    sandbox: Sandbox, argv: tuple[str, ...], limits: WorkerLimits, slot: int, document: int, *, errors: int = DEVNULL
) -> AsyncIterator[Process]:
    """A worker in its walls, whose whole process tree is gone when this ends: bubblewrap's death ends its namespace."""
    with sealed_bytes(seccomp.program(platform.machine())) as calls:
        command = sandbox.command(argv, limits=limits, slot=slot, seccomp_fd=calls)
        worker = await asyncio.create_subprocess_exec(
            *command, stdin=document, stdout=PIPE, stderr=errors, pass_fds=(calls,), env={}, cwd="/"
        )
        try:
            yield worker
        finally:
            with suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()
            await _drained(worker)


async def _watch(worker: Process, memory_bytes: int) -> None:
    """Kill the worker and return once its processes together hold more than this."""
    while resident_bytes(worker.pid) <= memory_bytes:  # noqa: ASYNC110 - there is no event to wait for: /proc is polled
        await asyncio.sleep(_WATCH_SECONDS)
    with suppress(ProcessLookupError):
        worker.kill()


async def _drained(worker: Process) -> None:
    """Wait until the last process of the namespace has let go of the pipe, so that the slot's next worker starts alone."""
    assert worker.stdout is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(_GONE_SECONDS):
            while await worker.stdout.read(_READ):
                pass


async def _listen(worker: Process, reader: ResultReader, progress: Callable[[Progress], None]) -> None:
    assert worker.stdout is not None
    while data := await worker.stdout.read(_READ):
        if (latest := reader.feed(data)) is not None:
            progress(latest)


async def _ending(worker: Process) -> int:
    try:
        async with asyncio.timeout(_END_SECONDS):
            return await worker.wait()
    except TimeoutError:
        return -1


def _ended(state: ReadState, note: str = "") -> WorkerResult:
    return WorkerResult(state, 0, note, "")
