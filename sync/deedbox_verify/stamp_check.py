"""Check 9, not after: cosignatures of pinned witnesses, time stamps of pinned authorities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeAlias

from deedbox_sync import merkle, note
from deedbox_sync.bundle import layout, outside, proven
from deedbox_sync.bundle.index import IndexedStamp
from deedbox_sync.entry import LogEntry
from deedbox_sync.errors import FormatError, SyncError
from deedbox_sync.note import SignedNote
from deedbox_sync.stamp import StampError, StampRevokedError, StampUnavailableError, verify_stamp
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings
from deedbox_verify.log_check import HeldEntry, Log
from deedbox_verify.outside_time import HeldStamp, Sighting, Vouched
from deedbox_verify.trust import Trust

_CHECK = 9
_LAST_TIME = 253_402_300_799  # the end of the year 9999, the last that datetime knows

_Told: TypeAlias = Mapping[str, Sequence[LogEntry]]


@dataclass(frozen=True)
class Seen:
    """What outsiders say of the log's trees; `unchecked` and `unavailable` are those of `OutsideTime`."""

    sightings: tuple[Sighting, ...]
    stamps: tuple[HeldStamp, ...]
    unchecked: tuple[str, ...]
    unavailable: bool


def check_seen(
    contents: Contents,
    stamps: Sequence[IndexedStamp],
    log: Log,
    held: Mapping[int, HeldEntry],
    trust: Trust,
    findings: Findings,
) -> Seen:
    """The checkpoint's own cosignatures, and each older checkpoint that the log signed and continued."""
    told = _told(held)
    notes = [(log.checkpoint.size, layout.CHECKPOINT, log.note)]
    unchecked: list[str] = []
    unavailable = False
    found: list[tuple[HeldStamp, bytes]] = []
    for stamp in stamps:
        signed_note = _check_note(contents, stamp.size, log, findings)
        if signed_note is None:
            continue
        notes.append((stamp.size, layout.stamp_note(stamp.size), signed_note))
        for number in range(1, stamp.tokens + 1):
            try:
                one = _check_token(contents, stamp.size, number, signed_note, log, told, trust, findings)
            except StampUnavailableError as problem:
                unavailable = unavailable or bool(trust.tsa_roots)
                unchecked.append(f"time stamp {stamp.size}-{number}: {problem}")
            except StampRevokedError as problem:
                findings.remark(f"Time stamp {stamp.size}-{number} proves nothing: {problem}.")
            except StampError as problem:
                unchecked.append(f"time stamp {stamp.size}-{number}: {problem}")
            else:
                found += [] if one is None else [one]
    sightings = [one for size, where, text in notes for one in _witnessed(text, size, where, trust, findings)]
    strangers = {name for _, _, text in notes for name in _strangers(text, log, trust)}
    if strangers:
        unchecked.append(f"signatures on the checkpoint by keys you do not pin: {', '.join(sorted(strangers))}")
    return Seen(tuple(sightings), _renewed(found, told), tuple(unchecked), unavailable)


def _check_note(contents: Contents, size: int, log: Log, findings: Findings) -> SignedNote | None:
    """The older checkpoint, where the log signed it and the bundle's tree continues it."""
    where, path = layout.stamp_note(size), layout.stamp_consistency(size)
    data = contents.read(_CHECK, where, layout.MAX_NOTE)
    proof = contents.read(_CHECK, path, layout.MAX_CONSISTENCY)
    if data is None or proof is None:
        return None
    try:
        signed_note = note.parse_note(data.decode("utf-8"))
        note.verify_note(signed_note, [log.vkey])
        old = note.parse_checkpoint(signed_note.body)
    except (UnicodeDecodeError, SyncError) as problem:
        findings.fault(_CHECK, "stamp.note", where, f"is not a checkpoint signed by the log: {problem}")
        return None
    if (old.origin, old.size) != (log.checkpoint.origin, size):
        findings.fault(_CHECK, "stamp.note", where, "is a checkpoint of another tree than its name says")
        return None
    try:
        told, nodes = proven.parse_consistency(proof, path)
        if told != size:
            raise FormatError(path, f"is about a tree of {told} entries")
        merkle.verify_consistency(size, log.checkpoint.size, nodes, old.root, log.checkpoint.root)
    except SyncError as problem:
        findings.fault(_CHECK, "stamp.consistency", path, str(problem))
        return None
    return signed_note


