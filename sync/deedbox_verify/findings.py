"""What the checks found: faults, each with its place, and remarks that are no faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deedbox_sync.errors import FormatError, SyncError

#: The checks of formats/bundle.md, in order, as a person reads them.
CHECKS = {
    1: "files",
    2: "log",
    3: "entries",
    4: "statements",
    5: "receipts",
    6: "custody",
    7: "derived",
    8: "devices",
    9: "outside time",
}
FILES = 1
MAX_KEPT = 1_000  # faults told one by one; a bundle with more is told by their number


@dataclass(frozen=True)
class Finding:
    """One fault. `code` is stable, for machines; `where` is a path or an exhibit and event; `what` is a sentence's end."""

    check: int
    code: str
    where: str
    what: str


class Findings:
    """Collects in the order found. `total` counts also the faults past MAX_KEPT."""

    def __init__(self) -> None:
        self.faults: list[Finding] = []
        self.remarks: list[str] = []
        self.counted: dict[int, str] = {}
        self.total = 0

    def fault(self, check: int, code: str, where: str, what: str) -> None:
        self.total += 1
        if len(self.faults) < MAX_KEPT:
            self.faults.append(Finding(check, code, where, what))

    def remark(self, text: str) -> None:
        if len(self.remarks) < MAX_KEPT:
            self.remarks.append(text)

    @contextmanager
    def catching(self, check: int, code: str, where: str) -> Iterator[None]:
        """A SyncError inside becomes a fault here."""
        try:
            yield
        except FormatError as problem:
            inside = "" if problem.where == where else f"{problem.where} "
            self.fault(check, code, where, f"{inside}{problem.what}")
        except SyncError as problem:
            self.fault(check, code, where, str(problem))


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"
