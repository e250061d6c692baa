"""What every way of moving files from here to there is asked, and what it answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.machine import Cost
from bench.material import Material


@dataclass(frozen=True)
class Run:
    """From the drop to the end, whatever the contender calls its end. `costs` by side."""

    seconds: float
    costs: Mapping[str, Cost] = field(default_factory=dict)


class Contender(Protocol):
    name: str
    ends_with: str  # what holds when its clock stops

    def missing(self) -> str | None:
        """Why it cannot take part, or None."""

    def run(self, material: Material, scratch: Path) -> Run:
        """Move the material once, all state in the empty folder `scratch`, which is on the material's file system."""


class TooSlow(Exception):
    """A contender did not come to its end in a time that makes any sense."""


def wait_for(what: str, holds: Callable[[], bool], *, seconds: float, every: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TooSlow(f"{what}: not within {seconds:.0f} seconds")
        time.sleep(every)


def patience(material: Material) -> float:
    """Seconds after which a run is given up: a twentieth of the speed that any of them should have."""
    return 120.0 + material.bytes / (10 << 20) + material.files / 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
