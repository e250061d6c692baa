"""The box's VRF key at work: a few proofs in a thread, many in processes beside the box, so that uploads go on meanwhile."""

from __future__ import annotations

import asyncio
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from deedbox_server.notary import prover_process
from deedbox_server.notary.prover_process import VERIFY, Minted
from deedbox_sync.beacon import Beacon
from deedbox_sync.identifier import Minter

_ALONE: Final = 16  # proofs that are sooner made in a thread than handed over: some five milliseconds
_PIECE: Final = 50  # proofs that a process makes at a time: two batches under way share the processes fairly
_MOST: Final = 4  # processes, however many cores there are: intake and workers want some, too
_END_SECONDS: Final = 5.0

_Result = TypeVar("_Result")
_Item = TypeVar("_Item")


class Provers:
    """Used from one event loop. Processes start when a batch first wants them and end with `close`, or with the box."""

    def __init__(self, seed: bytes, namespace: str, *, processes: int | None = None) -> None:
        self._minter = Minter(seed, namespace)
        self._first = seed + namespace.encode()
        self._count = min(processes or len(os.sched_getaffinity(0)), _MOST)
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="prover")

    @property
    def key(self) -> bytes:
        return self._minter.key

    @property
    def namespace(self) -> str:
        return self._minter.namespace

    async def mint(self, beacon: Beacon | None, items: Sequence[tuple[bytes, int]]) -> list[Minted]:
        """Records for contents and counters, in order."""

        def here(piece: Sequence[tuple[bytes, int]]) -> list[Minted]:
            return prover_process.mint_all(self._minter, beacon, piece)

        def there(process: _Process, piece: Sequence[tuple[bytes, int]]) -> list[Minted]:
            return prover_process.decode_minted(process.ask(prover_process.encode_mint(beacon, piece)))

        return await self._spread(items, here, there)

    async def verify(self, records: Sequence[bytes]) -> list[str]:
        """For each record what is wrong with it, or the empty text. Beacons and issuers are not looked at."""

        def there(process: _Process, piece: Sequence[bytes]) -> list[str]:
            return [fault.decode() for fault in prover_process.split(process.ask(VERIFY + prover_process.join(piece)))]

        return await self._spread(records, prover_process.verify_all, there)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        while not self._idle.empty():
            await asyncio.to_thread(self._idle.get_nowait().end)

    async def _spread(
        self,
        items: Sequence[_Item],
        here: Callable[[Sequence[_Item]], list[_Result]],
        there: Callable[[_Process, Sequence[_Item]], list[_Result]],
    ) -> list[_Result]:
        loop = asyncio.get_running_loop()
        if len(items) <= _ALONE:
            return await loop.run_in_executor(self._threads, here, items)
        pieces = [items[at : at + _PIECE] for at in range(0, len(items), _PIECE)]
        done = await asyncio.gather(
            *(loop.run_in_executor(self._threads, self._beside, piece, here, there) for piece in pieces)
        )
        return [result for part in done for result in part]

    def _beside(
        self,
        piece: Sequence[_Item],
        here: Callable[[Sequence[_Item]], list[_Result]],
        there: Callable[[_Process, Sequence[_Item]], list[_Result]],
    ) -> list[_Result]:
        """In a process; in this thread where there is none to be had, or it died: the results are the same."""
        try:
            process = self._process()
        except OSError:
            return here(piece)
        try:
            results = there(process, piece)
        except (OSError, EOFError):
            process.end()
            return here(piece)
        self._idle.put(process)
        return results

    def _process(self) -> _Process:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return _Process(self._first)


class _Process:
    """One prover, asked from one thread at a time. The seed goes through the pipe, where no other user can look."""

    def __init__(self, first: bytes) -> None:
        self._running = subprocess.Popen(
            [sys.executable, "-m", prover_process.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            cwd="/",
        )
        self._send(first)

    def ask(self, job: bytes) -> bytes:
        """OSError or EOFError where the process has died."""
        self._send(job)
        assert self._running.stdout is not None
        answer = prover_process.read_frame(self._running.stdout)
        if answer is None:
            raise EOFError("the prover has ended")
        return answer

    def end(self) -> None:
        for pipe in (self._running.stdin, self._running.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # it died with something of ours unread
                continue
        try:
            self._running.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()

    def _send(self, frame: bytes) -> None:
        assert self._running.stdin is not None
        prover_process.write_frame(self._running.stdin, frame)
