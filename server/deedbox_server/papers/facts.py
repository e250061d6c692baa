"""What the record says of a case's exhibits, gathered once for one paper. Nothing in here was typed for the paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from deedbox_server.cases import Case
from deedbox_server.evidence.exhibits import Exhibit
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.custody import CustodyRecord
from deedbox_sync.statement import CaptureStatement

_CALLS_ITSELF = re.compile(r"\b(ex|exh|exhibit)\b", re.IGNORECASE)


@dataclass(frozen=True)
class LoggedEvent:
    """A custody event, the digest of its record, and its place in the log (None: not there yet)."""

    record: CustodyRecord
    digest: bytes
    index: int | None


@dataclass(frozen=True)
class Desk:
    """The device that captured: what the box knows of it beyond its own words."""

    name: str
    platform: str
    paired: datetime
    revoked: datetime | None


@dataclass(frozen=True)
class Rehash:
    """The stored bytes, read and hashed again for this paper. `findings` are sentences: none means that all agree."""

    time: datetime
    size: int
    digests: Mapping[str, bytes]
    findings: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not self.findings


@dataclass(frozen=True)
class ExhibitFacts:
    """One exhibit. `mark` is its number for the court, `exhibit.number` the firm's own."""

    exhibit: Exhibit
    mark: str
    captured: CaptureStatement
    events: tuple[LoggedEvent, ...]
    bracket: Bracket
    desk: Desk | None
    rehash: Rehash | None = None

    @property
    def name(self) -> str:
        """How sentences call it: `Exhibit PX-001`, but `Smith Ex. 3` as it is."""
        return self.mark if _CALLS_ITSELF.search(self.mark) else f"Exhibit {self.mark}"

    @property
    def by_desk(self) -> bool:
        """Captured by one of the firm's desks; else the box received bytes as they are."""
        return self.exhibit.captured_by_desk

    @property
    def received(self) -> CustodyRecord:
        return self.events[0].record

    @property
    def clock(self) -> tuple[str, int | None] | None:
        """What the box found of the desk's clock when it took the statement: a word, and milliseconds where known."""
        found = self.received.detail.get("clock")
        if not isinstance(found, dict):
            return None
        offset = found.get("offset_ms")
        return str(found.get("finding")), offset if isinstance(offset, int) else None


@dataclass(frozen=True)
class Record:
    """The record for one paper, as of `made`."""

    paper: UUID
    made: datetime
    case: Case
    box: str
    box_id: UUID
    version: str
    log: str
    log_key: str
    log_size: int
    exhibits: tuple[ExhibitFacts, ...]
