"""`./deedbox bench sync`: one large file and many small ones, from drop to verified receipt, beside others and beside the limit.

All contenders in turn, each with the same bytes from a warm page cache, on one file system, over the loopback device, in
one run: the ratios are what counts. With several rounds the median is shown.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.contender import Contender, Run, TooSlow
from bench.deedbox_side import Deedbox
from bench.limit import Limit
from bench.machine import Machine, this_machine
from bench.material import Material, make_material
from bench.rclone_side import Rclone
from bench.syncthing_side import Syncthing

SMALL_SIZE: Final = 20 << 10
_MIB: Final = 1 << 20

AIMS: Final = {
    "large_to_syncthing": 2.0,
    "large_to_limit": 0.6,
    "small_files_per_second": 1000.0,
    "peak_mib_a_side": 200.0,
}


@dataclass(frozen=True)
class Result:
    """One contender's runs of one task; `missing` says why there are none."""

    name: str
    ends_with: str
    runs: tuple[Run, ...]
    missing: str | None

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    def peaks(self) -> dict[str, float]:
        return {side: max(run.costs[side].peak_mib for run in self.runs) for side in self.runs[0].costs}

    def processor_seconds(self) -> dict[str, float]:
        runs = self.runs
        return {side: statistics.median(run.costs[side].processor_seconds for run in runs) for side in runs[0].costs}


@dataclass(frozen=True)
class Task:
    """One kind of material and what came of it, contender by contender."""

    files: int
    size: int
    results: tuple[Result, ...]

    @property
    def bytes(self) -> int:
        return self.files * self.size

    def speed(self, name: str) -> float | None:
        """MiB/s, None for who did not take part."""
        result = self._of(name)
        return None if result is None else self.bytes / _MIB / result.seconds

    def files_per_second(self, name: str) -> float | None:
        result = self._of(name)
        return None if result is None else self.files / result.seconds

    def ratio(self, name: str, to: str) -> float | None:
        one, other = self._of(name), self._of(to)
        return None if one is None or other is None else other.seconds / one.seconds

    def _of(self, name: str) -> Result | None:
        return next((result for result in self.results if result.name == name and result.runs), None)


@dataclass(frozen=True)
class SyncReport:
    machine: Machine
    large: Task
    small: Task

    def figures(self) -> dict[str, float | None]:
        """What the aims are about."""
        peaks = [peak for task in (self.large, self.small) for peak in _deedbox(task).peaks().values()]
        return {
            "large_to_syncthing": self.large.ratio(Deedbox.name, Syncthing.name),
            "large_to_limit": self.large.ratio(Deedbox.name, Limit.name),
            "small_files_per_second": self.small.files_per_second(Deedbox.name),
            "peak_mib_a_side": max(peaks),
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "bench": "sync",
            "machine": asdict(self.machine),
            "large": _task_json(self.large),
            "small": _task_json(self.small),
            "figures": self.figures(),
            "aims": AIMS,
        }


def _deedbox(task: Task) -> Result:
    return next(result for result in task.results if result.name == Deedbox.name)


def run(folder: Path, *, size: int, files: int, rounds: int, tell: Callable[[str], None]) -> SyncReport:
    """Measure in a new folder below `folder`, which is removed afterwards. It must hold three times the large file."""
    folder.mkdir(parents=True, exist_ok=True)
    contenders: tuple[Contender, ...] = (Limit(), Deedbox(), Syncthing(), Rclone())
    machine = this_machine()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as place:
        root = Path(place)
        tasks = []
        for name, count, each in (("large", 1, size), ("small", files, SMALL_SIZE)):
            tell(f"making {count} {'file' if count == 1 else 'files'} of {each / _MIB:,.2f} MiB")
            material = make_material(root / name, count, each)
            tasks.append(_measure(contenders, material, root / "scratch", rounds, tell))
            shutil.rmtree(material.root)
    return SyncReport(machine, tasks[0], tasks[1])


def _measure(
    contenders: Sequence[Contender], material: Material, scratch: Path, rounds: int, tell: Callable[[str], None]
) -> Task:
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    missing = {contender.name: contender.missing() for contender in contenders}
    for number in range(rounds):
        for contender in contenders:
            if missing[contender.name] is not None:
                continue
            tell(f"{contender.name}, round {number + 1} of {rounds}")
            scratch.mkdir()
            try:
                material.warm()
                runs[contender.name].append(contender.run(material, scratch))
            except TooSlow as error:
                missing[contender.name] = f"gave no result: {error}"
            finally:
                shutil.rmtree(scratch)
    results = [Result(one.name, one.ends_with, tuple(runs[one.name]), missing[one.name]) for one in contenders]
    return Task(material.files, material.size, tuple(results))


def _task_json(task: Task) -> dict[str, Any]:
    contenders: dict[str, dict[str, Any]] = {}
    for result in task.results:
        if not result.runs:
            contenders[result.name] = {"missing": result.missing}
            continue
        contenders[result.name] = {
            "ends_with": result.ends_with,
            "seconds": [run.seconds for run in result.runs],
            "mib_per_second": task.speed(result.name),
            "files_per_second": task.files_per_second(result.name),
            "of_the_limit": task.ratio(result.name, Limit.name),
            "peak_mib": result.peaks(),
            "processor_seconds": result.processor_seconds(),
        }
    return {"files": task.files, "size": task.size, "contenders": contenders}


def lines(report: SyncReport) -> list[str]:
    """The report for people."""
    shown = [
        report.machine.line(),
        "",
        f"One file of {report.large.size / (1 << 30):.2f} GiB",
        _head("MiB/s"),
        *(_line(report.large, result, report.large.speed(result.name)) for result in report.large.results),
        "",
        f"{report.small.files:,} files of {report.small.size >> 10} KiB",
        _head("files/s"),
        *(_line(report.small, result, report.small.files_per_second(result.name)) for result in report.small.results),
        "",
        "Each clock runs from the drop until:",
        *(f"  {result.name}: {result.ends_with}" for result in report.large.results),
        "",
    ]
    words = {
        "large_to_syncthing": "large file, times Syncthing",
        "large_to_limit": "large file, part of the limit",
        "small_files_per_second": "small files a second",
        "peak_mib_a_side": "peak memory of the larger side, MiB",
    }
    for name, value in report.figures().items():
        said = "not measured" if value is None else f"{value:,.2f}"
        comparison = "under" if name == "peak_mib_a_side" else "at least"
        shown.append(f"{words[name]}: {said} (aim: {comparison} {AIMS[name]:,g})")
    return shown


def _head(unit: str) -> str:
    return f"  {'':<24}{unit:>10}{'of the limit':>14}{'× Syncthing':>14}   peak MiB and processor seconds by side"


def _line(task: Task, result: Result, speed: float | None) -> str:
    if speed is None:
        return f"  {result.name:<24}{result.missing}"
    of_limit = task.ratio(result.name, Limit.name) or 0.0
    against = task.ratio(result.name, Syncthing.name)
    sides = ", ".join(f"{side} {_cost(result, side)}" for side in result.runs[0].costs)
    return f"  {result.name:<24}{speed:>10,.0f}{of_limit:>14.2f}{'–' if against is None else f'{against:.2f}':>14}   {sides}"


def _cost(result: Result, side: str) -> str:
    return f"{result.peaks()[side]:.0f}, {result.processor_seconds()[side]:.1f} s"
