"""Check 9: what others say of when. Beacons tell not before; witnesses and time-stamp authorities tell not after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from deedbox_sync.bundle.index import BundleIndex
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings, counted
from deedbox_verify.log_check import HeldEntry, Log
from deedbox_verify.outside_time import OutsideTime
from deedbox_verify.run_check import Beacons, Claimed, check_captures, check_runs, rounds
from deedbox_verify.stamp_check import check_seen
from deedbox_verify.statement_check import HeldStatement
from deedbox_verify.trust import Trust

_CHECK = 9
#: Outsiders' clocks are not one clock: a beacon may seem to be later than an anchor by this much, and no more.
ALLOWANCE = timedelta(seconds=60)


def check_time(
    contents: Contents,
    index: BundleIndex,
    log: Log | None,
    held: Mapping[int, HeldEntry],
    statements: Mapping[int, HeldStatement],
    receipts: frozenset[int],
    trust: Trust,
    findings: Findings,
) -> OutsideTime:
    """Only for a log whose checkpoint is signed by its key."""
    if log is None or not log.signed:
        return OutsideTime(unchecked=("the log's own signature does not hold",))
    seen = check_seen(contents, index.stamps, log, held, trust, findings)
    beacons = Beacons(trust, findings)
    claimed = check_runs(contents, held, beacons, findings)
    received = {exhibit.number: exhibit.received for exhibit in index.exhibits if exhibit.number in receipts}
    captures = check_captures(statements, received, beacons)
    time = OutsideTime(
        quorum=trust.quorum,
        sightings=seen.sightings,
        stamps=seen.stamps,
        rounds=rounds(claimed),
        captures={number: one.vouched for number, one in captures.items() if one.verified},
        unchecked=seen.unchecked,
        unavailable=seen.unavailable,
    )
    _check_contradictions((*claimed, *captures.values()), time, findings)
    _tell_quorum(received, time, trust, findings)
    findings.counted[_CHECK] = _summary(time, len(claimed) + len(captures))
    return time


def _check_contradictions(claimed: Iterable[Claimed], time: OutsideTime, findings: Findings) -> None:
    """No outsider can have seen what was not yet public: then a round, or an anchor, is not what it seems."""
    for one in claimed:
        anchor = time.not_after(one.index)
        if anchor is not None and one.vouched.time > anchor.time + ALLOWANCE:
            what = f"has {one.vouched.by}, which was not public when {anchor.by} had seen it"
            findings.fault(_CHECK, "beacon.later", one.where, what)


def _tell_quorum(received: Mapping[int, int], time: OutsideTime, trust: Trust, findings: Findings) -> None:
    short = [number for number, entry in received.items() if 0 < time.witnesses(entry) < trust.quorum]
    if short:
        exhibits = "exhibit" if len(short) == 1 else "exhibits"
        fewest = min(time.witnesses(received[number]) for number in short)
        findings.remark(
            f"You ask for {trust.quorum} witnesses; {fewest} had seen a tree with {exhibits} {', '.join(map(str, short))}."
        )


def _summary(time: OutsideTime, claimed: int) -> str:
    parts = []
    if time.sightings:
        parts.append(counted(len(time.sightings), "cosignature"))
    if time.stamps:
        parts.append(counted(len(time.stamps), "time stamp"))
    held = len(time.rounds) + len(time.captures)
    if held:
        parts.append(counted(held, "beacon"))
    if parts:
        return ", ".join(parts)
    return "unchecked" if time.unchecked or claimed else "none"
