"""Checks 6 and 7: what happened to each exhibit, without a hole, and the documents derived from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from deedbox_sync import clock, custody
from deedbox_sync.bundle import layout, proven
from deedbox_sync.bundle.index import BundleIndex, IndexedDerived, IndexedExhibit
from deedbox_sync.bundle.proven import CustodyEvent
from deedbox_sync.custody import CustodyRecord
from deedbox_sync.errors import FormatError
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings, counted
from deedbox_verify.log_check import HeldEntry, check_openings

_CUSTODY, _DERIVED = 6, 7


@dataclass(frozen=True)
class HeldCustody:
    """The told records that the log proves, by event number, how many events were withheld, and the case of the first."""

    records: Mapping[int, CustodyRecord]
    withheld: int
    first_case: UUID


def check_custody(
    contents: Contents, index: BundleIndex, held: Mapping[int, HeldEntry], findings: Findings
) -> Mapping[int, HeldCustody]:
    """By exhibit number; an exhibit whose custody.json cannot be read is left out."""
    found: dict[int, HeldCustody] = {}
    for exhibit in index.exhibits:
        where = layout.custody(exhibit.number)
        data = contents.read(_CUSTODY, where, layout.MAX_CUSTODY)
        if data is None:
            continue
        try:
            file = proven.parse_custody(data, where)
        except FormatError as problem:
            findings.fault(_CUSTODY, "custody.form", problem.where, problem.what)
            continue
        if file.exhibit != exhibit.id:
            findings.fault(_CUSTODY, "custody.exhibit", where, "is about another exhibit")
        cases = custody.cases_of([event.record for event in file.events], index.case.id)
        records = _check_chain(cases, exhibit, file.events, held, findings)
        _check_ends(index, exhibit, file.events, records, findings)
        withheld = sum(event.record is None for event in file.events)
        found[exhibit.number] = HeldCustody(records, withheld, cases[0] if cases else index.case.id)
    events = sum(len(one.records) + one.withheld for one in found.values())
    hidden = sum(one.withheld for one in found.values())
    apart = f", {hidden} withheld and accounted for" if hidden else ""
    findings.counted[_CUSTODY] = f"{counted(events, 'event')} without a gap, ending with this export{apart}"
    return found


def _check_chain(
    cases: Sequence[UUID],
    exhibit: IndexedExhibit,
    events: Sequence[CustodyEvent],
    held: Mapping[int, HeldEntry],
    findings: Findings,
) -> Mapping[int, CustodyRecord]:
    """Numbers 1 … n, each record naming the one before, the log's order the same."""
    told: dict[int, CustodyRecord] = {}
    previous, last_index = custody.NO_DIGEST, -1
    for place, event in enumerate(events, 1):
        where = f"exhibit {exhibit.number}, event {place}"
        if event.number != place:
            findings.fault(_CUSTODY, "custody.number", where, f"has the number {event.number}")
        if event.index <= last_index:
            what = f"stands in the log at {event.index}, before the event that it follows"
            findings.fault(_CUSTODY, "custody.order", where, what)
        last_index = event.index
        digest = event.commitment
        if event.record is not None:
            digest = custody.digest(event.record)
            try:
                record = custody.parse(event.record)
            except FormatError as problem:
                findings.fault(_CUSTODY, "custody.form", where, f"{problem.where} {problem.what}")
            else:
                if record.previous != previous:
                    findings.fault(_CUSTODY, "custody.chain", where, "does not name the event before it")
                if _check_told(cases[place - 1], exhibit, event, record, held, where, findings):
                    told[place] = record
        else:
            _check_withheld(cases[place - 1], event, held, where, findings)
        assert digest is not None  # parse_custody: told or withheld
        previous = digest
    return told


def _check_told(
    case: UUID,
    exhibit: IndexedExhibit,
    event: CustodyEvent,
    record: CustodyRecord,
    held: Mapping[int, HeldEntry],
    where: str,
    findings: Findings,
) -> bool:
    faults = findings.total
    if record.exhibit != exhibit.id or record.number != event.number:
        findings.fault(_CUSTODY, "custody.record", where, "is the record of another event")
    entry = held.get(event.index)
    if entry is None:
        findings.fault(_CUSTODY, "custody.entry", where, f"has no log entry {event.index} in the bundle that holds")
        return False
    if entry.entry.kind != f"exhibit.{record.kind}":
        findings.fault(_CUSTODY, "custody.kind", where, f"is {record.kind}, its log entry says {entry.entry.kind}")
    values = check_openings(_CUSTODY, "custody.opening", where, event.openings, entry.entry, findings)
    for field in sorted(set(entry.entry.commitments) - {opening.field for opening in event.openings}):
        findings.fault(_CUSTODY, "custody.opening", where, f"does not open {field} of its log entry")
    assert event.record is not None
    try:
        expected = custody.committed_values(record, event.record, case)
    except ValueError:  # a kind unknown here, whose detail has a digest that is none
        findings.fault(_CUSTODY, "custody.form", where, "has a digest in its detail that is not one")
        return False
    found = record.detail.get("clock") if record.kind == "received" else None
    word = found.get("finding") if isinstance(found, Mapping) else None
    told = {"clock": word} if word in (clock.AHEAD, clock.BEHIND) else {}
    if entry.entry.data != told:
        findings.fault(_CUSTODY, "custody.clock", where, "has a log entry that says another thing of the desk's clock")
    for field, value in expected.items():
        if field in values and values[field] != value:
            what = "is logged for another case" if field == "case" else f"is logged with another {field}"
            findings.fault(_CUSTODY, f"custody.{field}", where, what)
        elif field not in entry.entry.commitments:
            findings.fault(_CUSTODY, f"custody.{field}", where, f"has a log entry that commits to no {field}")
    if record.kind == custody.REFILED and record.detail["to"] != str(case):
        findings.fault(_CUSTODY, "custody.case", where, f"was refiled to case {record.detail['to']}, and is not there")
    for field in sorted(set(values) - set(expected)):
        findings.fault(_CUSTODY, f"custody.{field}", where, f"is logged with a {field} that its record does not have")
    return findings.total == faults


