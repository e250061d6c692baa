"""How the system works, in sentences a declarant can adopt: true of this version, with what it does not do beside it."""

from __future__ import annotations

from deedbox_server.evidence.paper_words import moment
from deedbox_server.papers.document import Block
from deedbox_server.papers.facts import ExhibitFacts, Record
from deedbox_server.papers.wording import clock_disagreed, clock_words, recorded


def process(record: Record) -> list[Block]:
    """The process from file to log, as this version of the software does it."""
    desks = any(facts.by_desk for facts in record.exhibits) or not record.exhibits
    blocks: list[Block] = [
        recorded(
            f"The system is Deedbox, version {record.version}, run by the firm on its own server under the name "
            f"“{record.box}” (identifier {record.box_id})."
        ),
    ]
    if desks:
        blocks.append(
            recorded(
                "A desk is a program on a computer of the firm, paired with the system once by a one-time code. It "
                "reads a file once, without changing it, computes its SHA-256 digest, and states in a record what it "
                "read, when by its own clock, and who was signed in; it signs that record with an Ed25519 key that "
                "is the desk’s alone. Each of its records names the digest of the one before."
            )
        )
    if any(not facts.by_desk for facts in record.exhibits):
        blocks.append(
            recorded(
                "A file may also be sent to the system without a desk. The system then records which bytes it "
                "received, when, and from which signed-in account, under a key of its own; of the time before "
                "receipt it records only what the sender said."
            )
        )
    blocks += [
        recorded(
            "The system computes the SHA-256 digest of the bytes as they arrive, and takes them only if it equals "
            "the digest in the signed record. It stores them encrypted, with authentication of every segment, and "
            "never writes to them again."
        ),
        recorded(
            "Receipt and every later view, download, derivation and export of an exhibit is a numbered custody "
            "record, which names the digest of the record before it. The system commits to each in an append-only "
            "log, a chain of digests with a Merkle tree over it (RFC 6962), and signs the head of the log."
        ),
    ]
    return blocks


TOLD = 3  # exhibits that a certificate tells of one by one before it leaves the rest to its schedule


def outcomes(record: Record) -> list[Block]:
    """What came of it: of the first exhibits in full, of all others what is out of the ordinary."""
    blocks: list[Block] = []
    for at, facts in enumerate(record.exhibits):
        blocks += [*(_outcome(facts) if at < TOLD else ()), *remarkable(facts)]
    if len(record.exhibits) > TOLD:
        blocks.append(
            recorded(
                f"Of the other {len(record.exhibits) - TOLD} exhibits Schedule A says the same; what is out of the "
                "ordinary stands above."
            )
        )
    return blocks


def _outcome(facts: ExhibitFacts) -> list[Block]:
    count = len(facts.events)
    told = "one custody event, its receipt" if count == 1 else f"{count} custody events; the first, its receipt"
    index = facts.events[0].index
    place = "not yet in the log" if index is None else f"entry {index:,} of the log"
    return [
        recorded(
            f"For {facts.name} the system recorded {told} on {moment(facts.received.time)}, {place}. {_time(facts)}"
        )
    ]


def remarkable(facts: ExhibitFacts) -> list[Block]:
    """What must not be overlooked: faults while reading, a clock that disagreed, a copy that does not agree."""
    blocks: list[Block] = [
        recorded(f"While {facts.name} was read: {item.kind.replace('-', ' ')}: {item.detail}.")
        for item in facts.captured.exceptions
    ]
    if clock_disagreed(facts):
        blocks.append(
            recorded(f"When the system took the desk’s record of {facts.name}, the desk’s clock {clock_words(facts)}.")
        )
    if facts.rehash is not None and not facts.rehash.agrees:
        blocks.append(
            recorded(
                f"The stored copy of {facts.name} does NOT agree with the record: {' '.join(facts.rehash.findings)}"
            )
        )
    return blocks


def _time(facts: ExhibitFacts) -> str:
    bracket = facts.bracket
    before = (
        "" if bracket.not_before is None else f"not before {moment(bracket.not_before)} ({bracket.not_before_by}) and "
    )
    if bracket.not_after is None:
        start = (
            f"It was recorded not before {moment(bracket.not_before)} ({bracket.not_before_by}). "
            if bracket.not_before
            else ""
        )
        return (
            f"{start}No one outside the firm had confirmed by when it was recorded when this paper was made; for that "
            "there are only the firm’s own clocks."
        )
    return f"By outsiders’ word it was recorded {before}not after {moment(bracket.not_after)} ({bracket.not_after_by})."
