"""Sentences and rows that several papers share. They say what the record proves, and where it proves nothing."""

from __future__ import annotations

from collections.abc import Sequence

from deedbox_server.evidence.custody_paper import PaperExhibit, acquisition_rows, event_words, object_rows
from deedbox_server.evidence.paper_words import byte_count, grouped, moment, second
from deedbox_server.papers.document import (
    Block,
    Break,
    Caption,
    Cell,
    Facts,
    Heading,
    Mono,
    Paragraph,
    Run,
    Section,
    Signature,
    Table,
    Whose,
)
from deedbox_server.papers.facts import ExhibitFacts, LoggedEvent, Record, Rehash
from deedbox_server.papers.fields import Field, Given
from deedbox_sync.clock import apart

RECORD, DECLARANT = Whose.RECORD, Whose.DECLARANT

COURT_FIELDS = (
    Field(
        "court",
        "Court",
        "As it heads its papers, for example: United States District Court for the Northern District of Illinois, "
        "Eastern Division.",
        "name of the court",
        "counsel",
    ),
    Field(
        "action",
        "Title of the action",
        "The parties as they are captioned. Without it the case’s title in the record stands.",
        "title of the action",
        "counsel",
    ),
    Field(
        "docket",
        "Case number of the court",
        "The court’s own number, not the firm’s.",
        "the court’s case number",
        "counsel",
    ),
)

DECLARANT_FIELDS = (
    Field("declarant", "Name of the declarant", "Who signs, in full.", "full name"),
    Field("employer", "Employer", "Whom the declarant works for.", "employer"),
    Field("title", "Title", "The declarant’s position there.", "position"),
    Field(
        "qualification",
        "Qualification",
        "What makes the declarant a custodian or another qualified person: training, experience, duties with these "
        "records or this system.",
        "training, experience and duties that qualify the declarant",
    ),
    Field(
        "executed_on",
        "Date of signing",
        "The day on which the declarant signs. Better left open until then.",
        "date",
        format="date",
    ),
    Field(
        "executed_at", "Place of signing", "City and state (and country, if not the United States).", "city and state"
    ),
)

ABROAD = Field(
    "executed_in",
    "Where it is signed",
    "28 U.S.C. § 1746 has one form of words for signing within the United States and one for signing outside. "
    "Without an answer the longer form stands, which holds the shorter.",
    choices=("within", "outside"),
)


def caption(given: Given, record: Record) -> Caption:
    return Caption((given.run("court"),), given.text("action", record.case.title), (given.run("docket"),))


def say(*runs: Run, whose: Whose = Whose.FORM) -> Paragraph:
    return Paragraph(runs, whose)


def own(*runs: Run) -> Paragraph:
    """The declarant's own statement."""
    return Paragraph(runs, DECLARANT)


def recorded(*runs: Run) -> Paragraph:
    """What the record says."""
    return Paragraph(runs, RECORD)


def introduction(given: Given) -> list[Block]:
    return [
        own(
            "My name is ",
            given.run("declarant"),
            ". I am employed by ",
            given.run("employer"),
            " as ",
            given.run("title"),
            ". I make this certification from my own knowledge and, where the margin says so, from the record of the "
            "system described below.",
        ),
    ]


def which(record: Record) -> str:
    """The exhibits of a paper, in few words."""
    marks = [facts.mark for facts in record.exhibits]
    if not marks:
        return "no exhibit"
    if len(marks) == 1:
        return record.exhibits[0].name
    if len(marks) <= 6:
        return f"Exhibits {', '.join(marks[:-1])} and {marks[-1]}"
    return f"{len(marks)} exhibits, {marks[0]} to {marks[-1]}"


def body_footer(record: Record) -> str:
    """Short, for the foot of a page."""
    marks = [facts.mark for facts in record.exhibits]
    told = which(record) if len(marks) < _FEW else f"Exhibits {marks[0]} to {marks[-1]}"
    return f"{told} · paper {record.paper}" if marks else f"paper {record.paper}"


def body(record: Record, blocks: Sequence[Block]) -> Section:
    """The paper's own pages; of one exhibit they carry its digest."""
    digest = record.exhibits[0].exhibit.content if len(record.exhibits) == 1 else None
    return Section(body_footer(record), tuple(blocks), digest)


