"""A document set by typst: the PDF (PDF/A-2b, tagged, where the fonts at hand allow) and the places of its signatures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from deedbox_server.evidence import typesetting
from deedbox_server.evidence.paper_words import grouped, moment, visible
from deedbox_server.papers.document import (
    Blank,
    Block,
    Break,
    Cell,
    Document,
    Facts,
    Heading,
    Mono,
    Note,
    Paragraph,
    Room,
    Run,
    Section,
    Signature,
    Table,
)

PAGE_HEIGHT = 792.0  # points of US letter
_LONGEST = 28  # letters of a word that stays whole, so that searching a paper finds it
_SEAL_LINE = 250
MAX_RUN = 4_000  # characters of one run: what a person types into one field is far less


@dataclass(frozen=True)
class SignaturePlace:
    """A signature field's name, page (from 0) and rectangle in PDF points, from the lower left."""

    name: str
    page: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class SetPaper:
    """`signatures` in the order in which they stand on the paper."""

    pdf: bytes
    pages: int
    signatures: tuple[SignaturePlace, ...]


def set_paper(document: Document) -> SetPaper:
    """Takes some 30 ms, and 5 ms a page; call it in a thread. The same document gives the same bytes."""
    data = _document(document)
    pdf = typesetting.typeset(_template(), data, document.made)
    found = json.loads(typesetting.query(_template(), data, "<field>"))
    return SetPaper(pdf, typesetting.page_count(pdf), tuple(_place(one) for one in found))


@cache
def _template() -> bytes:
    return files("deedbox_server.papers").joinpath("paper.typ").read_bytes()


def _place(found: dict[str, float | str]) -> SignaturePlace:
    x, width, height = float(found["x"]), float(found["width"]), float(found["height"])
    top = PAGE_HEIGHT - float(found["y"])
    return SignaturePlace(
        str(found["name"]), int(found["page"]) - 1, (round(x), round(top - height), round(x + width), round(top))
    )


def _document(document: Document) -> dict[str, object]:
    caption = document.caption
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "caption": None
        if caption is None
        else {"court": _runs(caption.court), "action": _runs(caption.action), "docket": _runs(caption.docket)},
        "made": moment(document.made),
        "first_top": document.first_top,
        "legend": document.legend,
        "draft": document.draft,
        "seal": [visible(line, _SEAL_LINE, _LONGEST) for line in document.seal],
        "sections": [_section(section) for section in document.sections],
    }


def _section(section: Section) -> dict[str, object]:
    return {
        "footer": visible(section.footer, 110, _LONGEST),
        "digest": "" if section.digest is None else grouped(section.digest),
        "blocks": [_block(block) for block in section.blocks],
    }


def _block(block: Block) -> dict[str, object]:
    match block:
        case Heading(text):
            return {"k": "heading", "text": text}
        case Paragraph(runs, whose, numbered, sticky):
            shape = {"numbered": numbered, "sticky": sticky}
            return {"k": "paragraph", "runs": _runs(runs), "whose": whose.value, **shape}
        case Facts(rows):
            return {"k": "facts", "rows": _rows(rows)}
        case Table():
            return {
                "k": "table",
                "head": list(block.head),
                "widths": list(block.widths),
                "rows": [[_runs(cell) for cell in row] for row in block.rows],
                "ruled": block.ruled,
            }
        case Note(text):
            return {"k": "note", "text": text}
        case Signature(field, caption, rows):
            return {"k": "signature", "field": field, "caption": caption, "rows": _rows(rows)}


def _rows(rows: Sequence[tuple[str, Cell]]) -> list[list[object]]:
    return [[label, _runs(value)] for label, value in rows]


def _runs(cell: Cell) -> list[dict[str, object]]:
    return [_run(run) for run in ([cell] if isinstance(cell, str) else cell)]


def _run(run: Run) -> dict[str, object]:
    match run:
        case Blank(label, by):
            return {"k": "blank", "label": label, "by": by}
        case Break():
            return {"k": "break"}
        case Room(height):
            return {"k": "room", "height": height}
        case Mono(text):
            return {"k": "mono", "v": visible(text, MAX_RUN, _LONGEST)}
        case str(text):
            return {"k": "text", "v": visible(text, MAX_RUN, _LONGEST)}
