"""Papers made, kept and handed out. Making one takes from a blink to minutes; nothing of it holds up the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, DeedboxError, NotFound, TooLarge
from deedbox_server.evidence.exhibits import Exhibit, Exhibits
from deedbox_server.papers.all_kinds import KINDS
from deedbox_server.papers.building import Builder
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import read_fields, read_rows
from deedbox_server.papers.gathering import Gathering
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.numbering import Scheme
from deedbox_server.papers.packet import MAX_PARTS, ONE_DOCUMENT, Part, size_warnings
from deedbox_server.papers.signatory import Signatory
from deedbox_server.papers.store import Finished, Paper, PaperStore
from deedbox_server.people import Permissions, Principal
from deedbox_sync import uuid7

AT_ONCE = 2  # papers: typst takes a core and some hundred MiB for a long one
MAX_WAITING = 20  # more is a program gone wrong
MAX_NUMBER = 100_000  # the highest exhibit number to begin with
_PART_BYTES = 200 << 20  # of all papers in a packet together: far above what any court takes, and what memory holds

log = logging.getLogger("deedbox.papers")


@dataclass(frozen=True)
class Wanted:
    """One paper as it is asked for. Without `exhibits` all of the case; `first` numbers them anew from there, in their order."""

    kind: str
    case: UUID
    exhibits: list[UUID] | None = None
    fields: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)
    papers: list[UUID] = field(default_factory=list)
    numbering: str | None = None
    party: str | None = None
    first: int | None = None
    draft: bool = False


@dataclass
class Making:
    """A paper that is being made. `fraction` is a guess for people."""

    id: UUID
    principal: Principal
    wanted: Wanted
    fraction: float = 0.0
    task: asyncio.Task[Paper] | None = None

    def progress(self, fraction: float) -> None:
        self.fraction = max(self.fraction, min(fraction, 1.0))


class Papers:
    """Used from one event loop. What is being made is known to this process only: after a restart it is asked for again."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        exhibits: Exhibits,
        gathering: Gathering,
        builder: Builder,
        signatory: Signatory,
        store: PaperStore,
        numbering: str,
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._exhibits = exhibits
        self._gathering = gathering
        self._builder = builder
        self._signatory = signatory
        self._store = store
        self._numbering = numbering
        self._making: dict[UUID, Making] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    def kinds(self, principal: Principal) -> Sequence[Kind]:
        self._permissions.require(principal, "paper.kinds")
        return tuple(KINDS.values())

    async def close(self) -> None:
        """Give up what is being made: nothing of it is kept, and it can be asked for again."""
        tasks = [making.task for making in self._making.values() if making.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- making

    async def start(self, principal: Principal, wanted: Wanted) -> Making:
        """Begin. What can be seen to be wrong at once is refused here; what comes to light later, `Making.task` raises."""
        await self._permissions.permit(self._db, principal, "paper.make", case=wanted.case)
        _checked(wanted)
        if len(self._making) >= MAX_WAITING:
            raise BadRequest(f"{MAX_WAITING} papers are being made: wait for some of them.")
        making = Making(uuid7.new(), principal, wanted)
        self._making[making.id] = making
        making.task = asyncio.create_task(self._make(making))
        making.task.add_done_callback(lambda task: self._ended(making, task))
        return making

    def making(self, principal: Principal, paper: UUID) -> Making | None:
        """What this principal has asked for and is not done."""
        found = self._making.get(paper)
        return found if found is not None and found.principal.actor_id == principal.actor_id else None

    async def draft(self, principal: Principal, wanted: Wanted) -> bytes:
        """The notes for counsel and the paper, unsigned, neither kept nor logged; for kinds that are text alone."""
        await self._permissions.permit(self._db, principal, "paper.make", case=wanted.case)
        kind, request = _checked(wanted)
        if kind.write is None:
            raise BadRequest("This kind of paper has no draft: make it.")
        async with self._turns:
            record, _ = await self._gathered(principal, uuid7.new(), kind, wanted, request, lambda _: None)
            return await self._builder.draft(kind, record, request)

    async def _make(self, making: Making) -> Paper:
        principal, wanted = making.principal, making.wanted
        kind, request = _checked(wanted)
        async with self._turns:
            record, chosen = await self._gathered(principal, making.id, kind, wanted, request, making.progress)
            parts = await self._parts(principal, wanted) if kind.name == "packet" else []
            making.progress(0.6)
            built = await self._builder.prepare(principal, kind, record, request, parts, making.progress)
            making.progress(0.8)
            signed = await self._signatory.sign(record, built.set)
            notes = await self._builder.notes(kind, record, request)
            making.progress(0.95)
            shown = [exhibit.id for exhibit in chosen] if built.shows_content and not parts else []
            finished = Finished(
                title=kind.title,
                pdf=signed.pdf,
                unsigned=signed.unsigned,
                pages=signed.pages,
                notes=notes,
                signature=signed.how,
                shown=tuple(dict.fromkeys([*shown, *(one for part in parts for one in part.shown)])),
                parts=tuple(part.paper for part in parts),
            )
            return await self._store.keep(principal, kind.name, record, finished)

    async def _gathered(
        self,
        principal: Principal,
        paper: UUID,
        kind: Kind,
        wanted: Wanted,
        request: Request,
        progress: Callable[[float], None],
    ) -> tuple[Record, list[Exhibit]]:
        chosen = await self._chosen(principal, kind, wanted)
        party = wanted.party or (
            request.given.text("party") if "party" in {field.name for field in kind.fields} else ""
        )
        scheme = Scheme(wanted.numbering or self._numbering, party)
        numbers = [exhibit.number if wanted.first is None else wanted.first + at for at, exhibit in enumerate(chosen)]
        marks = [scheme.mark(number) for number in numbers]
        record = await self._gathering.record(principal, paper, wanted.case, chosen, marks)
        progress(0.1)
        if not kind.rehash:
            return record, chosen
        facts = []
        for at, one in enumerate(record.exhibits, start=1):
            facts.append(replace(one, rehash=await self._gathering.rehash(principal, one)))
            progress(0.1 + 0.5 * at / len(record.exhibits))
        return replace(record, exhibits=tuple(facts)), chosen

    async def _chosen(self, principal: Principal, kind: Kind, wanted: Wanted) -> list[Exhibit]:
        if kind.exhibits == "none" or (kind.exhibits == "any" and not wanted.exhibits):
            return []
        chosen = await self._gathering.chosen(principal, wanted.case, wanted.exhibits)
        if kind.exhibits == "one" and len(chosen) != 1:
            raise BadRequest("Choose one exhibit for this kind of paper.")
        if not chosen:
            raise BadRequest("Choose at least one exhibit; this case has none yet.")
        return chosen

    async def _parts(self, principal: Principal, wanted: Wanted) -> list[Part]:
        """The papers of a packet, in order; all of this case."""
        found = [await self._store.find(paper) for paper in wanted.papers]
        if any(paper.case != wanted.case for paper in found):
            raise NotFound
        if sum(paper.size for paper in found) > _PART_BYTES:
            raise TooLarge(f"The papers of a packet have at most {_PART_BYTES >> 20} MiB together.")
        return [
            Part(
                paper.id,
                _title(paper),
                paper.content,
                (await self._store.read(paper.blob))[: paper.unsigned],
                paper.pages,
                tuple(one.id for one in paper.record.exhibits) if paper.shows_content else (),
            )
            for paper in found
        ]

    def _ended(self, making: Making, task: asyncio.Task[Paper]) -> None:
        """Whoever waits hears it from the task; a failure that nobody waits for any more is at least in the log."""
        del self._making[making.id]
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, DeedboxError):
            log.error("a paper could not be made: %s", type(error).__name__)

    # --- what was made

    async def of_case(self, principal: Principal, case: UUID, after: UUID | None, limit: int) -> list[Paper]:
        await self._permissions.permit(self._db, principal, "paper.read", case=case)
        return await self._store.of_case(case, after, limit)

    async def look(self, principal: Principal, paper: UUID) -> Paper:
        """What the principal may not see is answered as what does not exist."""
        found = await self._store.find(paper)
        await self._permissions.permit(self._db, principal, "paper.read", case=found.case)
        return found

    async def pdf(self, principal: Principal, paper: UUID) -> tuple[Paper, bytes]:
        """The signed PDF. To read one that has an exhibit's content in it is to view that exhibit."""
        found = await self.look(principal, paper)
        if found.shows_content:
            await self._exhibits.show(principal, await self._shown(found))
        return found, await self._store.read(found.blob)

    async def notes(self, principal: Principal, paper: UUID) -> bytes:
        """The notes for counsel."""
        return await self._store.read((await self.look(principal, paper)).notes)

    async def _shown(self, paper: Paper) -> dict[UUID, UUID]:
        """Exhibits whose content is in this paper, with their case."""
        papers = [await self._store.find(part) for part in paper.record.parts] if paper.record.parts else [paper]
        return {one.id: paper.case for part in papers if part.shows_content for one in part.record.exhibits}