def perjury(given: Given) -> Paragraph:
    """28 U.S.C. § 1746, (1) or (2)."""
    laws = "" if given.text("executed_in") == "within" else " under the laws of the United States of America"
    return Paragraph(
        (
            f"I declare under penalty of perjury{laws} that the foregoing is true and correct. Executed on ",
            given.run("executed_on"),
            " at ",
            given.run("executed_at"),
            ".",
        ),
        DECLARANT,
        numbered=False,
        sticky=True,
    )


def declarant_signature(given: Given) -> Signature:
    return Signature(
        "Declarant",
        "signature of the declarant",
        (("Name", (given.run("declarant"),)), ("Title", (given.run("title"),))),
    )


# --- an exhibit


def paper_exhibit(facts: ExhibitFacts) -> PaperExhibit:
    """As the custody paper's short form takes it; that one is made only of exhibits that are in the log."""
    return PaperExhibit(
        number=facts.exhibit.number,
        captured=facts.captured,
        statement=facts.exhibit.statement,
        by_desk=facts.by_desk,
        received=facts.events[0].index or 0,
        records=tuple(event.record for event in facts.events),
        bracket=facts.bracket,
    )


def how_it_came(facts: ExhibitFacts) -> str:
    """Captured or received: never more than the record proves."""
    if facts.by_desk:
        when = moment(facts.received.time)
        return f"was captured by the desk “{facts.captured.device.name}” and taken by the system on {when}"
    return (
        f"was received by the system on {moment(facts.received.time)} as it was sent by {facts.received.actor.name}; "
        "the system did not see where it came from before that"
    )


def source_rows(facts: ExhibitFacts) -> list[tuple[str, Cell]]:
    """Name, size, source and acquisition, as the custody paper has them."""
    rows = [("File name", facts.captured.file.name), ("Firm’s exhibit no.", str(facts.exhibit.number))]
    found = [*object_rows(facts.captured), *acquisition_rows(paper_exhibit(facts))]
    rows += [(label, value.replace(_ZERO_WIDTH, "")) for label, value in found]  # places to break a line are set anew
    if facts.desk is not None:
        revoked = f"; revoked {moment(facts.desk.revoked)}" if facts.desk.revoked else ""
        rows.append(("Desk", f"{facts.desk.platform}, paired with the system on {moment(facts.desk.paired)}{revoked}"))
    return [*rows]


def digest_rows(facts: ExhibitFacts) -> list[tuple[str, Cell]]:
    """Every digest of the statement, and the statement's own."""
    rows: list[tuple[str, Cell]] = [
        (f"{_NAMES.get(name, name)} when taken", digest_cell(value))
        for name, value in sorted(facts.captured.digests.items())
    ]
    rows.append(("Statement’s SHA-256", digest_cell(facts.exhibit.statement)))
    return rows


def short_name(facts: ExhibitFacts) -> str:
    """For a table: a very long name by its two ends."""
    name = facts.captured.file.name
    return name if len(name) <= _NAME else f"{name[: _NAME // 2]}…{name[-_NAME // 2 :]}"


def digest_cell(digest: bytes) -> Cell:
    """In lines of eight groups, which the eye can compare."""
    lines: list[Run] = []
    for at in range(0, len(digest), _DIGEST_LINE):
        lines += [Break()] if at else []
        lines.append(Mono(grouped(digest[at : at + _DIGEST_LINE])))
    return tuple(lines)


def rehash_rows(rehash: Rehash) -> list[tuple[str, Cell]]:
    """What the stored copy came to when it was read again."""
    rows: list[tuple[str, Cell]] = [("Read again", moment(rehash.time)), ("Size of the copy", byte_count(rehash.size))]
    rows += [
        (f"{_NAMES.get(name, name)} of the copy", digest_cell(value)) for name, value in sorted(rehash.digests.items())
    ]
    rows.append(
        ("Result", "identical in size and in every digest that was recorded" if rehash.agrees else "DOES NOT AGREE")
    )
    rows += [("Finding", finding) for finding in rehash.findings]
    return rows


def time_rows(facts: ExhibitFacts, record: Record) -> list[tuple[str, Cell]]:
    """When, by whose word: the desk's and the box's clocks, and what outsiders say."""
    rows: list[tuple[str, Cell]] = []
    rows.append(("Received", f"{moment(facts.received.time)}, by the system’s clock"))
    rows.append(("Log", f"{_place(facts.events[0])} of {record.log}"))
    if (told := clock_words(facts)) is not None:
        rows.append(("Desk’s clock", told))
    bracket = facts.bracket
    if bracket.not_before is not None:
        rows.append(("Not before", f"{moment(bracket.not_before)}, by {bracket.not_before_by or 'a beacon'}"))
    if bracket.not_after is not None:
        rows.append(("Not after", f"{moment(bracket.not_after)}, by {bracket.not_after_by or 'an outsider'}"))
    if bracket.not_after is None:
        rows.append(
            (
                "Outside time",
                "no time stamp or witness outside the firm had seen this exhibit in the log when this paper was "
                "made; how late it can have been made, only the firm’s own clocks say",
            )
        )
    return rows


def clock_words(facts: ExhibitFacts) -> str | None:
    """The box's finding about the desk's clock; None where there was no desk."""
    if facts.clock is None:
        return None if not facts.by_desk else "not compared when the statement was taken"
    finding, offset = facts.clock
    told = "" if offset is None else apart(offset)
    return {
        "ahead": f"disagreed with the system’s clock: {told}",
        "behind": f"disagreed with the system’s clock: {told}",
        "agrees": f"agreed with the system’s clock to within two minutes ({told})",
        "unknown": "nothing contradicted it, but the desk had had no contact with the system to compare it by",
    }.get(finding, finding)


def clock_disagreed(facts: ExhibitFacts) -> bool:
    return facts.clock is not None and facts.clock[0] in ("ahead", "behind")


def custody_table(events: Sequence[LoggedEvent]) -> Table:
    """Every event: number, what, when, who, and its place in the log."""
    return Table(
        ("No.", "Event", "When (UTC)", "Who, and how recognized", "What", "Log"),
        (0.35, 0.8, 1.05, 1.6, 0, 0.5),
        tuple(
            (
                str(event.record.number),
                event.record.kind,
                second(event.record.time),
                f"{event.record.actor.name} ({event.record.actor.via})",
                event_words(event.record),
                "pending" if event.index is None else f"{event.index:,}",
            )
            for event in events
        ),
    )


def custody_words(facts: ExhibitFacts) -> str:
    """Custody since, in a sentence."""
    kinds = [event.record.kind for event in facts.events[1:]]
    count = len(facts.events)
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "none"
    told = "one custody event" if count == 1 else f"{count} custody events, numbered 1 to {count} without a gap"
    return f"{told}; after receipt: {counts}"


def particulars(facts: ExhibitFacts, record: Record) -> list[Block]:
    """One exhibit in a schedule."""
    blocks: list[Block] = [
        Heading(f"{facts.name}"),
        Facts(tuple(source_rows(facts))),
        Heading("Digital identification"),
    ]
    blocks.append(Facts(tuple(digest_rows(facts) + ([] if facts.rehash is None else rehash_rows(facts.rehash)))))
    blocks += [Heading("Time"), Facts(tuple(time_rows(facts, record)))]
    blocks += [Heading("Custody since receipt"), Facts((*storage_rows(facts), ("Custody", custody_words(facts))))]
    return blocks


def storage_rows(facts: ExhibitFacts) -> tuple[tuple[str, Cell], ...]:
    """Where it is kept, and what last happened to it."""
    last = facts.events[-1].record
    return (("Storage", STORAGE), ("Last event", f"no. {last.number}, {last.kind}, {moment(last.time)}"))


def schedule(record: Record) -> list[Section]:
    """One exhibit a page (or more), each with its number and digest at the foot."""
    sections = []
    for at, facts in enumerate(record.exhibits):
        head: list[Block] = [Heading("Schedule A: the exhibits")] if at == 0 else []
        sections.append(
            Section(
                f"{facts.name} · paper {record.paper}",
                (*head, *particulars(facts, record)),
                facts.exhibit.content,
            )
        )
    return sections


STORAGE = (
    "in the firm’s own system, each file encrypted under a key of its own (AES-256-GCM, authenticated by segment); "
    "the original bytes are never written again"
)

_FEW = 3
_NAME = 90  # characters of a file name in a table
_ZERO_WIDTH = "\u200b"
_DIGEST_LINE = 16  # bytes
_NAMES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}


def _place(event: LoggedEvent) -> str:
    return "not yet in the log" if event.index is None else f"entry {event.index:,}"
