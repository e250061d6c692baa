"""Custody in short: the bundle's one page an exhibit, with a last page that carries the signature."""

from __future__ import annotations

from dataclasses import replace

from deedbox_server.evidence import typesetting
from deedbox_server.evidence.custody_paper import CustodyPaper, render_custody
from deedbox_server.papers import counsel
from deedbox_server.papers.document import Document, Note, Section
from deedbox_server.papers.facts import Record
from deedbox_server.papers.kind import Kind
from deedbox_server.papers.tagged import tagged_join
from deedbox_server.papers.typeset import SetPaper, set_paper
from deedbox_server.papers.wording import body_footer, paper_exhibit, recorded, which


def set_short(record: Record, closing: Document) -> SetPaper:
    """The pages, and the closing page after them. `closing` is `closing_page`'s, with the words of the seal in it."""
    pages = render_custody(
        CustodyPaper(
            bundle=record.paper,
            made=record.made,
            case_number=record.case.number,
            case_title=record.case.title,
            log=record.log,
            log_size=record.log_size,
            exhibits=tuple(paper_exhibit(facts) for facts in record.exhibits),
            holder="paper",
        )
    )
    count = typesetting.page_count(pages)
    last = set_paper(closing)
    signatures = tuple(replace(place, page=place.page + count) for place in last.signatures)
    return SetPaper(tagged_join([pages, last.pdf]), count + last.pages, signatures)


def closing_page(record: Record) -> Document:
    """What the pages before it are, and room for the signature."""
    blocks = (
        recorded(
            f"The pages before this one are custody reports in the short form, of {which(record)}, taken from the "
            f"record of the system “{record.box}” (Deedbox {record.version}, identifier {record.box_id})."
        ),
        Note("This page has a page number of its own."),
    )
    return Document(
        title="Custody Reports",
        subtitle=f"short form · {record.case.number} · {record.case.title}",
        caption=None,
        sections=(Section(body_footer(record), blocks),),
        paper=record.paper,
        made=record.made,
        legend=False,
    )


KIND = Kind(
    name="custody-short",
    title="Custody report, short form",
    help="One page an exhibit: source, acquisition, digests, time, custody.",
    exhibits="some",
    fields=(),
    counsel=(
        "The short form sums up views by their number; the full form and the bundle have each of them.",
        "Exhibits are named by the firm’s own numbers here.",
        counsel.PLACES,
    ),
)
