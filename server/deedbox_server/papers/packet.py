"""One PDF for the clerk: chosen papers in order, after a contents page, with bookmarks and page numbers of its own.

What goes in are the papers as they were before they were signed: a signature cannot be carried into another file. The
contents page names each by the digest of its signed PDF, and the packet is signed as a whole.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from uuid import UUID

import pikepdf

from deedbox_server.evidence import typesetting
from deedbox_server.papers import counsel
from deedbox_server.papers.document import Block, Document, Note, Section, Table
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.tagged import tagged_join
from deedbox_server.papers.typeset import SetPaper, set_paper
from deedbox_server.papers.wording import COURT_FIELDS, caption, digest_cell

MAX_PARTS = 100
MAX_PAGES = 20_000
MIB = 1 << 20
DOCUMENT_LIMIT = (
    25 * MIB
)  # a document in the Illinois trial courts (efileil standards); federal courts have limits of their own
ENVELOPE_LIMIT = 50 * MIB


@dataclass(frozen=True)
class Part:
    """A paper that goes into a packet: its title, the digest of its signed PDF, and its bytes before the signature.

    `shown` are the exhibits whose content it has.
    """

    paper: UUID
    title: str
    content: bytes
    pdf: bytes
    pages: int
    shown: tuple[UUID, ...] = ()


def make_packet(document: Document, record: Record, parts: Sequence[Part], how: str) -> SetPaper:
    """`document` is the empty packet's: caption and title. Contents are set twice, since they count themselves."""
    contents = _set(document, record, parts, how, 1)
    if contents.pages != 1:
        contents = _set(document, record, parts, how, contents.pages)
    total = contents.pages + sum(part.pages for part in parts)
    joined = tagged_join([contents.pdf, *(part.pdf for part in parts)])
    starts = _starts(parts, contents.pages)
    pdf = _finished(
        joined,
        [("Contents", 1), *((part.title, start) for part, start in zip(parts, starts, strict=True))],
        total,
        record,
    )
    return SetPaper(pdf, total, contents.signatures)


def _set(document: Document, record: Record, parts: Sequence[Part], how: str, length: int) -> SetPaper:
    rows = tuple(
        (
            str(number),
            (part.title, f" (paper {part.paper})"),
            digest_cell(part.content),
            f"{start}–{start + part.pages - 1}" if part.pages > 1 else str(start),
        )
        for number, (part, start) in enumerate(zip(parts, _starts(parts, length), strict=True), start=1)
    )
    blocks: list[Block] = [
        Table(("No.", "Document", "SHA-256 of the signed original", "Pages"), (0.35, 0, 2.55, 0.6), rows),
        Note(
            "Page numbers are those at the foot of each page after ‘packet’. Each document is also kept by itself, "
            "signed; the digests above are of those files. This packet has one signature of its own, below."
        ),
    ]
    section = Section(f"Packet · paper {record.paper}", tuple(blocks))
    return set_paper(replace(document, sections=(section,), subtitle=how))


def _starts(parts: Sequence[Part], contents: int) -> list[int]:
    starts, page = [], contents + 1
    for part in parts:
        starts.append(page)
        page += part.pages
    return starts


def _finished(joined: bytes, outline: Sequence[tuple[str, int]], total: int, record: Record) -> bytes:
    """Bookmarks, and the packet's page numbers at the very foot of each page, below whatever stands there."""
    numbers = typesetting.typeset(_numbers(), {"total": total}, record.made)
    with pikepdf.open(io.BytesIO(joined)) as whole, pikepdf.open(io.BytesIO(numbers)) as feet:
        for page, foot in zip(whole.pages, feet.pages, strict=True):
            width = float(page.mediabox[2]) - float(page.mediabox[0])
            page.add_overlay(foot, pikepdf.Rectangle(0, 0, width, width * _FOOT[1] / _FOOT[0]))
        with whole.open_outline() as tree:
            tree.root[:] = [pikepdf.OutlineItem(title, start - 1) for title, start in outline]
        whole.Root.PageMode = pikepdf.Name.UseOutlines
        out = io.BytesIO()
        whole.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


_FOOT = (612, 20)


@cache
def _numbers() -> bytes:
    return files("deedbox_server.papers").joinpath("numbers.typ").read_bytes()


def size_warnings(size: int) -> tuple[str, ...]:
    """Where a packet is larger than courts take."""
    said = f"The packet has {size / MIB:.1f} MB"
    if size > ENVELOPE_LIMIT:
        return (f"{said}: more than an envelope may have in the Illinois trial courts (50 MB). Make several.",)
    if size > DOCUMENT_LIMIT:
        return (
            f"{said}: more than one document may have in the Illinois trial courts (25 MB). File its parts one by one.",
        )
    return ()


def empty_packet(record: Record, request: Request) -> Document:
    return Document(
        title=request.given.text("heading", "Packet of Documents"),
        subtitle="",
        caption=caption(request.given, record),
        sections=(),
        paper=record.paper,
        made=record.made,
        legend=False,
    )


ONE_DOCUMENT = (
    "Many courts want each document as a file of its own, with its own docket event (Illinois: one case number a "
    "document, no bulk PDFs). Use the packet for chambers and courtesy copies, or where the clerk takes it; the "
    "single papers are kept, signed, beside it."
)

KIND = Kind(
    name="packet",
    title="Packet for the clerk",
    help="Chosen papers of the case in order as one PDF, with contents, bookmarks and page numbers.",
    exhibits="none",
    fields=(
        *COURT_FIELDS,
        Field("heading", "Heading", "What the packet is called on its first page.", "heading", "counsel"),
    ),
    counsel=(
        ONE_DOCUMENT,
        "The limits checked are those of the Illinois trial courts (25 MB a document, 50 MB an envelope). Federal "
        "courts have their own, by court.",
        "Signatures that people gave on the single papers are not in the packet: it has the papers as they were "
        "before anybody signed. To file a signed declaration, file the signed paper itself.",
        counsel.PLACES,
    ),
)
