"""The trusted half of reading: hands sealed bytes to a worker inside the walls, listens, measures, and ends it.

Whatever a worker does, a call ends within its time with a `WorkerResult`; the box itself never parses a document.
"""

import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from deedbox_server.documents import seccomp
from deedbox_server.documents.kinds import HEAD_BYTES, Kind, kind_of
from deedbox_server.documents.limits import MIB, WorkerLimits
from deedbox_server.documents.sandbox import Sandbox, SandboxUnavailable, find_sandbox
from deedbox_server.documents.sealed_input import sealed, sealed_bytes
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_process import Ending, Refused, WorkerProcess
from deedbox_server.documents.worker_protocol import Progress, ProtocolError, ResultReader, WorkerResult
from deedbox_server.documents.worker_request import WorkerRequest, encode_request
from deedbox_server.settings import Settings

# -I: nothing from the environment or a user's folder is imported; -B: nothing could be written anyway.
WORKER = (sys.executable, "-I", "-B", "-X", "utf8", "-m", "deedbox_server.documents.worker_main")
_PROBE_SECONDS = 20.0
_SIGXCPU_EXIT = 128 + 24
_STATES = {
    Ending.OUT_OF_TIME: ReadState.OUT_OF_TIME,
    Ending.OUT_OF_MEMORY: ReadState.OUT_OF_MEMORY,
    Ending.REFUSED: ReadState.WORKER_REFUSED,
}


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

    @classmethod
    def of(cls, settings: Settings) -> "Dispatcher":
        """As the settings say. Each worker takes its share of the processors for the pages of its document."""
        limits = WorkerLimits(
            memory_bytes=settings.worker_memory_mb * MIB,
            seconds=float(settings.worker_seconds),
            scratch_bytes=settings.worker_scratch_mb * MIB,
        )
        return cls(
            hidden=(settings.data,),
            limits=limits,
            languages=settings.ocr_languages,
            slots=settings.worker_count,
            jobs=max(1, len(os.sched_getaffinity(0)) // settings.worker_count),
        )

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
        return await self._give(source, b"", progress)

    async def copy(
        self, source: Source, overlay: bytes, progress: Callable[[Progress], None] = lambda _: None
    ) -> WorkerResult:
        """A PDF copy of a PDF or picture with `overlay` (a PDF of our own) laid over it; the outcomes are those of `read`."""
        return await self._give(source, overlay, progress)

    async def _give(self, source: Source, overlay: bytes, progress: Callable[[Progress], None]) -> WorkerResult:
        head = b"".join([piece async for piece in source.read(0, min(source.size, HEAD_BYTES))])
        kind = kind_of(head)
        if kind is Kind.NOTHING or (overlay and kind is not Kind.PDF and not kind.is_image):
            return _ended(ReadState.NOTHING_TO_READ)
        if source.size + len(overlay) > self._limits.input_bytes:
            return _ended(ReadState.TOO_LARGE)
        try:
            sandbox = await self.sandbox()
        except SandboxUnavailable as error:
            return _ended(ReadState.NO_SANDBOX, str(error))
        request = WorkerRequest(kind, self._languages, self._jobs, self._limits.recognised_pages, len(overlay))
        slot = await self._slots.get()
        try:
            async with sealed(_followed(source.read(0, source.size), overlay)) as document:
                return await self._work(sandbox, slot, document, request, progress)
        finally:
            self._slots.put_nowait(slot)

    async def _work(
        self, sandbox: Sandbox, slot: int, document: int, request: WorkerRequest, progress: Callable[[Progress], None]
    ) -> WorkerResult:
        argv = (*self._program, encode_request(request).decode())
        reader = ResultReader(limit=self._limits.result_bytes)

        def hear(data: bytes) -> None:
            try:
                latest = reader.feed(data)
            except ProtocolError as error:
                raise Refused from error
            if latest is not None:
                progress(latest)

        ending, worker = await self._inside(sandbox, slot, argv, document, self._limits.seconds, hear)
        if ending is not Ending.EXITED:
            return _ended(_STATES[ending])
        if worker.status != 0:
            return _ended(ReadState.OUT_OF_TIME if worker.status == _SIGXCPU_EXIT else ReadState.WORKER_DIED)
        try:
            return reader.result()
        except ProtocolError:
            return _ended(ReadState.WORKER_REFUSED)

    async def _probe(self, sandbox: Sandbox) -> None:
        """Start a program that does nothing, inside the same walls."""
        try:
            with sealed_bytes(b"") as nothing:
                ending, worker = await self._inside(
                    sandbox, 0, ("/usr/bin/true",), nothing, _PROBE_SECONDS, lambda _: None, hear_complaints=True
                )
        except OSError as error:
            raise SandboxUnavailable(f"bubblewrap cannot be started: {error.strerror}") from error
        if ending is not Ending.EXITED or worker.status != 0:
            said = worker.complaint.decode(errors="replace").strip()
            raise SandboxUnavailable(f"the walls do not stand: {said or ending.name}")

    async def _inside(
        self,
        sandbox: Sandbox,
        slot: int,
        argv: tuple[str, ...],
        stdin: int,
        seconds: float,
        hear: Callable[[bytes], None],
        *,
        hear_complaints: bool = False,
    ) -> tuple[Ending, WorkerProcess]:
        worker = WorkerProcess(hear)
        with sealed_bytes(seccomp.program(platform.machine())) as calls:
            ending = await worker.run(
                sandbox.command(argv, limits=self._limits, slot=slot, seccomp_fd=calls),
                stdin=stdin,
                pass_fds=(calls,),
                seconds=seconds,
                memory_bytes=self._limits.memory_bytes,
                hear_complaints=hear_complaints,
            )
        return ending, worker


async def _followed(pieces: AsyncIterator[bytes], last: bytes) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece
    if last:
        yield last


def _ended(state: ReadState, note: str = "") -> WorkerResult:
    return WorkerResult(state, 0, note, "")
