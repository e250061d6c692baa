"""How a transfer goes on: what a desk does with an answer, what a box lets a statement do (formats/transfer.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from deedbox_sync.errors import FormatError
from deedbox_sync.transfer import Problem, Result, State

# --- the desk's side: what to do with an answer


@dataclass(frozen=True)
class Finish:
    """Verify this receipt; the item is done when it holds."""

    receipt: str


@dataclass(frozen=True)
class AskReceipt:
    """The exhibit exists; its entry is on the way into the log."""


@dataclass(frozen=True)
class SendBytes:
    upload: str
    offset: int


@dataclass(frozen=True)
class Prove:
    upload: str
    nonce: bytes


@dataclass(frozen=True)
class OfferAgain:
    """The box does not know the statement."""


@dataclass(frozen=True)
class SendAnew:
    """The bytes that the box has are not the statement's: offer again, send from 0."""

    problem: Problem


@dataclass(frozen=True)
class FillGap:
    """The box wants an earlier statement of this journal first."""

    expected: int


@dataclass(frozen=True)
class Hold:
    """This item cannot go on without a person; the others can."""

    problem: Problem


@dataclass(frozen=True)
class Wait:
    """Nothing is wrong with the item: try again later."""

    problem: Problem


@dataclass(frozen=True)
class Stop:
    """The desk must not go on sending until a person has looked."""

    problem: Problem


Action: TypeAlias = Finish | AskReceipt | SendBytes | Prove | OfferAgain | SendAnew | FillGap | Hold | Wait | Stop

_WAIT: Final = frozenset({"disk-full", "log-suspended", "unavailable", "too-many-requests"})
_STOP: Final = frozenset({"journal-conflict", "device-revoked", "log-behind"})
_ANEW: Final = frozenset({"hash-mismatch", "size-mismatch"})


def action_for(result: Result) -> Action:
    """What the desk does next about a statement, from the box's answer alone. An unknown problem holds the item."""
    match result:
        case Result(state=State.RECEIPTED, receipt=str(receipt)):
            return Finish(receipt)
        case Result(state=State.COMMITTED):
            return AskReceipt()
        case Result(state=State.SEND, upload=str(upload), offset=int(offset)):
            return SendBytes(upload, offset)
        case Result(state=State.PROVE, upload=str(upload), nonce=bytes(nonce)):
            return Prove(upload, nonce)
        case Result(state=State.UNKNOWN):
            return OfferAgain()
        case Result(state=State.REFUSED, problem=Problem() as problem):
            return action_for_problem(problem)
    raise FormatError("result", "lacks what its state needs")


def action_for_problem(problem: Problem) -> Action:
    """What the desk does about a problem, be it of one statement or of a whole request."""
    if problem.slug == "journal-gap" and problem.expected is not None:
        return FillGap(problem.expected)
    if problem.slug in _ANEW:
        return SendAnew(problem)
    if problem.slug in _WAIT:
        return Wait(problem)
    if problem.slug in _STOP:
        return Stop(problem)
    return Hold(problem)


# --- the box's side


class Place(Enum):
    """Where a statement stands in its device's journal, as the box has it."""

    NEXT = "next"
    KNOWN = "known"
    GAP = "journal-gap"
    CONFLICT = "journal-conflict"


@dataclass(frozen=True)
class JournalHead:
    """What the box has of one device's journal: the number it expects and the digest that must be named as previous."""

    next_sequence: int
    last_digest: bytes

    def place(self, sequence: int, previous: bytes, digest: bytes, known: bytes | None) -> Place:
        """Decide about statement `digest` under number `sequence`; `known` is the digest held under it, if any."""
        if sequence < self.next_sequence:
            return Place.KNOWN if known == digest else Place.CONFLICT
        if sequence > self.next_sequence:
            return Place.GAP
        return Place.NEXT if previous == self.last_digest else Place.CONFLICT

    def place_gap(self, first: int, last: int, previous: bytes) -> Place:
        """Decide about a gap statement that closes `first … last` and itself takes `last + 1`."""
        if first > self.next_sequence:
            return Place.GAP
        return Place.NEXT if first == self.next_sequence and previous == self.last_digest else Place.CONFLICT

    def after(self, sequence: int, digest: bytes) -> JournalHead:
        return JournalHead(sequence + 1, digest)
