"""What the figures were measured on, and what processes cost it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SAMPLE_SECONDS: Final = 0.1
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Machine:
    cores: int
    processor: str
    memory_mib: int
    system: str
    load: (
        float  # runnable tasks in the minute before: more than a few tenths, and others had their share of the figures
    )

    def line(self) -> str:
        """For people."""
        cores = f"{self.cores} cores of {self.processor}, {self.memory_mib:,} MiB, {self.system}"
        return f"{cores}; load before: {self.load:.1f}"


def this_machine() -> Machine:
    processor = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB
    name = os.uname()
    return Machine(
        len(os.sched_getaffinity(0)), processor, memory, f"{name.sysname} {name.release}", os.getloadavg()[0]
    )


@dataclass(frozen=True)
class Cost:
    """What a process and all its children took: the most memory at one moment, and processor time."""

    peak_mib: float
    processor_seconds: float


class Watch(threading.Thread):
    """Samples the memory of a process and its children until `stop`. Shared pages count for each of them: never too little."""

    def __init__(self, process: int) -> None:
        super().__init__(name="memory", daemon=True)
        self._process = process
        self._peak = 0
        self._stopping = threading.Event()
        self._before = self._used = _processor_seconds(process)
        self.start()

    def run(self) -> None:
        while not self._stopping.wait(_SAMPLE_SECONDS):
            self._peak = max(self._peak, sum(_memory(process, "VmRSS") for process in _tree(self._process)))
            self._used = max(self._used, _processor_seconds(self._process))

    def stop(self) -> Cost:
        """The cost so far. What a short peak between two samples was, the kernel has kept for the process itself.

        Of a process that has ended meanwhile, what the last sample saw.
        """
        self._stopping.set()
        self.join()
        peak = max(self._peak, _memory(self._process, "VmHWM"))
        used = max(self._used, _processor_seconds(self._process))
        return Cost(peak / _MIB, used - self._before)


def _tree(process: int) -> list[int]:
    found = [process]
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    return found


def _memory(process: int, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) << 10
    return 0


def _processor_seconds(process: int) -> float:
    """User and system time of a process, of its children that live, and of those that it has seen end."""
    ticks = 0
    for one in _tree(process):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS
