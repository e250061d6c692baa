"""What a box finds of a desk's clock, from one statement and its own clock (formats/time.md, Clock). No proof is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deedbox_sync.beacon import QUICKNET, Chain, round_time
from deedbox_sync.canonical_json import MAX_INTEGER, Fields, Json
from deedbox_sync.errors import FormatError
from deedbox_sync.statement import Captured

AHEAD: Final = "ahead"
BEHIND: Final = "behind"
AGREES: Final = "agrees"
UNKNOWN: Final = "unknown"
# A clock that is set over the network is right to a second; two minutes forgive one that is set by hand.
LIMIT_MS: Final = 120_000
# The exception by which a desk itself says so in a statement.
DISAGREES: Final = "clock-disagrees"

_MS = timedelta(milliseconds=1)
_UNITS = (("years", 31_556_952), ("months", 2_629_746), ("days", 86_400), ("hours", 3_600), ("minutes", 60))
_FEWEST = 2  # of a unit, before a smaller one says it better


@dataclass(frozen=True)
class ClockFinding:
    """`offset_ms`: the desk's clock minus the box's, the best that is known; None with `unknown` only."""

    word: str
    offset_ms: int | None

    @property
    def disagrees(self) -> bool:
        return self.word in (AHEAD, BEHIND)


def clock_finding(
    captured: Captured, now: datetime, paired: datetime, chains: Sequence[Chain] = (QUICKNET,)
) -> ClockFinding:
    """`now`: by the box's clock, as it takes the statement; `paired`: by the same clock, when the device was paired.

    The statement's beacon counts for what it claims where its chain is one of these: a false one contradicts nobody but the
    statement it is in.
    """
    said = [] if captured.box_offset_ms is None else [captured.box_offset_ms]
    ahead = max([*said, (captured.time - now) // _MS])
    if ahead > LIMIT_MS:
        return ClockFinding(AHEAD, ahead)
    not_before = [paired, *_rounds(captured, chains)]
    behind = min([*said, *((captured.time - earliest) // _MS for earliest in not_before)])
    if behind < -LIMIT_MS:
        return ClockFinding(BEHIND, behind)
    return ClockFinding(UNKNOWN, None) if captured.box_offset_ms is None else ClockFinding(AGREES, said[0])


def _rounds(captured: Captured, chains: Sequence[Chain]) -> list[datetime]:
    beacon = captured.beacon
    if beacon is None:
        return []
    try:
        return [round_time(chain, beacon.round) for chain in chains if chain.hash == beacon.chain]
    except FormatError:  # a round past the year 9999
        return []


def members(finding: ClockFinding) -> dict[str, Json]:
    """The finding as the `received` custody record has it."""
    return {"finding": finding.word, "offset_ms": finding.offset_ms}


def read(fields: Fields) -> ClockFinding:
    """The finding of these members; FormatError where word and offset contradict each other."""
    finding = ClockFinding(
        fields.text("finding"), fields.optional_integer("offset_ms", low=-MAX_INTEGER, high=MAX_INTEGER)
    )
    fields.done()
    if finding.word not in (AHEAD, BEHIND, AGREES, UNKNOWN):
        raise fields.fault("finding", f"is none of {AHEAD}, {AGREES}, {BEHIND}, {UNKNOWN}")
    if finding.word != _word_for(finding.offset_ms):
        raise fields.fault("offset_ms", f"is not that of a clock which {finding.word}")
    return finding


def _word_for(offset_ms: int | None) -> str:
    if offset_ms is None:
        return UNKNOWN
    return AHEAD if offset_ms > LIMIT_MS else BEHIND if offset_ms < -LIMIT_MS else AGREES


def sentence(finding: ClockFinding) -> str:
    """The finding for people."""
    if finding.offset_ms is None:
        return "The desk’s clock had not been held against the box’s."
    if finding.disagrees:
        return f"The desk’s clock was {apart_from('the box’s', finding.offset_ms)}."
    seconds = max(-(-abs(finding.offset_ms) // 1000), 1)
    return f"The desk’s clock agreed with the box’s to {seconds} second{'s' if seconds > 1 else ''}."


def apart(offset_ms: int) -> str:
    """How far apart two clocks are, rounded as people round, and which way: `2 years ahead`, `16 months behind`."""
    way = AHEAD if offset_ms > 0 else BEHIND
    seconds = abs(offset_ms) / 1000
    for unit, length in _UNITS:
        if (count := round(seconds / length)) >= _FEWEST:
            return f"{count:,} {unit} {way}"
    return f"{round(seconds)} seconds {way}"


def apart_from(other: str, offset_ms: int) -> str:
    """The same, with the other clock's name: `2 years ahead of the box's`."""
    return f"{apart(offset_ms)}{' of' if offset_ms > 0 else ''} {other}"


def disagrees(offset_ms: int) -> bool:
    """Whether two clocks so far apart do more than tell the time a little differently."""
    return abs(offset_ms) > LIMIT_MS
