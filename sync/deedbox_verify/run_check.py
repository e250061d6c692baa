"""Check 9, not before: runs of log entries from a beacon to an exhibit, and the beacons in them and in statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deedbox_sync import beacon, entry
from deedbox_sync.beacon import QUICKNET, Beacon, BlsUnavailable, Chain, round_time, verify_beacon
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.outside import Run, parse_runs
from deedbox_sync.canonical_json import Fields
from deedbox_sync.entry import LogEntry
from deedbox_sync.errors import FormatError, ProofError
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings
from deedbox_verify.log_check import HeldEntry
from deedbox_verify.outside_time import HeldRound, Vouched
from deedbox_verify.statement_check import HeldStatement
from deedbox_verify.trust import Trust

_CHECK = 9


@dataclass(frozen=True)
class Claimed:
    """A beacon of a known chain in log entry `index`, or by the statement that this entry commits to; and what it proves.

    `verified` is False where BLS cannot be judged here; a false one is told and left out.
    """

    index: int
    end: int
    where: str
    vouched: Vouched
    verified: bool


class Beacons:
    """Judges beacons one by one, telling of false ones, and once of those that cannot be judged."""

    def __init__(self, trust: Trust, findings: Findings) -> None:
        self._chains = {chain.hash: chain for chain in (QUICKNET, *trust.beacons)}
        self._findings = findings
        self._told: set[str] = set()

    def judge(self, one: Beacon, index: int, end: int, where: str) -> Claimed | None:
        chain = self._chains.get(one.chain)
        if chain is None:
            self._tell(f"Beacons of drand chain {one.chain.hex()[:16]}… are unchecked: it is not among those you pin.")
            return None
        try:
            vouched = Vouched(round_time(chain, one.round), f"{_name(chain)} round {one.round}")
        except FormatError as problem:
            self._findings.fault(_CHECK, "beacon.form", where, problem.what)
            return None
        try:
            verify_beacon(one, chain)
        except ProofError as problem:
            self._findings.fault(_CHECK, "beacon.signature", where, str(problem))
            return None
        except BlsUnavailable as problem:
            self._tell(f"Beacons are unchecked: {problem}.")
            return Claimed(index, end, where, vouched, verified=False)
        return Claimed(index, end, where, vouched, verified=True)

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._findings.remark(text)


def _name(chain: Chain) -> str:
    return "drand quicknet" if chain == QUICKNET else f"drand chain {chain.hash.hex()[:8]}"


def check_runs(
    contents: Contents, held: Mapping[int, HeldEntry], beacons: Beacons, findings: Findings
) -> list[Claimed]:
    """The beacons of all runs that are chains and end in a proven entry."""
    data = contents.read(_CHECK, layout.TIME, layout.MAX_TIME)
    if data is None:
        return []
    try:
        runs = parse_runs(data)
    except FormatError as problem:
        findings.fault(_CHECK, "time.form", layout.TIME, f"{problem.where} {problem.what}")
        return []
    claimed = []
    for run in runs:
        entries = _check_chain(run, held, findings)
        for place, one in _found(entries, findings):
            judged = beacons.judge(one, place, run.end, f"log entry {place}")
            claimed += [] if judged is None else [judged]
    return claimed


def _check_chain(run: Run, held: Mapping[int, HeldEntry], findings: Findings) -> Sequence[LogEntry]:
    """The run's entries, where each names the one before; empty where the run does not hold."""
    entries: list[LogEntry] = []
    for place, encoded in enumerate(run.entries, run.first):
        where = f"log entry {place}"
        try:
            one = entry.parse(encoded)
        except FormatError as problem:
            findings.fault(_CHECK, "run.entry", where, f"{problem.where} {problem.what}")
            return []
        if one.seq != place:
            findings.fault(_CHECK, "run.entry", where, f"calls itself entry {one.seq}")
            return []
        if entries and one.prev != entry.digest(run.entries[place - 1 - run.first]):
            findings.fault(_CHECK, "run.chain", where, "does not continue the entry before it")
            return []
        if place in held and held[place].encoded != encoded:
            findings.fault(_CHECK, "run.entry", where, "has other bytes in data/time.json than in the log")
            return []
        entries.append(one)
    if run.end - 1 not in held:
        what = "ends a run and is not among the bundle's entries that hold"
        findings.fault(_CHECK, "run.end", f"log entry {run.end - 1}", what)
        return []
    if entries[0].kind != "time.beacon" or "absent" in entries[0].data:
        findings.fault(_CHECK, "run.beacon", f"log entry {run.first}", "begins a run and is no beacon with a round")
        return []
    return entries


def _found(entries: Sequence[LogEntry], findings: Findings) -> Iterator[tuple[int, Beacon]]:
    for one in entries:
        if one.kind != "time.beacon" or "absent" in one.data:
            continue
        where = f"log entry {one.seq}"
        try:
            yield one.seq, beacon.read(Fields(one.data, where))
        except FormatError as problem:
            findings.fault(_CHECK, "beacon.form", where, f"is no beacon: {problem.what}")


def check_captures(
    statements: Mapping[int, HeldStatement], received: Mapping[int, int], beacons: Beacons
) -> Mapping[int, Claimed]:
    """The beacons in statements, by exhibit number; `received` are the log indexes of the exhibits whose receipts hold."""
    claimed = {}
    for number, item in statements.items():
        one = item.statement.captured.beacon
        if one is not None and number in received:
            judged = beacons.judge(one, received[number], received[number] + 1, layout.statement(number))
            if judged is not None:
                claimed[number] = judged
    return claimed


def rounds(claimed: Sequence[Claimed]) -> tuple[HeldRound, ...]:
    return tuple(HeldRound(one.index, one.end, one.vouched) for one in claimed if one.verified)
