"""List of exhibits, numbered by the firm's scheme."""

from __future__ import annotations

from deedbox_server.evidence.paper_words import byte_count, second
from deedbox_server.papers import counsel
from deedbox_server.papers.document import Block, Cell, Document, Note, Signature, Table
from deedbox_server.papers.facts import ExhibitFacts, Record
from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.wording import COURT_FIELDS, body, caption, digest_cell, short_name


def _write(record: Record, request: Request) -> Document:
    given = request.given
    table = Table(
        ("Exhibit", "File", "Received (UTC)", "SHA-256"),
        (0.75, 0, 1.15, 2.5),
        tuple(_row(facts) for facts in record.exhibits),
    )
    count = len(record.exhibits)
    blocks: list[Block] = [
        Note(f"{count} exhibits" if count != 1 else "One exhibit"),
        table,
        Note(
            "‘Captured’ means that a desk of the firm read the file at its source and signed what it read; "
            "‘received’, that the system took it as it was sent."
        ),
        Signature(
            "Counsel", "signature of counsel", (("Name", (given.run("signer"),)), ("Date", (given.run("signed_on"),)))
        ),
    ]
    offered = f"offered by {given.text('party')}" if given.has("party") else ""
    return Document(
        title="Exhibit List",
        subtitle=offered,
        caption=caption(given, record),
        sections=(body(record, blocks),),
        paper=record.paper,
        made=record.made,
        legend=False,
        draft=request.draft,
    )


def _row(facts: ExhibitFacts) -> tuple[Cell, ...]:
    how = "captured" if facts.by_desk else "received"
    name = (short_name(facts), f" ({byte_count(facts.exhibit.size)}, {how})")
    return facts.mark, name, second(facts.exhibit.received), digest_cell(facts.exhibit.content)


KIND = Kind(
    name="exhibit-list",
    title="Exhibit list",
    help="All chosen exhibits with number, file, time and digest.",
    exhibits="some",
    fields=(
        *COURT_FIELDS,
        Field(
            "party",
            "Offering party",
            "Who offers the exhibits; also the {party} of a numbering pattern.",
            "the offering party",
            "counsel",
        ),
        Field("signer", "Signed by", "The attorney who signs.", "name of the attorney", "counsel"),
        Field("signed_on", "Date", "The day of signing.", "date", "counsel", format="date"),
    ),
    counsel=(
        "The list has file names as they were captured, not descriptions for a jury. Whether each is on the right "
        "list, and what objections are reserved, counsel decides.",
        counsel.PLACES,
    ),
    write=_write,
)