def _check_withheld(
    case: UUID, event: CustodyEvent, held: Mapping[int, HeldEntry], where: str, findings: Findings
) -> None:
    entry = held.get(event.index)
    if entry is None:
        findings.fault(_CUSTODY, "custody.entry", where, f"has no log entry {event.index} in the bundle that holds")
        return
    if not entry.entry.kind.startswith("exhibit."):
        findings.fault(_CUSTODY, "custody.kind", where, f"is withheld, and its log entry says {entry.entry.kind}")
    values = check_openings(_CUSTODY, "custody.opening", where, event.openings, entry.entry, findings)
    if values.get("record") != event.commitment:
        findings.fault(_CUSTODY, "custody.record", where, "is withheld, and its log entry is not opened to its digest")
    if values.get("case", case.bytes) != case.bytes:
        findings.fault(_CUSTODY, "custody.case", where, "is logged for another case")


def _check_ends(
    index: BundleIndex,
    exhibit: IndexedExhibit,
    events: Sequence[CustodyEvent],
    records: Mapping[int, CustodyRecord],
    findings: Findings,
) -> None:
    """The first event tells of the receipt, the last of this very export."""
    where = f"exhibit {exhibit.number}"
    first = records.get(1)
    if first is None or first.kind != "received":
        findings.fault(_CUSTODY, "custody.first", where, "has a custody that does not begin with its receipt")
    else:
        if events[0].index != exhibit.received:
            what = f"was received at log entry {events[0].index}, data/bundle.json says {exhibit.received}"
            findings.fault(_CUSTODY, "custody.first", where, what)
        told = (first.detail["statement"], first.detail["content"], first.detail["size"], first.detail["captured"])
        if told != (exhibit.statement.hex(), exhibit.content.hex(), exhibit.size, exhibit.captured):
            what = "has a first event that tells of another statement, content or size, or of another way in"
            findings.fault(_CUSTODY, "custody.first", where, what)
    last = records.get(len(events))
    if last is None or last.kind != "exported" or last.detail["bundle"] != str(index.bundle):
        what = "has a custody that does not end with this export: events after the last one told may be missing"
        findings.fault(_CUSTODY, "custody.last", where, what)
    if exhibit.exported != len(events):
        what = f"has {len(events)} custody events, data/bundle.json says that its export is number {exhibit.exported}"
        findings.fault(_CUSTODY, "custody.last", where, what)


def check_derived(
    contents: Contents, index: BundleIndex, custodies: Mapping[int, HeldCustody], findings: Findings
) -> None:
    """Each derived document is the one that its `derived` event tells of."""
    count = 0
    for exhibit in index.exhibits:
        found = custodies.get(exhibit.number)
        for derived in exhibit.derived:
            count += 1
            _check_one(contents, exhibit, derived, {} if found is None else found.records, findings)
        bundled = {derived.id for derived in exhibit.derived}
        if found is not None:
            absent = [record for record in found.records.values() if _is_absent(record, bundled)]
            if absent:
                forms = ", ".join(sorted({str(record.detail["form"]) for record in absent}))
                findings.remark(f"Exhibit {exhibit.number}: derived and not in this bundle: {forms}.")
    text = f"{counted(count, 'document')}, each as it was logged when it was made"
    findings.counted[_DERIVED] = text if count else "none in this bundle"


def _is_absent(record: CustodyRecord, bundled: set[UUID]) -> bool:
    return record.kind == "derived" and UUID(str(record.detail["derived"])) not in bundled


def _check_one(
    contents: Contents,
    exhibit: IndexedExhibit,
    derived: IndexedDerived,
    records: Mapping[int, CustodyRecord],
    findings: Findings,
) -> None:
    where = f"exhibit {exhibit.number}, {derived.form}"
    if not derived.path.startswith(f"data/exhibits/{exhibit.number}/derived/"):
        findings.fault(_DERIVED, "derived.path", where, f"lies at {derived.path}, not with its exhibit")
    record = records.get(derived.event)
    if record is None or record.kind != "derived":
        what = f"is not told of by event {derived.event}, or that event does not hold"
        findings.fault(_DERIVED, "derived.event", where, what)
    else:
        told = (record.detail["derived"], record.detail["form"], record.detail["content"], record.detail["size"])
        if told != (str(derived.id), derived.form, derived.content.hex(), derived.size):
            findings.fault(_DERIVED, "derived.event", where, f"is not the document that event {derived.event} tells of")
    measured = contents.measures.get(derived.path)
    if measured is None:
        findings.fault(_DERIVED, "file.missing", derived.path, "is missing or cannot be read")
    elif (measured.sha256, measured.size) != (derived.content, derived.size):
        findings.fault(_DERIVED, "derived.content", derived.path, "is not the document that was made")
