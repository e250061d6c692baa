"""Check 5: each receipt is for this exhibit and against this bundle's checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

from deedbox_sync import note, receipt
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.index import BundleIndex, IndexedExhibit
from deedbox_sync.errors import FormatError, SyncError
from deedbox_sync.receipt import MAX_RECEIPT, Receipt
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings, counted
from deedbox_verify.log_check import HeldEntry, Log

_CHECK = 5


def check_receipts(
    contents: Contents, index: BundleIndex, log: Log | None, held: Mapping[int, HeldEntry], findings: Findings
) -> frozenset[int]:
    """The numbers of the exhibits whose receipt holds in every part."""
    sound = [exhibit.number for exhibit in index.exhibits if _check_receipt(contents, exhibit, log, held, findings)]
    findings.counted[_CHECK] = f"{counted(len(sound), 'receipt')}, each for its statement and bytes"
    return frozenset(sound)


def _check_receipt(
    contents: Contents, exhibit: IndexedExhibit, log: Log | None, held: Mapping[int, HeldEntry], findings: Findings
) -> bool:
    where = layout.receipt(exhibit.number)
    data = contents.read(_CHECK, where, MAX_RECEIPT)
    if data is None:
        return False
    try:
        parsed = receipt.parse(data)
    except FormatError as problem:
        findings.fault(_CHECK, "receipt.form", where, f"{problem.where} {problem.what}")
        return False
    faults = findings.total
    _check_against_log(parsed, exhibit, log, held, where, findings)
    if log is not None and findings.total == faults:
        try:
            receipt.verify_receipt(parsed, log.vkey, statement=exhibit.statement, content=exhibit.content)
        except SyncError as problem:
            findings.fault(_CHECK, "receipt.proof", where, str(problem))
    return log is not None and findings.total == faults


def _check_against_log(
    parsed: Receipt,
    exhibit: IndexedExhibit,
    log: Log | None,
    held: Mapping[int, HeldEntry],
    where: str,
    findings: Findings,
) -> None:
    if parsed.index != exhibit.received:
        what = f"is for log entry {parsed.index}, the exhibit was received at {exhibit.received}"
        findings.fault(_CHECK, "receipt.index", where, what)
    entry = held.get(exhibit.received)
    if entry is None:
        what = f"cannot be held against log entry {exhibit.received}: the bundle has none that holds"
        findings.fault(_CHECK, "receipt.entry", where, what)
    elif entry.encoded != parsed.entry:
        findings.fault(_CHECK, "receipt.entry", where, f"has other bytes for log entry {exhibit.received} than the log")
    elif entry.entry.kind != "exhibit.received":
        findings.fault(_CHECK, "receipt.entry", where, f"is for a log entry of the kind {entry.entry.kind}")
    if log is not None and parsed.note != log.text:
        findings.fault(
            _CHECK, "receipt.checkpoint", where, f"is not against the bundle's checkpoint{_size(parsed, log)}"
        )


def _size(parsed: Receipt, log: Log) -> str:
    try:
        size = note.parse_checkpoint(note.parse_note(parsed.note).body).size
    except SyncError:
        return ", and its own cannot be read"
    if size == log.checkpoint.size:
        return ""
    return f": its tree has {size} entries, the bundle's {log.checkpoint.size}"
