"""The three answers, each by itself: intact, anchored, attributed. Built from what was proven, not from what was not refuted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from deedbox_sync.bundle.index import BundledCase, BundleIndex, IndexedExhibit
from deedbox_verify.custody_check import HeldCustody
from deedbox_verify.device_check import Device
from deedbox_verify.findings import Finding, Findings
from deedbox_verify.log_check import Log
from deedbox_verify.statement_check import HeldStatement
from deedbox_verify.time_check import Anchor, OutsideTime


@dataclass(frozen=True)
class Intact:
    """Bytes, signatures and order agree; `pinned`: under a log key that the reader trusts by other means."""

    yes: bool
    pinned: bool
    faults: int


@dataclass(frozen=True)
class Anchored:
    """`before` is when an outsider had seen the log with the exhibit (with all exhibits, for the bundle) in it, at the latest.

    Without it: `unchecked` tells what is there and could not be judged; none means that there is nothing.
    """

    before: datetime | None
    by: str | None
    unchecked: tuple[str, ...]


@dataclass(frozen=True)
class Attributed:
    """To a device and an operator (`captured`) or to the account that sent it to the box (received only)."""

    yes: bool
    captured: bool
    device: UUID | None
    device_name: str | None
    operator: str | None
    authenticated: str | None
    pinned: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ExhibitVerdict:
    number: int
    id: UUID
    name: str
    size: int
    content: bytes
    captured: datetime | None
    events: int
    withheld: int
    anchored: Anchored
    attributed: Attributed


@dataclass(frozen=True)
class Verdict:
    """Everything the verifier says. `stopped` says why nothing beyond the first check could be judged."""

    bundle: UUID | None
    case: BundledCase | None
    origin: str | None
    intact: Intact
    anchored: Anchored
    attributed: bool
    exhibits: tuple[ExhibitVerdict, ...]
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]
    counted: Mapping[int, str]
    unavailable: bool
    stopped: str | None = None


def stopped_verdict(findings: Findings, why: str) -> Verdict:
    """For a bundle whose index cannot be read."""
    return Verdict(
        bundle=None,
        case=None,
        origin=None,
        intact=Intact(yes=False, pinned=False, faults=findings.total),
        anchored=Anchored(None, None, ("the bundle's index cannot be read",)),
        attributed=False,
        exhibits=(),
        findings=tuple(findings.faults),
        remarks=tuple(findings.remarks),
        counted=findings.counted,
        unavailable=False,
        stopped=why,
    )


@dataclass(frozen=True)
class Proven:
    """What each check leaves standing; see their modules."""

    log: Log | None
    devices: Mapping[UUID, Device]
    uses: frozenset[int]
    statements: Mapping[int, HeldStatement]
    receipts: frozenset[int]
    custody: Mapping[int, HeldCustody]
    time: OutsideTime


def build_verdict(index: BundleIndex, proven: Proven, findings: Findings) -> Verdict:
    exhibits = tuple(_exhibit(exhibit, proven) for exhibit in index.exhibits)
    pinned = proven.log is not None and proven.log.pinned
    return Verdict(
        bundle=index.bundle,
        case=index.case,
        origin=index.origin,
        intact=Intact(yes=findings.total == 0, pinned=pinned, faults=findings.total),
        anchored=_all_anchored(exhibits, proven.time),
        attributed=all(exhibit.attributed.yes for exhibit in exhibits),
        exhibits=exhibits,
        findings=tuple(findings.faults),
        remarks=tuple(findings.remarks),
        counted=findings.counted,
        unavailable=proven.time.unavailable,
    )


def _exhibit(exhibit: IndexedExhibit, proven: Proven) -> ExhibitVerdict:
    statement = proven.statements.get(exhibit.number)
    custody = proven.custody.get(exhibit.number)
    return ExhibitVerdict(
        number=exhibit.number,
        id=exhibit.id,
        name=exhibit.name,
        size=exhibit.size,
        content=exhibit.content,
        captured=statement.statement.captured.time if statement is not None and exhibit.captured else None,
        events=0 if custody is None else len(custody.records) + custody.withheld,
        withheld=0 if custody is None else custody.withheld,
        anchored=_anchored(exhibit, proven),
        attributed=_attributed(exhibit, proven),
    )


def _anchored(exhibit: IndexedExhibit, proven: Proven) -> Anchored:
    """The earliest outside time of a tree that holds the exhibit's entry; only for an exhibit whose receipt holds."""
    if exhibit.number not in proven.receipts:
        return Anchored(None, None, ("its receipt does not hold",))
    over = [anchor for anchor in proven.time.anchors if anchor.size > exhibit.received]
    if not over:
        return Anchored(None, None, proven.time.unchecked)
    first: Anchor = min(over, key=lambda anchor: anchor.time)
    return Anchored(first.time, first.by, ())


def _all_anchored(exhibits: tuple[ExhibitVerdict, ...], time: OutsideTime) -> Anchored:
    """The latest of the exhibits' times, where each has one."""
    latest: Anchored | None = None
    for exhibit in exhibits:
        if exhibit.anchored.before is None:
            return Anchored(None, None, exhibit.anchored.unchecked or time.unchecked)
        if latest is None or latest.before is None or exhibit.anchored.before > latest.before:
            latest = exhibit.anchored
    return latest or Anchored(None, None, time.unchecked)


def _attributed(exhibit: IndexedExhibit, proven: Proven) -> Attributed:
    """Yes only where every link holds: bytes, statement, device key, its record in the log, the receipt, the log's signature."""
    reasons: list[str] = []
    if proven.log is None or not proven.log.signed:
        reasons.append("the log's signature does not hold")
    if exhibit.number not in proven.receipts:
        reasons.append("its receipt does not hold")
    held = proven.statements.get(exhibit.number)
    device: Device | None = None
    if held is None:
        reasons.append("its statement cannot be read")
    else:
        device = proven.devices.get(held.statement.device.id)
        if not held.signed:
            reasons.append("its statement is not signed by its device")
        if not held.matches:
            reasons.append("the original is not the file that its statement speaks of")
        if exhibit.number not in proven.uses:
            reasons.append("nothing proves that the log trusted its device at that time")
    records = proven.custody[exhibit.number].records if exhibit.number in proven.custody else {}
    first = records.get(1)
    if first is None:
        reasons.append("its first custody event does not hold")
    statement = None if held is None else held.statement
    operator: str | None = None
    authenticated: str | None = None
    if exhibit.captured and statement is not None:
        operator, authenticated = statement.operator.name, statement.operator.authenticated
    elif not exhibit.captured and first is not None:
        operator, authenticated = first.actor.name, first.actor.via
    return Attributed(
        yes=not reasons,
        captured=exhibit.captured,
        device=None if device is None else device.id,
        device_name=None if device is None else (device.name or (statement.device.name if statement else None)),
        operator=operator,
        authenticated=authenticated,
        pinned=device is not None and device.pinned,
        reasons=tuple(reasons),
    )
