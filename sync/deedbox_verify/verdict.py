"""The three answers, each by itself: intact, anchored, attributed. Built from what was proven, not from what was not refuted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from deedbox_sync import clock
from deedbox_sync.bundle.index import BundledCase, BundleIndex, IndexedExhibit
from deedbox_verify.custody_check import HeldCustody
from deedbox_verify.device_check import Device
from deedbox_verify.findings import Finding, Findings
from deedbox_verify.log_check import Log
from deedbox_verify.outside_time import HeldStamp, OutsideTime
from deedbox_verify.statement_check import HeldStatement

#: A desk's clock may be off by as much without being called wrong (formats/time.md, Clock).
CLOCK_LIMIT = timedelta(milliseconds=clock.LIMIT_MS)


@dataclass(frozen=True)
class Intact:
    """Bytes, signatures and order agree; `pinned`: under a log key that the reader trusts by other means."""

    yes: bool
    pinned: bool
    faults: int


@dataclass(frozen=True)
class Anchored:
    """Between `after`, a beacon's round, and `before`, when an outsider had seen the log with the exhibit in it: the bracket.

    For the bundle: after the earliest of the exhibits' rounds, before the latest of the anchors, where each has one. Where
    there is no anchor, `unchecked` tells what is there and could not be judged; none means that there is nothing.
    """

    after: datetime | None = None
    after_by: str | None = None
    before: datetime | None = None
    by: str | None = None
    unchecked: tuple[str, ...] = ()


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
    """`captured` is by the desk's own clock, `captured_after` the round in its statement.

    `clock` says whether what the desk's clock said lies between that round and the anchor: `within`, `early` or `late` by
    more than CLOCK_LIMIT, `unknown` where there is neither; None where no desk captured it.
    """

    number: int
    id: UUID
    name: str
    size: int
    content: bytes
    captured: datetime | None
    captured_after: datetime | None
    captured_after_by: str | None
    clock: str | None
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
    stamps: tuple[HeldStamp, ...]
    unavailable: bool
    stopped: str | None = None


def stopped_verdict(findings: Findings, why: str) -> Verdict:
    """For a bundle whose index cannot be read."""
    return Verdict(
        bundle=None,
        case=None,
        origin=None,
        intact=Intact(yes=False, pinned=False, faults=findings.total),
        anchored=Anchored(unchecked=("the bundle's index cannot be read",)),
        attributed=False,
        exhibits=(),
        findings=tuple(findings.faults),
        remarks=tuple(findings.remarks),
        counted=findings.counted,
        stamps=(),
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
    for one in exhibits:
        _tell_clock(one, proven, findings)
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
        stamps=proven.time.stamps,
        unavailable=proven.time.unavailable,
    )


def _exhibit(exhibit: IndexedExhibit, proven: Proven) -> ExhibitVerdict:
    statement = proven.statements.get(exhibit.number)
    custody = proven.custody.get(exhibit.number)
    anchored = _anchored(exhibit, proven)
    captured = statement.statement.captured.time if statement is not None and exhibit.captured else None
    since = proven.time.captures.get(exhibit.number)
    return ExhibitVerdict(
        number=exhibit.number,
        id=exhibit.id,
        name=exhibit.name,
        size=exhibit.size,
        content=exhibit.content,
        captured=captured,
        captured_after=None if since is None else since.time,
        captured_after_by=None if since is None else since.by,
        clock=_clock(captured, None if since is None else since.time, anchored.before),
        events=0 if custody is None else len(custody.records) + custody.withheld,
        withheld=0 if custody is None else custody.withheld,
        anchored=anchored,
        attributed=_attributed(exhibit, proven),
    )


def _anchored(exhibit: IndexedExhibit, proven: Proven) -> Anchored:
    """The bracket of the exhibit's log entry; only for an exhibit whose receipt holds."""
    if exhibit.number not in proven.receipts:
        return Anchored(unchecked=("its receipt does not hold",))
    begun = [proven.time.not_before(exhibit.received), proven.time.captures.get(exhibit.number)]
    after = max((one for one in begun if one is not None), key=lambda one: one.time, default=None)
    before = proven.time.not_after(exhibit.received)
    return Anchored(
        after=None if after is None else after.time,
        after_by=None if after is None else after.by,
        before=None if before is None else before.time,
        by=None if before is None else before.by,
        unchecked=proven.time.unchecked if before is None else (),
    )


def _all_anchored(exhibits: tuple[ExhibitVerdict, ...], time: OutsideTime) -> Anchored:
    """From the earliest of the exhibits' rounds to the latest of their anchors, each where all exhibits have one."""
    after = [(one.anchored.after, one.anchored.after_by) for one in exhibits if one.anchored.after is not None]
    before = [(one.anchored.before, one.anchored.by) for one in exhibits if one.anchored.before is not None]
    first = min(after, key=lambda one: one[0]) if len(after) == len(exhibits) else (None, None)
    last = max(before, key=lambda one: one[0]) if len(before) == len(exhibits) else (None, None)
    reasons = (one.anchored.unchecked for one in exhibits if one.anchored.before is None)
    unchecked = next(reasons, ()) or time.unchecked
    return Anchored(
        after=first[0],
        after_by=first[1],
        before=last[0],
        by=last[1],
        unchecked=() if last[0] is not None else unchecked,
    )


def _clock(captured: datetime | None, since: datetime | None, before: datetime | None) -> str | None:
    if captured is None:
        return None
    if since is not None and captured < since - CLOCK_LIMIT:
        return "early"
    if before is not None and captured > before + CLOCK_LIMIT:
        return "late"
    return "unknown" if since is None and before is None else "within"


def _tell_clock(exhibit: ExhibitVerdict, proven: Proven, findings: Findings) -> None:
    """A clock that was wrong is no fault: the bracket stands without it."""
    said = (
        ""
        if exhibit.captured is None
        else f"Exhibit {exhibit.number}: the desk's clock said {moment(exhibit.captured)}; "
    )
    if exhibit.clock == "early" and exhibit.captured_after is not None:
        after = moment(exhibit.captured_after)
        findings.remark(f"{said}the record shows it was captured after {after} ({exhibit.captured_after_by}).")
    elif exhibit.clock == "late" and exhibit.anchored.before is not None:
        before = moment(exhibit.anchored.before)
        findings.remark(f"{said}the record shows it was captured before {before} ({exhibit.anchored.by}).")
    custody = proven.custody.get(exhibit.number)
    first = None if custody is None else custody.records.get(1)
    found = None if first is None else first.detail.get("clock")
    offset = found.get("offset_ms") if isinstance(found, Mapping) else None
    if isinstance(offset, int) and abs(offset) > clock.LIMIT_MS:
        findings.remark(
            f"Exhibit {exhibit.number}: when it came, the box found the desk's clock {clock.apart(offset)}."
        )


def moment(time: datetime) -> str:
    """A time as a sentence has it."""
    return f"{time.day} {time:%B} {time.year}, {time:%H:%M:%S} UTC"


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
