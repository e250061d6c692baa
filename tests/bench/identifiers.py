"""`./deedbox bench ids`: identifiers a second in batches, end to end, beside the proofs a second that this machine could make.

The box is real, a process of its own, asked over TLS on the loopback device by clients that sign each call. An identifier counts
when the answer has come: its proof made, its record durable, its entry staged. The limit is the same proofs and nothing
else, on all cores at once: no request, no record, no database. Both ways to use the cores are tried, the better one counts.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.contender import free_port
from bench.machine import Machine, Watch, this_machine
from deedbox_checkout.local_box import LocalBox
from deedbox_sync import ecvrf, identifier
from deedbox_sync.canonical_json import Fields
from kit.signed_http import VERIFY, SignedHttp

BATCH: Final = identifier.MAX_BATCH
_CLIENTS: Final = 3  # so that one batch is proven while another is stored and a third is on its way
_SINGLES: Final = 30
_SAMPLE: Final = 50  # identifiers that are looked up and verified afterwards
_PROOFS: Final = 2_000  # of each core, for the limit

AIMS: Final = {"identifiers_per_second": 10_000.0}


@dataclass(frozen=True)
class IdentifierReport:
    """`limit` is proofs a second on all cores, the better of threads and processes; `single_ms` the median of one at a time.

    The microseconds are processor time, of the box with its processes for an identifier, and of a bare proof: these two can be
    compared on a machine that has other work, too.
    """

    machine: Machine
    count: int
    batch: int
    identifiers_per_second: float
    identifier_us: float
    proof_us: float
    single_ms: float
    proofs_in_threads: float
    proofs_in_processes: float

    @property
    def limit(self) -> float:
        return max(self.proofs_in_threads, self.proofs_in_processes)

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.identifiers_per_second / self.limit


def run(folder: Path, *, count: int, tell: Callable[[str], None]) -> IdentifierReport:
    folder.mkdir(parents=True, exist_ok=True)
    machine = this_machine()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as place:
        box = LocalBox(Path(place) / "box", Path(place) / "secrets", people_port=free_port(), device_port=free_port())
        box.create()
        try:
            box.start()
            caller = SignedHttp.of(box)
            caller.mint(BATCH)  # its provers have started
            tell(f"minting {count:,} identifiers in batches of {BATCH:,}")
            assert box.process is not None
            watch = Watch(box.process.pid)
            per_second, minted = _batches(caller, count)
            cost = watch.stop().processor_seconds / count
            tell("minting one at a time")
            single = statistics.median(_timed(lambda: caller.mint(1)) for _ in range(_SINGLES))
            _look_up(caller, minted)
            caller.close()
        finally:
            box.kill()
        tell("making nothing but proofs")
        threads, proof = _proofs_in_threads()
        processes = _proofs_in_processes()
    return IdentifierReport(
        machine, count, BATCH, per_second, cost * 1e6, proof * 1e6, single * 1000, threads, processes
    )


# --- the box


def _batches(caller: SignedHttp, count: int) -> tuple[float, list[bytes]]:
    """Identifiers a second from the first request to the last answer, and the answers."""
    todo: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    for start in range(0, count, BATCH):
        todo.put(min(BATCH, count - start))
    answers: list[bytes] = []
    faults: list[BaseException] = []

    def client() -> None:
        try:
            while (size := todo.get()) is not None:
                answers.append(caller.mint(size))
        except BaseException as fault:  # told by the thread that waits for this one
            faults.append(fault)
        finally:
            caller.close()

    clients = [threading.Thread(target=client) for _ in range(_CLIENTS)]
    for _ in clients:
        todo.put(None)
    began = time.perf_counter()
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    seconds = time.perf_counter() - began
    if faults:
        raise faults[0]
    return count / seconds, answers


def _look_up(caller: SignedHttp, answers: list[bytes]) -> None:
    """A sample of what was answered is known to the box and holds; and no identifier was given twice."""
    records = [record for answer in answers for record in json.loads(answer)["records"]]
    if len({record["id"] for record in records}) != len(records):
        raise RuntimeError("an identifier was given twice")
    for members in Random(1).sample(records, min(_SAMPLE, len(records))):
        identifier.verify_record(identifier.read_record(Fields(members, "record")))
        told: Mapping[str, Any] = json.loads(caller.call("GET", VERIFY + members["id"]))
        if told["record"] != members:
            raise RuntimeError(f"{members['id']} is not known as it was answered")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# --- the limit


def _prove(count: int) -> None:
    prover = ecvrf.Prover(bytes(32))
    alpha = os.urandom(230)  # as long as an identifier's
    for number in range(count):
        prover.prove(alpha + number.to_bytes(4))


def _proofs_in_threads() -> tuple[float, float]:
    """How many a second, and the processor seconds of one."""
    threads = [threading.Thread(target=_prove, args=(_PROOFS,)) for _ in range(_cores())]
    began, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = len(threads) * _PROOFS
    return count / (time.perf_counter() - began), (time.process_time() - used) / count


def _proofs_in_processes() -> float:
    with multiprocessing.get_context("fork").Pool(_cores()) as pool:
        pool.map(_prove, [1] * _cores())
        began = time.perf_counter()
        pool.map(_prove, [_PROOFS] * _cores(), chunksize=1)
        return _cores() * _PROOFS / (time.perf_counter() - began)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


# --- the report


def lines(report: IdentifierReport) -> list[str]:
    return [
        report.machine.line(),
        "",
        f"Identifiers a second, {report.count:,} in signed calls of {report.batch:,}: {report.identifiers_per_second:,.0f}"
        f" (aim: {AIMS['identifiers_per_second']:,.0f})",
        f"  proven, durable in encrypted SQLite, staged for the log; one alone: {report.single_ms:.1f} ms",
        f"Proofs a second and nothing else, on all cores: {report.limit:,.0f}"
        f" (in threads {report.proofs_in_threads:,.0f}, in processes {report.proofs_in_processes:,.0f})",
        f"  the box reaches {report.share:.0%} of that; an identifier takes {report.identifier_us:.0f} µs of processor time,"
        f" a bare proof {report.proof_us:.0f} µs",
    ]
