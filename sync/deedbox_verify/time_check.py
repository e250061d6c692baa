"""Check 9: what others say of when: cosignatures of pinned witnesses, time stamps of pinned authorities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from deedbox_sync import merkle, note
from deedbox_sync.bundle import layout, proven
from deedbox_sync.bundle.index import BundleIndex
from deedbox_sync.errors import SyncError
from deedbox_sync.note import SignedNote
from deedbox_sync.stamp import StampError, StampUnavailableError, verify_stamp
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings
from deedbox_verify.log_check import Log
from deedbox_verify.trust import Trust

_CHECK = 9
_LAST_TIME = 253_402_300_799  # the end of the year 9999, the last that datetime knows


@dataclass(frozen=True)
class Anchor:
    """An outsider saw the first `size` entries of the log no later than `time`."""

    size: int
    time: datetime
    by: str


@dataclass(frozen=True)
class OutsideTime:
    """`anchors` hold. `unchecked` says in words what is there and could not be judged, `unavailable` what an extra would."""

    anchors: tuple[Anchor, ...]
    unchecked: tuple[str, ...]
    unavailable: bool


def check_time(
    contents: Contents, index: BundleIndex, log: Log | None, trust: Trust, findings: Findings
) -> OutsideTime:
    """Anchors count only for a log whose checkpoint is signed by its key."""
    if log is None or not log.signed:
        return OutsideTime((), ("the log's own signature does not hold",), unavailable=False)
    anchors = list(_witnessed(log.note, log.checkpoint.size, layout.CHECKPOINT, log, trust, findings))
    unchecked: list[str] = []
    strangers = _strangers(log.note, log, trust)
    unavailable = False
    for size in index.stamps:
        stamped = _check_stamped_note(contents, size, log, findings)
        if stamped is None:
            continue
        data, signed_note = stamped
        anchors += _witnessed(signed_note, size, layout.stamp_note(size), log, trust, findings)
        strangers |= _strangers(signed_note, log, trust)
        token = contents.read(_CHECK, layout.stamp_token(size), layout.MAX_TOKEN)
        if token is None:
            continue
        try:
            stamp = verify_stamp(token, data, trust.tsa_roots)
            anchors.append(Anchor(size, stamp.time, stamp.authority))
        except StampUnavailableError as problem:
            unavailable = unavailable or bool(trust.tsa_roots)
            unchecked.append(f"the time stamp over entry {size - 1} and before: {problem}")
        except StampError as problem:
            if problem.broken:
                findings.fault(_CHECK, "stamp.token", layout.stamp_token(size), str(problem))
            else:
                unchecked.append(f"the time stamp over entry {size - 1} and before: {problem}")
    if strangers:
        unchecked.append(f"signatures on the checkpoint by keys you do not pin: {', '.join(sorted(strangers))}")
    findings.counted[_CHECK] = f"{len(anchors)} proven" if anchors else ("unchecked" if unchecked else "none")
    return OutsideTime(tuple(anchors), tuple(unchecked), unavailable)


def _witnessed(
    signed_note: SignedNote, size: int, where: str, log: Log, trust: Trust, findings: Findings
) -> Sequence[Anchor]:
    anchors = []
    for witness in trust.witnesses:
        name = note.parse_vkey(witness).name
        if not any(signature.name == name for signature in signed_note.signatures):
            continue
        try:
            time = note.verify_note(signed_note, [witness]).get(name)
        except SyncError as problem:
            findings.fault(_CHECK, "witness.signature", where, str(problem))
            continue
        if time is None or not 0 < time <= _LAST_TIME:
            findings.fault(_CHECK, "witness.signature", where, f"has a cosignature by {name} without a possible time")
            continue
        anchors.append(Anchor(size, datetime.fromtimestamp(time, UTC), name))
    return anchors


def _strangers(signed_note: SignedNote, log: Log, trust: Trust) -> set[str]:
    known = {(one.name, one.key_id) for one in map(note.parse_vkey, (log.vkey, *trust.witnesses))}
    return {line.name for line in signed_note.signatures if (line.name, line.key_id) not in known}


def _check_stamped_note(contents: Contents, size: int, log: Log, findings: Findings) -> tuple[bytes, SignedNote] | None:
    """The stamped checkpoint, where the log signed it and the bundle's tree continues it."""
    where = layout.stamp_note(size)
    data = contents.read(_CHECK, where, layout.MAX_NOTE)
    path = contents.read(_CHECK, layout.stamp_consistency(size), layout.MAX_CONSISTENCY)
    if data is None or path is None:
        return None
    try:
        signed_note = note.parse_note(data.decode("utf-8"))
        note.verify_note(signed_note, [log.vkey])
        old = note.parse_checkpoint(signed_note.body)
        told, proof = proven.parse_consistency(path, layout.stamp_consistency(size))
    except (UnicodeDecodeError, SyncError) as problem:
        findings.fault(_CHECK, "stamp.note", where, f"is not a checkpoint signed by the log: {problem}")
        return None
    if (old.origin, old.size, told) != (log.checkpoint.origin, size, size):
        findings.fault(_CHECK, "stamp.note", where, "is a checkpoint of another tree than its name says")
        return None
    try:
        merkle.verify_consistency(size, log.checkpoint.size, proof, old.root, log.checkpoint.root)
    except SyncError as problem:
        findings.fault(_CHECK, "stamp.consistency", layout.stamp_consistency(size), str(problem))
        return None
    return data, signed_note
