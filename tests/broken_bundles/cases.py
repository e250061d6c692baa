"""One bundle of the set: how it is made, under which trust it is judged, and the verdict that it must get.

Verdicts are stated here, by whoever made the fault, from the format pages; no verifier was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bundle_maker import Files

#: Either a bundle's files, or the very bytes of a ZIP.
Make = Callable[[], "Files | bytes"]

ALL_THREE = "intact,anchored,attributed"


@dataclass(frozen=True)
class Expected:
    """What every verifier must say. `codes` is the set of its findings' codes, no more and no less.

    `intact`, `anchored` (`before`, `unchecked`, `none`) and `attributed` are the answers; all None, and no codes, where it
    cannot be checked (status 2).
    """

    status: int
    intact: str | None
    anchored: str | None
    attributed: str | None
    codes: frozenset[str] = frozenset()


GOOD = Expected(0, "yes", "before", "yes")
UNCHECKABLE = Expected(2, None, None, None)


@dataclass(frozen=True)
class Case:
    """`fault` says in words what is wrong; it is empty where nothing is. `trust` names the file of pinned keys."""

    name: str
    fault: str
    make: Make
    expected: Expected
    folder: bool = False
    trust: str = "all"
    require: str = ALL_THREE

    def __str__(self) -> str:
        return self.name


def broken(
    name: str,
    fault: str,
    make: Make,
    *codes: str,
    anchored: str = "before",
    attributed: str = "yes",
    folder: bool = False,
    trust: str = "all",
) -> Case:
    """A bundle that is not intact."""
    return Case(name, fault, make, Expected(1, "no", anchored, attributed, frozenset(codes)), folder, trust)


def refused(name: str, fault: str, make: Make) -> Case:
    """What is not even looked at."""
    return Case(name, fault, make, UNCHECKABLE)