def _check_token(
    contents: Contents,
    size: int,
    number: int,
    signed_note: SignedNote,
    log: Log,
    told: _Told,
    trust: Trust,
    findings: Findings,
) -> tuple[HeldStamp, bytes] | None:
    """The stamp and its response's digest. StampError, but a broken one is told here; StampUnavailableError."""
    where = layout.stamp_token(size, number)
    token = contents.read(_CHECK, where, layout.MAX_TOKEN)
    text = contents.read(_CHECK, layout.stamp_text(size, number), layout.MAX_NOTE)
    revocation = contents.read(_CHECK, layout.stamp_revocation(size, number), layout.MAX_REVOCATION)
    if token is None or text is None or revocation is None:
        return None
    if not _is_same(text, signed_note, log):
        what = f"is not {layout.stamp_note(size)} as the log signed it"
        findings.fault(_CHECK, "stamp.text", layout.stamp_text(size, number), what)
        return None
    crls: tuple[bytes, ...] = ()
    with findings.catching(_CHECK, "stamp.revocation", layout.stamp_revocation(size, number)):
        crls = outside.parse_revocation(revocation, layout.stamp_revocation(size, number))
    digest = sha256(token).digest()
    for entry in told.get(digest.hex(), ()):
        if (entry.data.get("size"), entry.data.get("checkpoint")) != (size, sha256(text).hexdigest()):
            what = f"is of another checkpoint than log entry {entry.seq} says"
            findings.fault(_CHECK, "stamp.entry", where, what)
    try:
        stamp = verify_stamp(token, text, trust.tsa_roots, crls)
    except StampError as problem:
        if not problem.broken:
            raise
        findings.fault(_CHECK, "stamp.token", where, str(problem))
        return None
    return HeldStamp(size, number, stamp.time, stamp.authority, stamp.expires, stamp.unrevoked), digest


def _is_same(text: bytes, signed_note: SignedNote, log: Log) -> bool:
    """The stamped note says the same, under the log's own signature; it may have fewer cosignatures."""
    try:
        stamped = note.parse_note(text.decode("utf-8"))
        note.verify_note(stamped, [log.vkey])
    except (UnicodeDecodeError, SyncError):
        return False
    return stamped.body == signed_note.body


def _told(held: Mapping[int, HeldEntry]) -> _Told:
    """The log entries that tell of stamps, by the response's digest in hex."""
    told: dict[str, list[LogEntry]] = {}
    for one in held.values():
        if one.entry.kind == "time.stamp":
            told.setdefault(str(one.entry.data.get("token")), []).append(one.entry)
    return told


def _expires(stamp: HeldStamp) -> datetime:
    return stamp.expires


def _renewed(found: Sequence[tuple[HeldStamp, bytes]], told: _Told) -> tuple[HeldStamp, ...]:
    """Each stamp with the longest lasting one that shows it existed."""
    stamps = []
    for stamp, digest in found:
        first = min((entry.seq for entry in told.get(digest.hex(), ())), default=None)
        over = (other for other, _ in found if first is not None and other.size > first)
        last = max((other for other in over if other.expires > stamp.expires), key=_expires, default=None)
        if last is not None:
            stamp = replace(stamp, renewed=Vouched(last.time, last.authority), renewed_until=last.expires)  # noqa: PLW2901
        stamps.append(stamp)
    return tuple(stamps)


def _witnessed(signed_note: SignedNote, size: int, where: str, trust: Trust, findings: Findings) -> Iterator[Sighting]:
    present = {(line.name, line.key_id) for line in signed_note.signatures}
    for vkey in trust.witnesses:
        witness = note.parse_vkey(vkey)
        if (witness.name, witness.key_id) not in present:
            continue
        try:
            time = note.verify_note(signed_note, [vkey]).get(witness.name)
        except SyncError as problem:
            findings.fault(_CHECK, "witness.signature", where, str(problem))
            continue
        if time is None:
            continue  # time 0: the witness does not say when (c2sp.org/tlog-cosignature)
        if time > _LAST_TIME:
            what = f"has a cosignature by {witness.name} at an impossible time"
            findings.fault(_CHECK, "witness.signature", where, what)
            continue
        yield Sighting(size, datetime.fromtimestamp(time, UTC), witness.name)


def _strangers(signed_note: SignedNote, log: Log, trust: Trust) -> set[str]:
    known = {(one.name, one.key_id) for one in map(note.parse_vkey, (log.vkey, *trust.witnesses))}
    return {line.name for line in signed_note.signatures if (line.name, line.key_id) not in known}
