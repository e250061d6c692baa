"""Custody in full: every event of every exhibit, with actor, times, digests and place in the log."""

from __future__ import annotations

from deedbox_server.papers import counsel
from deedbox_server.papers.document import Block, Document, Facts, Heading, Mono, Note, Section, Table
from deedbox_server.papers.facts import ExhibitFacts, Record
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.wording import (
    COURT_FIELDS,
    caption,
    custody_table,
    custody_words,
    digest_cell,
    digest_rows,
    recorded,
    rehash_rows,
    source_rows,
    storage_rows,
    time_rows,
    which,
)


def _write(record: Record, request: Request) -> Document:
    sections = [_exhibit(facts, record) for facts in record.exhibits]
    head = [
        recorded(
            f"This report is taken from the record of the system “{record.box}” (Deedbox {record.version}, identifier "
            f"{record.box_id}) and covers {which(record)}. It is made by the system; no person has stated anything in "
            "it."
        ),
        recorded(
            f"The log is {record.log}, of {record.log_size:,} entries when this report was made. Its key is ",
            Mono(record.log_key),
            ".",
        ),
        recorded(
            "Each custody record names the SHA-256 digest of the record before it, and the log commits to each. The "
            "bundle of an exhibit holds the records themselves, with the proofs that they are in the log."
        ),
    ]
    first = sections[0]
    sections[0] = Section(first.footer, (*head, *first.blocks), first.digest)
    return Document(
        title="Custody Report",
        subtitle=f"full form · {record.case.number} · {record.case.title}",
        caption=caption(request.given, record) if request.given.has("court") else None,
        sections=tuple(sections),
        paper=record.paper,
        made=record.made,
        legend=False,
        draft=request.draft,
    )


def _exhibit(facts: ExhibitFacts, record: Record) -> Section:
    exceptions = [f"{item.kind.replace('-', ' ')}: {item.detail}" for item in facts.captured.exceptions]
    blocks: list[Block] = [
        Heading(f"{facts.name}: source and acquisition"),
        Facts(tuple(source_rows(facts))),
        Heading("Digests, and the copy read again"),
        Facts((*digest_rows(facts), *(rehash_rows(facts.rehash) if facts.rehash is not None else ()))),
        Heading("Time"),
        Facts(tuple(time_rows(facts, record))),
        Heading("Storage, exceptions"),
        Facts((*storage_rows(facts), ("Exceptions", "; ".join(exceptions) or "none while reading"))),
        Heading("Every custody event"),
        Note(f"{custody_words(facts)}."),
        custody_table(facts.events),
        Heading("Digests of the custody records"),
        _digests(facts),
    ]
    return Section(f"{facts.name} · paper {record.paper}", tuple(blocks), facts.exhibit.content)


def _digests(facts: ExhibitFacts) -> Table:
    rows = [(str(event.record.number), event.record.actor.id, digest_cell(event.digest)) for event in facts.events]
    return Table(("No.", "Actor’s identifier", "SHA-256 of the record"), (0.4, 0, 2.55), tuple(rows))


KIND = Kind(
    name="custody-full",
    title="Custody report, full form",
    help="Every event of each exhibit with actor, times, digests and place in the log; the stored copy is read and "
    "hashed again.",
    exhibits="some",
    fields=COURT_FIELDS,
    counsel=(
        "The report tells what the system recorded. What happened outside of it, to a printed copy, a stick or the "
        "source device, it does not know.",
        "Names of people who viewed an exhibit are in it: consider work product before it leaves the firm. A bundle "
        "can withhold views and still prove that nothing else is missing.",
        counsel.PLACES,
    ),
    rehash=True,
    write=_write,
)
