"""The audit report: the trail of a range as a paper that can be filed, with the log's head and how each row is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.evidence.paper_words import grouped, moment, second
from deedbox_server.papers.document import Block, Break, Cell, Document, Facts, Heading, Mono, Note, Run, Section, Table
from deedbox_server.papers.wording import recorded
from deedbox_server.trail import Asked, Told

_OUTCOMES: Final = {"changed": "Changed", "refused": "Was refused", "viewed": "Saw"}
_HEAD: Final = ("Time (UTC)", "Who, from where", "What", "About", "Log entry")
_WIDTHS: Final = (0.86, 1.6, 1.3, 0.0, 0.72)
_DIGITS: Final = 8  # of a record's SHA-256 beside its row: to tell records apart, not to check them
_WIDE: Final = 22  # characters of an address that one line holds
_MAX_WORD: Final = 60  # characters of what people typed, in a narrow column


@dataclass(frozen=True)
class AuditFacts:
    """What one report is made of, as of `made`. `numbers` are the matter numbers of the rows' cases, `case` number and title of
    the one case that was asked for, `person` the name of the one person."""

    paper: UUID
    made: datetime
    box: str
    box_id: UUID
    version: str
    log: str
    log_key: str
    log_size: int
    root: bytes
    reader: str
    asked: Asked
    case: str | None
    person: str | None
    numbers: Mapping[UUID, str]
    rows: Sequence[Told]


def write_audit_report(facts: AuditFacts) -> Document:
    blocks: list[Block] = [*_what(facts), Heading("Entries"), *_entries(facts), Heading("What it is"), *_nature(facts)]
    return Document(
        title="Audit Report",
        subtitle=f"{facts.case or 'all matters open to the reader'} · {_range(facts.asked)}",
        caption=None,
        sections=(Section(f"Audit report {facts.paper}", tuple(blocks)),),
        paper=facts.paper,
        made=facts.made,
        legend=False,
    )


def _what(facts: AuditFacts) -> list[Block]:
    asked = facts.asked
    only = [
        ("Matter", facts.case or "every matter that the reader may see"),
        ("Range", _range(asked)),
        ("Person", facts.person or "everyone"),
        ("Outcome", _OUTCOMES[asked.outcome].lower() if asked.outcome else "what was changed, seen and refused"),
        ("Operation", asked.operation or "all"),
    ]
    log: list[tuple[str, Cell]] = [
        ("Log", (Mono(facts.log),)),
        ("Its key", (Mono(facts.log_key),)),
        ("Its size then", f"{facts.log_size:,} entries"),
        ("Its root then", (Mono(grouped(facts.root[:16])), Break(), Mono(grouped(facts.root[16:])))),
    ]
    if asked.object is not None:
        log.insert(0, ("Object", (Mono(str(asked.object)),)))
    count = len(facts.rows)
    return [
        recorded(
            f"The system “{facts.box}” (Deedbox {facts.version}, identifier {facts.box_id}) holds "
            f"{'one entry' if count == 1 else f'{count:,} entries'} of who did, saw and was refused what, as asked for below. "
            f"The list was drawn on {moment(facts.made)} for {facts.reader}; it is all of what that person may see, oldest first."
        ),
        Facts((*only, *log)),
    ]


def _entries(facts: AuditFacts) -> list[Block]:
    if not facts.rows:
        return [recorded("There is none.")]
    return [Table(_HEAD, _WIDTHS, tuple(_row(told, facts.numbers) for told in facts.rows))]


def _row(told: Told, numbers: Mapping[UUID, str]) -> tuple[Cell, ...]:
    who: list[Run] = [_short(told.name or told.actor)]
    via = told.via.partition(":")[0].replace("-", " ")
    for line in (*_in_lines(told.address or ""), f"by {via}" if via else None, "on a desk" if told.device else None):
        if line:
            who += [Break(), _short(line)]
    what: list[Run] = [_OUTCOMES[told.outcome], Break(), told.operation]
    if told.outcome == "refused":
        what += [Break(), f"{told.detail.get('reason')}, {_times(told.detail.get('count'))}"]
    elif told.outcome == "viewed" and "ids" in told.detail:
        what += [Break(), f"a list of {told.detail.get('count')}"]
    about: list[Run] = []
    if told.case is not None:
        about += [_short(numbers.get(told.case, str(told.case))), Break()]
    if told.object is not None:
        text = str(told.object)
        about += [Mono(text[:18]), Break(), Mono(text[18:])]
    place = "pending" if told.seq is None else f"{told.seq:,}"
    date, _, hour = second(told.time).rpartition(", ")
    return (
        (date, Break(), hour),
        tuple(who),
        tuple(what),
        tuple(about) or "the system",
        (place, Break(), Mono(told.digest.hex()[:_DIGITS])),
    )


def _nature(facts: AuditFacts) -> list[Block]:
    return [
        recorded(
            "A change is recorded in the same transaction that makes it: there is neither without the other. A view is recorded "
            "once for each person, object and quarter of an hour, rows of a list together; a refusal is recorded with its "
            "reason, equal ones of one second together with their number, and from the sixty-first of one person within a "
            "minute on by their number only. Views and downloads of an exhibit’s content are its custody, and are recorded "
            "before the first byte."
        ),
        recorded(
            "Those whom the system does not know leave no entry here: their refused calls are counted, minute by minute, in the "
            "log. A failure of the machine can take what was gathered in the second before it of views that are no custody, and "
            "of refusals. Times are those of the system’s own clock."
        ),
        recorded(
            "The last column names the entry of the append-only log that commits to the entry’s record, and the first digits of "
            "the record’s SHA-256. The log is a chain of digests with a Merkle tree over it (RFC 6962), whose head the system "
            "signs; size and root above are those of the signed head when this was drawn."
        ),
        Note(
            "To check a row: the system gives a record of its trail, whole, with a receipt (GET /api/v1/audit/ID). The receipt "
            "opens the log entry for the record’s SHA-256 and proves its place under a head that the log’s key has signed. The "
            "export of the same range names each record’s identifier and digest in full. The command “deedbox audit” holds every "
            "record against the log."
        ),
    ]


def _range(asked: Asked) -> str:
    match (asked.since, asked.until):
        case (None, None):
            return "from the beginning"
        case (since, None) if since is not None:
            return f"from {moment(since)}"
        case (None, until) if until is not None:
            return f"before {moment(until)}"
        case (since, until):
            assert since is not None
            assert until is not None
            return f"from {moment(since)} to before {moment(until)}"


def _times(count: object) -> str:
    return "once" if count == 1 else f"{count} times"


def _in_lines(address: str) -> tuple[str, ...]:
    """A long IPv6 address in two lines, parted at a colon: the column is narrow."""
    at = address.find(":", len(address) // 2) + 1
    return (address[:at], address[at:]) if at and len(address) > _WIDE else (address,)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_WORD else f"{text[: _MAX_WORD - 1]}…"
