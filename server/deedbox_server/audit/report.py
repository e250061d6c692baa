"""What an audit found, in words that name the place."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be. `where` names it: an entry, an exhibit, a file and page."""

    where: str
    what: str


@dataclass
class Report:
    """Findings, and how much was looked at, so that an empty list can be judged."""

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, where: str, what: str) -> None:
        self.findings.append(Finding(where, what))

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    @property
    def clean(self) -> bool:
        return not self.findings
