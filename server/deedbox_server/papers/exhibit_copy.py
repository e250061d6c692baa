"""An exhibit with its sticker, on a copy that says it is one: made by a worker inside walls; the original is not touched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from deedbox_server.documents.dispatcher import Dispatcher
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress
from deedbox_server.errors import DeedboxError
from deedbox_server.evidence import typesetting
from deedbox_server.evidence.paper_words import byte_count, grouped, moment, visible
from deedbox_server.papers.facts import ExhibitFacts, Record
from deedbox_server.papers.kind import Kind
from deedbox_server.vault import BlobReader

_MARK = 40  # characters of an exhibit number that a sticker has room for
_CASE = 40


class NoCopy(DeedboxError):
    """This exhibit cannot be shown as pages."""

    slug, status, title = "no-copy", 422, "No copy can be made of this exhibit"


async def make_copy(
    dispatcher: Dispatcher, reader: BlobReader, facts: ExhibitFacts, record: Record, progress: Callable[[float], None]
) -> tuple[bytes, int]:
    """The copy as PDF, and its pages. NoCopy says why there is none."""
    strip = await asyncio.to_thread(_strip, facts, record)

    def hear(told: Progress) -> None:
        if told.total:
            progress(told.done / told.total)

    result = await dispatcher.copy(reader, strip, hear)
    if result.state is ReadState.NOTHING_TO_READ:
        raise NoCopy(
            "Only PDF, JPEG, PNG and TIFF can be stamped. File other exhibits as they are, with an exhibit list."
        )
    if result.state is not ReadState.READ or len(result.files) != 1:
        raise NoCopy(result.state.words)
    return result.files[0].data, result.pages


def _strip(facts: ExhibitFacts, record: Record) -> bytes:
    digest = facts.exhibit.content
    data = {
        "mark": visible(facts.mark, _MARK),
        "name": visible(facts.name, _MARK),
        "case": visible(record.case.number, _CASE),
        "made": moment(record.made),
        "size": byte_count(facts.exhibit.size),
        "digest": grouped(digest),
        "short": f"{grouped(digest[:8])} …",
    }
    return typesetting.typeset(_template(), data, record.made)


@cache
def _template() -> bytes:
    return files("deedbox_server.papers").joinpath("strip.typ").read_bytes()


KIND = Kind(
    name="exhibit-copy",
    title="Exhibit with sticker (copy)",
    help="A PDF or picture with its exhibit number at the foot of each page. A custody event, since the content "
    "leaves the record.",
    exhibits="one",
    fields=(),
    counsel=(
        "The copy shows pages smaller, with a strip below; form fields and comments have become part of the page; "
        "scripts, attachments and hidden metadata stay behind. For anything that turns on those, offer the original.",
        "Nothing was redacted (Fed. R. Civ. P. 5.2, Ill. S. Ct. R. 138).",
        "The copy’s own SHA-256 differs from the original’s: a certificate under Rule 902(14) is about the original.",
    ),
)
