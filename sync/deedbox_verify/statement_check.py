"""Check 4: each statement, its signature, and the bytes it speaks of."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_sync import dsse, statement
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.index import BundleIndex, IndexedExhibit
from deedbox_sync.bundle.names import safe_name, shown
from deedbox_sync.bundle.sigstore import encode_sigstore
from deedbox_sync.dsse import MAX_ENVELOPE, Envelope
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.statement import CaptureStatement
from deedbox_verify.contents import Contents
from deedbox_verify.device_check import Device
from deedbox_verify.findings import Findings, counted
from deedbox_verify.reader import Progress

_CHECK = 4


@dataclass(frozen=True)
class HeldStatement:
    """A statement that could be read. `signed`: by its device's key; `matches`: the original is what it speaks of."""

    statement: CaptureStatement
    digest: bytes
    signed: bool
    matches: bool


def check_statements(
    contents: Contents, index: BundleIndex, devices: Mapping[UUID, Device], findings: Findings, progress: Progress
) -> Mapping[int, HeldStatement]:
    """By exhibit number."""
    held: dict[int, HeldStatement] = {}
    for exhibit in index.exhibits:
        found = _check_statement(contents, index, exhibit, devices, findings, progress)
        if found is not None:
            held[exhibit.number] = found
    _check_journals(held, findings)
    findings.counted[_CHECK] = f"{counted(len(held), 'statement')}, signed, each about the very bytes of its original"
    return held


def check_cases(
    index: BundleIndex, statements: Mapping[int, HeldStatement], first_cases: Mapping[int, UUID], findings: Findings
) -> None:
    """Each statement is for the case in which its custody begins: the bundle's, but where the exhibit was refiled."""
    for number, held in statements.items():
        case, first = held.statement.case, first_cases.get(number, index.case.id)
        if case is not None and case != first:
            what = f"is for case {case}, the bundle's is {index.case.id}"
            if first != index.case.id:
                what = f"is for case {case}, its custody begins in case {first}"
            findings.fault(_CHECK, "statement.case", layout.statement(number), what)


def _check_statement(
    contents: Contents,
    index: BundleIndex,
    exhibit: IndexedExhibit,
    devices: Mapping[UUID, Device],
    findings: Findings,
    progress: Progress,
) -> HeldStatement | None:
    where = layout.statement(exhibit.number)
    data = contents.read(_CHECK, where, MAX_ENVELOPE)
    if data is None:
        return None
    try:
        envelope = dsse.parse(data)
        parsed = statement.parse_payload(envelope.payload)
    except FormatError as problem:
        findings.fault(_CHECK, "statement.form", where, f"{problem.where} {problem.what}")
        return None
    if not isinstance(parsed, CaptureStatement):
        findings.fault(_CHECK, "statement.form", where, "is about a gap in a journal, not about a file")
        return None
    digest = statement.digest(envelope.payload)
    if digest != exhibit.statement:
        findings.fault(_CHECK, "statement.digest", where, "is not the statement that data/bundle.json names")
    if parsed.file.name != exhibit.name:
        findings.fault(_CHECK, "statement.name", where, f"is about a file called {shown(parsed.file.name)}")
    if exhibit.captured == (parsed.device.id == index.box):
        what = "is by the box itself" if exhibit.captured else "is by a desk"
        told = "captured" if exhibit.captured else "received only"
        findings.fault(_CHECK, "statement.captured", where, f"{what}, data/bundle.json says {told}")
    signed = _check_signature(contents, exhibit, envelope, parsed, devices, findings)
    return HeldStatement(parsed, digest, signed, _check_original(contents, exhibit, parsed, findings, progress))


def _check_signature(
    contents: Contents,
    exhibit: IndexedExhibit,
    envelope: Envelope,
    parsed: CaptureStatement,
    devices: Mapping[UUID, Device],
    findings: Findings,
) -> bool:
    where = layout.statement(exhibit.number)
    device = devices.get(parsed.device.id)
    if device is None:
        what = f"is by device {parsed.device.id}, of which the bundle has no readable file"
        findings.fault(_CHECK, "statement.device", where, what)
        return False
    if sha256(device.key).digest() != parsed.device.key:
        findings.fault(_CHECK, "statement.key", where, "names another key than its device has")
    path = layout.sigstore(exhibit.number)
    twin = contents.read(_CHECK, path, 2 * MAX_ENVELOPE)
    if twin is not None and twin != encode_sigstore(envelope, device.key):
        findings.fault(_CHECK, "statement.sigstore", path, "is not the same statement in Sigstore's form")
    try:
        dsse.verify(envelope, Ed25519PublicKey.from_public_bytes(device.key))
    except ProofError:
        findings.fault(_CHECK, "statement.signature", where, f"is not signed by device {device.id}")
        return False
    return sha256(device.key).digest() == parsed.device.key


def _check_original(
    contents: Contents, exhibit: IndexedExhibit, parsed: CaptureStatement, findings: Findings, progress: Progress
) -> bool:
    path = layout.original(exhibit.number, safe_name(exhibit.name))
    faults = findings.total
    if exhibit.path != path:
        findings.fault(_CHECK, "statement.path", layout.INDEX, f"has exhibit {exhibit.number} elsewhere than at {path}")
    if (exhibit.content, exhibit.size) != (parsed.content, parsed.file.size):
        what = f"does not say the same of exhibit {exhibit.number} as its statement"
        findings.fault(_CHECK, "statement.index", layout.INDEX, what)
    measured = contents.measures.get(path)
    if measured is None:
        findings.fault(_CHECK, "file.missing", path, "is missing or cannot be read")
        return False
    if measured.sha256 != parsed.content:
        findings.fault(_CHECK, "statement.content", path, "is not the file that was captured: its SHA-256 is another")
    elif measured.size != parsed.file.size:
        findings.fault(_CHECK, "statement.size", path, f"has {measured.size} bytes, captured were {parsed.file.size}")
    others = tuple(sorted(set(parsed.digests) - {"sha256"}))
    if others and measured.sha256 == parsed.content:
        found = contents.digests(path, others, progress)
        for name in others:
            if found.get(name) != parsed.digests[name]:
                findings.fault(_CHECK, "statement.content", path, f"has another {name} than the statement says")
    return findings.total == faults


def _check_journals(held: Mapping[int, HeldStatement], findings: Findings) -> None:
    """The desk's own chain, wherever two neighbours of it are in the bundle."""
    journals: defaultdict[UUID, list[tuple[int, int]]] = defaultdict(list)
    for number, item in held.items():
        journals[item.statement.device.id].append((item.statement.journal.sequence, number))
    for places in journals.values():
        for (before, one), (after, other) in itertools.pairwise(sorted(places)):
            where = layout.statement(other)
            if after == before:
                what = f"has the journal number {after}, and so has exhibit {one}'s"
                findings.fault(_CHECK, "statement.journal", where, what)
            elif after == before + 1 and held[other].statement.journal.previous != held[one].digest:
                what = f"does not continue the journal where exhibit {one}'s statement left it"
                findings.fault(_CHECK, "statement.journal", where, what)
