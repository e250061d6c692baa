"""The job that reads an exhibit: its bytes go to a worker, what was made becomes derived documents, the words go to the index.

Each step may be repeated: a derived document of the same form and producer is kept once, and an index entry replaces itself.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.documents.accepting import check_result
from deedbox_server.documents.dating import dates_of
from deedbox_server.documents.derived import FACTS, TEXT, WORDS, clean, parse_facts, parse_text, parse_words
from deedbox_server.documents.dispatcher import Dispatcher
from deedbox_server.documents.indexing import IndexedExhibit, IndexedPage, PageIndex
from deedbox_server.documents.sandbox import SandboxUnavailable
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress
from deedbox_server.evidence.commit import Received
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.evidence.timeline_dates import replace_dates
from deedbox_server.jobs import Handlers, Ids, JobContext, JobDraft, JobRefused, Jobs, JobTooLarge
from deedbox_server.vault import Vault
from deedbox_sync.errors import FormatError

READ_DOCUMENT = "read.document"
# A crash of the worker may be an accident of the machine once; a document that does it again does it always.
_ATTEMPTS = 2
# The part of the job that recognition is; storing and indexing are the rest.
_MOST = 0.9


class DerivedStore(Protocol):
    """Where derived documents go: blob, row, custody event and log entry, all or nothing."""

    async def add_derived(self, exhibit: UUID, drafts: Sequence[DerivedDraft]) -> list[UUID]:
        """Store these; a form and producer that the exhibit has already is kept as it is."""


class NotReadYet(Exception):
    """The reading may succeed another time; the job is repeated."""


@dataclass(frozen=True)
class _Exhibit:
    id: UUID
    case: UUID
    blob: UUID
    name: str
    labels: tuple[str, ...]


def reading_jobs(received: Received) -> list[JobDraft]:
    """The job that a new exhibit needs, whatever it is: even what holds no text is found by its name."""
    return [JobDraft(READ_DOCUMENT, received.exhibit, dedup=f"read:{received.exhibit}", max_attempts=_ATTEMPTS)]


class Reading:
    """Reads exhibits.

    A job ends `done` where all was read that can be, else `too_large`, or `failed` with a `ReadState` as its error.
    """

    def __init__(
        self, db: Database, vault: Vault, derived: DerivedStore, dispatcher: Dispatcher, index: PageIndex, jobs: Jobs
    ) -> None:
        self._db = db
        self._vault = vault
        self._derived = derived
        self._dispatcher = dispatcher
        self._index = index
        self._jobs = jobs

    def register(self, handlers: Handlers) -> None:
        handlers.register(READ_DOCUMENT, self.read_document)

    async def read_document(self, context: JobContext) -> None:
        """The handler of READ_DOCUMENT; the job's subject is the exhibit."""
        exhibit = await self._exhibit(context.job.subject)
        try:
            read = await context.step("read", partial(self._read, exhibit, context))
        except _Passing as passing:
            await self.index_exhibit(exhibit.id)  # until then it is found by name
            if passing.state.waits_for_people or context.job.attempts >= context.job.max_attempts:
                raise JobRefused(passing.state.value) from passing
            raise NotReadYet(passing.state.value) from passing
        await context.step("index", partial(self.index_exhibit, exhibit.id))
        state = ReadState(str(read["state"]))
        if state is ReadState.TOO_LARGE:
            raise JobTooLarge(state.value)
        if state not in (ReadState.READ, ReadState.NOTHING_TO_READ):
            raise JobRefused(state.value)

    async def index_exhibit(self, exhibit: UUID) -> None:
        """Put into the index what the derived documents say, and what the exhibit is called. Also how an index is rebuilt."""
        found = await self._exhibit(exhibit)
        while True:
            await self._put(found)
            before = found
            try:
                found = await self._exhibit(exhibit)
            except JobRefused:  # disposed of meanwhile: its words must not come back behind the disposal
                await self._index.forget([exhibit])
                raise
            if found.case == before.case:  # else it was refiled meanwhile, and must not be found where it was
                return

    async def _put(self, found: _Exhibit) -> None:
        exhibit = found.id
        newest = {
            row["form"]: row["blob"]
            for row in await self._db.fetch(
                "SELECT form, blob FROM derived WHERE exhibit = {} AND form IN ({}, {}) ORDER BY event",
                exhibit,
                TEXT,
                WORDS,
            )
        }
        text = await self._bytes(newest[TEXT]) if TEXT in newest else None
        words = await self._bytes(newest[WORDS]) if WORDS in newest else None
        pages = await asyncio.to_thread(_pages, found, text, words)
        await self._index.put(IndexedExhibit(exhibit, found.case, pages))

    async def date_exhibit(self, exhibit: UUID) -> None:
        """Put on the timeline what the newest facts of an exhibit say of when: for those that were read before there was one."""
        rows = await self._db.fetch(
            "SELECT blob FROM derived WHERE exhibit = {} AND form = {} ORDER BY event DESC LIMIT 1", exhibit, FACTS
        )
        if rows:
            await replace_dates(self._db, exhibit, dates_of(parse_facts(await self._bytes(rows[0]["blob"]))))

    async def problem(self) -> str | None:
        """Why nothing can be read on this machine, in words for an administrator; None where all is well."""
        try:
            await self._dispatcher.sandbox()
        except SandboxUnavailable as unavailable:
            return str(unavailable)
        return None

    async def try_again(self) -> None:
        """At start: what could not be read for want of something that an administrator may have added is queued again."""
        await self._jobs.revive(READ_DOCUMENT, [state.value for state in ReadState if state.waits_for_people])

    async def _read(self, exhibit: _Exhibit, context: JobContext) -> Ids:
        reader = await self._vault.open(exhibit.blob)
        try:
            result = await self._dispatcher.read(reader, partial(_report, context))
        finally:
            reader.close()
        state = result.state
        if state.may_pass:
            raise _Passing(state)
        try:
            await asyncio.to_thread(check_result, result)
        except FormatError:
            return {"state": ReadState.WORKER_REFUSED.value}
        drafts = [DerivedDraft(file.form, file.media_type, file.data, result.producer) for file in result.files]
        await self._derived.add_derived(exhibit.id, drafts)
        facts = next((file.data for file in result.files if file.form == FACTS), None)
        await replace_dates(self._db, exhibit.id, dates_of(parse_facts(facts)) if facts is not None else ())
        return {"state": state.value, "pages": result.pages, **({"note": result.note} if result.note else {})}

    async def _exhibit(self, exhibit: UUID) -> _Exhibit:
        row = await self._db.fetch_one("SELECT id, case_id, blob, name, labels FROM exhibit WHERE id = {}", exhibit)
        if row is None:
            raise JobRefused("gone")
        return _Exhibit(row["id"], row["case_id"], row["blob"], row["name"], tuple(json.loads(row["labels"])))

    async def _bytes(self, blob: UUID) -> bytes:
        reader = await self._vault.open(blob)
        try:
            return b"".join([piece async for piece in reader.read(0, reader.size)])
        finally:
            reader.close()


class _Passing(Exception):
    def __init__(self, state: ReadState) -> None:
        super().__init__(state.value)
        self.state = state


def _report(context: JobContext, progress: Progress) -> None:
    context.progress(_MOST * progress.done / max(progress.total, 1))


def _pages(exhibit: _Exhibit, text: bytes | None, words: bytes | None) -> tuple[IndexedPage, ...]:
    title = IndexedPage(0, clean("\n".join((exhibit.name, *exhibit.labels))))
    places = {page.page: page.words for page in parse_words(words)} if words is not None else {}
    texts = parse_text(text) if text is not None else ()
    return (title, *(IndexedPage(page.page, page.text, places.get(page.page, ())) for page in texts))