def warnings(paper: Paper) -> tuple[str, ...]:
    """What a person should know before filing a paper."""
    found = size_warnings(paper.size)
    return (*found, ONE_DOCUMENT) if paper.kind == "packet" else found


def _title(paper: Paper) -> str:
    marks = [one.mark for one in paper.record.exhibits]
    return f"{paper.title}: {marks[0]}" if len(marks) == 1 else paper.title


def _checked(wanted: Wanted) -> tuple[Kind, Request]:
    """Kind and fields; BadRequest says what is wrong."""
    kind = KINDS.get(wanted.kind)
    if kind is None:
        raise BadRequest(f"There is no such kind of paper. Known are: {', '.join(KINDS)}.")
    given = read_fields(kind.fields, wanted.fields)
    if wanted.rows and kind.rows is None:
        raise BadRequest("This kind of paper takes no rows.")
    rows = () if kind.rows is None else read_rows(kind.rows, wanted.rows)
    if (kind.name == "packet") != bool(wanted.papers):
        raise BadRequest("A packet names its papers, in order; no other paper does.")
    if len(wanted.papers) > MAX_PARTS or len(set(wanted.papers)) != len(wanted.papers):
        raise BadRequest(f"A packet has at most {MAX_PARTS} papers, each once.")
    if wanted.first is not None and not 1 <= wanted.first <= MAX_NUMBER:
        raise BadRequest(f"Exhibit numbers begin between 1 and {MAX_NUMBER}.")
    if kind.name == "validation-report" and not given.has("agreed"):
        raise BadRequest("A validation leaves test exhibits in this case: say so in the field ‘agreed’.")
    return kind, Request(given, rows, wanted.draft)
