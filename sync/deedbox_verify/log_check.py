"""Checks 2 and 3: the checkpoint and its signatures, and each entry's place under it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deedbox_sync import entry, merkle, note
from deedbox_sync.bundle import layout, proven
from deedbox_sync.bundle.index import BundleIndex
from deedbox_sync.bundle.proven import ProvenEntry
from deedbox_sync.bundle.sigstore import encode_pem
from deedbox_sync.commitment import Opening, verify_opening
from deedbox_sync.entry import LogEntry
from deedbox_sync.errors import FormatError, ProofError, SyncError
from deedbox_sync.note import ED25519, Checkpoint, SignedNote
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings, counted
from deedbox_verify.trust import Trust

_LOG, _ENTRIES = 2, 3


@dataclass(frozen=True)
class Log:
    """The bundle's checkpoint. `signed`: by the key the bundle names; `pinned`: that key is one the reader trusts."""

    checkpoint: Checkpoint
    note: SignedNote
    text: str
    vkey: str
    signed: bool
    pinned: bool


@dataclass(frozen=True)
class HeldEntry:
    """A log entry whose proof leads to the checkpoint's root, and its exact bytes."""

    entry: LogEntry
    encoded: bytes


def check_log(contents: Contents, index: BundleIndex, trust: Trust, findings: Findings) -> Log | None:
    """None where there is no readable checkpoint, and so nothing to hold entries against."""
    data = contents.read(_LOG, layout.CHECKPOINT, layout.MAX_NOTE)
    if data is None:
        return None
    try:
        text = data.decode("utf-8")
        signed_note = note.parse_note(text)
        checkpoint = note.parse_checkpoint(signed_note.body)
    except (UnicodeDecodeError, SyncError) as problem:
        findings.fault(_LOG, "log.checkpoint", layout.CHECKPOINT, f"cannot be read as a checkpoint: {problem}")
        return None
    if checkpoint.origin != index.origin:
        what = f"is of the log {checkpoint.origin}, the bundle's is {index.origin}"
        findings.fault(_LOG, "log.origin", layout.CHECKPOINT, what)
    if checkpoint.size != index.checkpoint_size:
        what = f"is of a tree of {checkpoint.size} entries, the bundle's has {index.checkpoint_size}"
        findings.fault(_LOG, "log.size", layout.CHECKPOINT, what)
    signed = _check_key(contents, index, signed_note, findings)
    pinned = index.vkey in trust.logs
    if trust.logs and not pinned:
        findings.fault(_LOG, "log.unpinned", layout.INDEX, "names a log key that is not among those you trust")
    findings.counted[_LOG] = f"{checkpoint.origin}, {counted(checkpoint.size, 'entry', 'entries')}, checkpoint signed"
    return Log(checkpoint, signed_note, text, index.vkey, signed, pinned)


def _check_key(contents: Contents, index: BundleIndex, signed_note: SignedNote, findings: Findings) -> bool:
    try:
        verifier = note.parse_vkey(index.vkey)
        box, _ = note.parse_origin(index.origin)
    except FormatError as problem:
        findings.fault(_LOG, "log.key", layout.INDEX, f"{problem.where} {problem.what}")
        return False
    if verifier.algorithm != ED25519 or verifier.name != index.origin:
        findings.fault(_LOG, "log.key", layout.INDEX, "names a key that is not this log's")
        return False
    if box != index.box:
        findings.fault(_LOG, "log.origin", layout.INDEX, "names another box than the log's origin does")
    pem = contents.read(_LOG, layout.LOG_KEY, layout.MAX_PEM)
    if pem is not None and pem != encode_pem(verifier.public_key):
        findings.fault(_LOG, "log.key", layout.LOG_KEY, "is not the log key that data/bundle.json names")
    try:
        note.verify_note(signed_note, [index.vkey])
    except SyncError as problem:
        findings.fault(_LOG, "log.signature", layout.CHECKPOINT, f"is not signed by the log's key: {problem}")
        return False
    return True


def check_entries(contents: Contents, log: Log | None, findings: Findings) -> Mapping[int, HeldEntry]:
    """The entries that hold, by index. Those with a fault are left out, and told."""
    data = contents.read(_ENTRIES, layout.ENTRIES, layout.MAX_ENTRIES)
    if data is None or log is None:
        if data is not None:
            findings.fault(_ENTRIES, "entry.proof", layout.ENTRIES, "cannot be checked without a checkpoint")
        return {}
    try:
        items = proven.parse_entries(data)
    except FormatError as problem:
        findings.fault(_ENTRIES, "entry.form", problem.where, problem.what)
        return {}
    held: dict[int, HeldEntry] = {}
    for item in items:
        found = _check_entry(item, log, findings)
        if found is not None:
            held[item.index] = found
    _check_neighbours(items, held, findings)
    findings.counted[_ENTRIES] = f"{counted(len(items), 'entry', 'entries')}, each proven to be in the log, in order"
    return held


def _check_entry(item: ProvenEntry, log: Log, findings: Findings) -> HeldEntry | None:
    where = f"log entry {item.index}"
    try:
        parsed = entry.parse(item.entry)
        if parsed.seq != item.index:
            findings.fault(_ENTRIES, "entry.index", where, f"calls itself entry {parsed.seq}")
            return None
        leaf = merkle.leaf_hash(item.entry)
        merkle.verify_inclusion(item.index, log.checkpoint.size, leaf, item.path, log.checkpoint.root)
    except FormatError as problem:
        findings.fault(_ENTRIES, "entry.form", where, f"{problem.where} {problem.what}")
        return None
    except ProofError as problem:
        findings.fault(_ENTRIES, "entry.proof", where, str(problem))
        return None
    if item.index == 0:
        opened = (parsed.kind, parsed.data.get("origin"), parsed.data.get("vkey"))
        if opened != ("log.opened", log.checkpoint.origin, log.vkey):
            findings.fault(_ENTRIES, "entry.opened", where, "does not open this log under this key")
    return HeldEntry(parsed, item.entry)


def _check_neighbours(items: Sequence[ProvenEntry], held: Mapping[int, HeldEntry], findings: Findings) -> None:
    for before, after in itertools.pairwise(items):
        one, other = held.get(before.index), held.get(after.index)
        if one is None or other is None:
            continue
        where = f"log entry {after.index}"
        if after.index == before.index + 1 and other.entry.prev != entry.digest(one.encoded):
            findings.fault(_ENTRIES, "entry.prev", where, "does not continue the entry before it")
        if other.entry.time < one.entry.time:
            findings.fault(_ENTRIES, "entry.time", where, f"is earlier than entry {before.index}")


def check_openings(
    check: int, code: str, where: str, openings: Sequence[Opening], held: LogEntry, findings: Findings
) -> Mapping[str, bytes]:
    """The opened values by field; an opening that does not open its commitment is told and left out."""
    values: dict[str, bytes] = {}
    for opening in openings:
        committed = held.commitments.get(opening.field)
        if committed is None:
            findings.fault(check, code, where, f"opens {opening.field}, to which its log entry does not commit")
            continue
        try:
            verify_opening(opening, committed)
        except SyncError as problem:
            findings.fault(check, code, where, str(problem))
            continue
        values[opening.field] = opening.value
    return values
