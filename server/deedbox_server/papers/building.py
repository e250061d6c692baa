"""From record and request to a PDF that lacks only its signature, for each kind of paper; type is set in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from deedbox_server.documents.dispatcher import Dispatcher
from deedbox_server.errors import BadRequest, Unavailable
from deedbox_server.papers import counsel, validation_report
from deedbox_server.papers.custody_short import closing_page, set_short
from deedbox_server.papers.document import Document
from deedbox_server.papers.exhibit_copy import make_copy
from deedbox_server.papers.facts import Record
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.packet import Part, empty_packet, make_packet
from deedbox_server.papers.press import Press
from deedbox_server.papers.tagged import tagged_join
from deedbox_server.papers.typeset import SetPaper, set_paper
from deedbox_server.papers.validation_run import ValidationRun
from deedbox_server.people.principal import Principal
from deedbox_server.vault import Vault

#: Sets the paper with these words in the box's seal.
Set: TypeAlias = Callable[[tuple[str, ...]], Awaitable[SetPaper]]
Progress: TypeAlias = Callable[[float], None]


@dataclass(frozen=True)
class Built:
    """A paper that waits for the words of its seal. `shows_content`: it has an exhibit's own content in it."""

    set: Set
    shows_content: bool = False


class Builder:
    def __init__(
        self, vault: Vault, dispatcher: Dispatcher, validation: Callable[[], ValidationRun], press: Press
    ) -> None:
        self._vault = vault
        self._dispatcher = dispatcher
        self._validation = validation
        self._press = press

    async def prepare(
        self,
        principal: Principal,
        kind: Kind,
        record: Record,
        request: Request,
        parts: Sequence[Part],
        progress: Progress,
    ) -> Built:
        """All that takes long and can fail is done when this returns; what is set then is set twice at most."""
        match kind.name:
            case "custody-short":
                if any(
                    facts.events[0].index is None for facts in record.exhibits
                ):  # its pages name the place in the log
                    raise Unavailable("The log does not have all of these exhibits yet: try again in a moment.")
                closing = closing_page(record)
                return Built(
                    self._set(lambda seal: partial(set_short, record, replace(closing, seal=seal)), _guess(record))
                )
            case "exhibit-copy":
                return await self._copy(record, progress)
            case "validation-report":
                run = await self._validation().run(principal, record.case.id)
                return Built(self._document(validation_report.write_report(record, request, run), record))
            case "packet":
                empty = empty_packet(record, request)
                how = "one document" if len(parts) == 1 else f"{len(parts)} documents"
                join = self._set(
                    lambda seal: partial(make_packet, replace(empty, seal=seal), record, tuple(parts), how),
                    sum(part.pages for part in parts),
                )
                return Built(join, shows_content=any(part.shown for part in parts))
            case _:
                return Built(self._document(_written(kind, record, request), record))

    async def notes(self, kind: Kind, record: Record, request: Request) -> bytes:
        return (await asyncio.to_thread(set_paper, counsel.notes(kind, record, request))).pdf

    async def draft(self, kind: Kind, record: Record, request: Request) -> bytes:
        """The notes first, then the paper; not signed."""
        notes = await self.notes(kind, record, request)
        paper = await self._document(_written(kind, record, request), record)(("Draft: not signed.",))
        return await self._press.run(partial(tagged_join, [notes, paper.pdf]), paper.pages)

    def _document(self, document: Document, record: Record) -> Set:
        return self._set(lambda seal: partial(set_paper, replace(document, seal=seal)), _guess(record))

    def _set(self, work: Callable[[tuple[str, ...]], Callable[[], SetPaper]], pages: int) -> Set:
        async def run(seal: tuple[str, ...]) -> SetPaper:
            return await self._press.run(work(seal), pages)

        return run

    async def _copy(self, record: Record, progress: Progress) -> Built:
        (facts,) = record.exhibits
        reader = await self._vault.open(facts.exhibit.blob)
        try:
            pdf, pages = await make_copy(self._dispatcher, reader, facts, record, lambda part: progress(0.6 + part / 5))
        finally:
            reader.close()

        async def as_it_is(_seal: tuple[str, ...]) -> SetPaper:
            """A copy has no page of ours: its signature is not shown."""
            return SetPaper(pdf, pages, ())

        return Built(as_it_is, shows_content=True)


def _written(kind: Kind, record: Record, request: Request) -> Document:
    if kind.write is None:
        raise BadRequest("This kind of paper has no draft.")
    return kind.write(record, request)


def _guess(record: Record) -> int:
    """Pages: most papers have one an exhibit, some fewer or two."""
    return len(record.exhibits)
