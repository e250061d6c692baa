"""Proofs in a process of their own: stdin has the seed and then jobs, stdout has the answers. It ends when stdin does.

Its parent is `provers`. libsodium lets go of the interpreter's lock, so that threads would do; but a proof is a dozen short
calls, and two threads that hand the lock to each other at each of them get less done than two processes, and slow the rest of
the box.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

from deedbox_sync import beacon as beacons
from deedbox_sync import canonical_json, ecvrf, identifier
from deedbox_sync.beacon import Beacon
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import SyncError
from deedbox_sync.identifier import CONTENT_LENGTH, VALUE_LENGTH, Minter

MINT: Final = b"m"
VERIFY: Final = b"v"
COUNTER_LENGTH: Final = 8
MAX_FRAME: Final = (
    8 << 20
)  # a whole batch's records, doubled; between parent and child it guards against nothing but a fault

_LENGTH: Final = 4


@dataclass(frozen=True)
class Minted:
    """The 80 bits and the mint record as canonical JSON."""

    value: bytes
    record: bytes


def mint_all(minter: Minter, beacon: Beacon | None, items: Sequence[tuple[bytes, int]]) -> list[Minted]:
    """Records for contents and counters, in order."""
    records = [minter.mint(content, beacon, counter) for content, counter in items]
    return [Minted(identifier.parse_text(record.id), identifier.encode(record)) for record in records]


def verify_all(records: Sequence[bytes]) -> list[str]:
    """For each record (canonical JSON) what is wrong with it, or the empty text. Beacons are not looked at."""
    return [_fault(record) for record in records]


def _fault(record: bytes) -> str:
    try:
        identifier.verify_record(identifier.parse(record))
    except SyncError as error:
        return str(error)
    return ""


# --- frames


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame, or None where the stream ended."""
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH or (length := int.from_bytes(head)) > MAX_FRAME:
        return None
    frame = stream.read(length)
    return frame if len(frame) == length else None


def write_frame(stream: IO[bytes], frame: bytes) -> None:
    stream.write(len(frame).to_bytes(_LENGTH) + frame)
    stream.flush()


def join(parts: Sequence[bytes]) -> bytes:
    """Byte strings as one, each after its length."""
    return b"".join(piece for part in parts for piece in (len(part).to_bytes(_LENGTH), part))


def split(data: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(data):
        end = at + _LENGTH + int.from_bytes(data[at : at + _LENGTH])
        parts.append(data[at + _LENGTH : end])
        at = end
    return parts


def encode_mint(beacon: Beacon | None, items: Sequence[tuple[bytes, int]]) -> bytes:
    known = b"" if beacon is None else canonical_json.encode(beacons.members(beacon))
    return MINT + join([known, b"".join(content + counter.to_bytes(COUNTER_LENGTH) for content, counter in items)])


def decode_minted(answer: bytes) -> list[Minted]:
    return [Minted(part[:VALUE_LENGTH], part[VALUE_LENGTH:]) for part in split(answer)]


# --- the process


def _answer(minter: Minter, job: bytes) -> bytes:
    if job[:1] == VERIFY:
        return join([fault.encode() for fault in verify_all(split(job[1:]))])
    told, packed = split(job[1:])
    known = None
    if told:
        known = beacons.read(Fields(canonical_json.parse_object(told, limit=MAX_FRAME, where="beacon"), "beacon"))
    step = CONTENT_LENGTH + COUNTER_LENGTH
    items = [
        (packed[at : at + CONTENT_LENGTH], int.from_bytes(packed[at + CONTENT_LENGTH : at + step]))
        for at in range(0, len(packed), step)
    ]
    return join([minted.value + minted.record for minted in mint_all(minter, known, items)])


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the box ends first, then its provers
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    first = read_frame(jobs)
    if first is None:
        return
    minter = Minter(first[: ecvrf.SEED_LENGTH], first[ecvrf.SEED_LENGTH :].decode())
    while (job := read_frame(jobs)) is not None:
        write_frame(answers, _answer(minter, job))


if __name__ == "__main__":
    main()
