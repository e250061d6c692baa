"""Gather what the record says: exhibits, statements, custody with places in the log, devices, brackets; and hash again."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypeAlias
from uuid import UUID

from deedbox_server.cases import Cases
from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest
from deedbox_server.evidence.custody import Custody
from deedbox_server.evidence.exhibits import Exhibit, Exhibits
from deedbox_server.evidence.verifying import Verifying
from deedbox_server.notary.service import Notary
from deedbox_server.papers.facts import Desk, ExhibitFacts, LoggedEvent, Record, Rehash
from deedbox_server.people.principal import Principal
from deedbox_server.vault import Vault
from deedbox_server.vault.errors import BlobDamaged
from deedbox_sync import custody as custody_format
from deedbox_sync import dsse, note, statement
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.statement import CaptureStatement

MAX_EXHIBITS = 1_000  # in one paper: what a clerk's 25 MB hold, and more than anybody reads
LOG_WAIT = 5.0  # seconds for events that are on their way into the log; what is not there then is said to be pending
_ALWAYS = ("sha256", "sha512")  # a second algorithm beside the first, for lists of another house
_THREAD = 1 << 16  # bytes from which hashing is worth a thread

#: Brackets of `received` entries, by log index.
BracketsOf: TypeAlias = Callable[[Sequence[int]], Awaitable[Mapping[int, Bracket]]]


async def no_brackets(_indexes: Sequence[int]) -> Mapping[int, Bracket]:
    """For a box that has no outside time."""
    return {}


class Gathering:
    def __init__(
        self,
        db: Database,
        vault: Vault,
        notary: Notary,
        custody: Custody,
        exhibits: Exhibits,
        cases: Cases,
        verifying: Verifying,
        box: str,
        brackets: BracketsOf = no_brackets,
    ) -> None:
        self._db = db
        self._vault = vault
        self._notary = notary
        self._custody = custody
        self._exhibits = exhibits
        self._cases = cases
        self._verifying = verifying
        self._box = box
        self._brackets = brackets

    async def chosen(self, principal: Principal, case: UUID, wanted: Sequence[UUID] | None) -> list[Exhibit]:
        """These exhibits of a case in the order given, or all of them by number."""
        found: dict[UUID, Exhibit] = {}
        after = None
        while page := await self._exhibits.page(principal, case=case, after=after, limit=500):
            found |= {exhibit.id: exhibit for exhibit in page if wanted is None or exhibit.id in wanted}
            after = page[-1].id
        if wanted is not None and (len(set(wanted)) != len(wanted) or found.keys() != set(wanted)):
            raise BadRequest("Choose exhibits of this case, each once.")
        if len(found) > MAX_EXHIBITS:
            raise BadRequest(f"One paper has at most {MAX_EXHIBITS} exhibits: make several.")
        return sorted(found.values(), key=lambda one: one.number) if wanted is None else [found[one] for one in wanted]

    async def record(
        self, principal: Principal, paper: UUID, case: UUID, chosen: Sequence[Exhibit], marks: Sequence[str]
    ) -> Record:
        """Everything but the re-hash."""
        ids = [exhibit.id for exhibit in chosen]
        events = await self._events(ids)
        first = [rows[0].index for rows in events.values() if rows[0].index is not None]
        brackets = await self._brackets(first)
        statements = await self._statements(chosen)
        desks = await self._desks(
            [exhibit.device for exhibit in chosen if exhibit.device is not None and exhibit.captured_by_desk]
        )
        checkpoint = note.parse_checkpoint(note.parse_note(await self._notary.checkpoint()).body)
        box_id, _ = note.parse_origin(checkpoint.origin)
        facts = [
            ExhibitFacts(
                exhibit,
                mark,
                statements[exhibit.statement],
                events[exhibit.id],
                _bracket(brackets, events[exhibit.id]),
                desks.get(exhibit.device) if exhibit.device is not None else None,
            )
            for exhibit, mark in zip(chosen, marks, strict=True)
        ]
        return Record(
            paper=paper,
            made=datetime.now(UTC),
            case=await self._cases.get(principal, case),
            box=self._box,
            box_id=box_id,
            version=version("deedbox"),
            log=checkpoint.origin,
            log_key=self._notary.vkey,
            log_size=checkpoint.size,
            exhibits=tuple(facts),
        )

    async def rehash(self, principal: Principal, facts: ExhibitFacts) -> Rehash:
        """Read the stored bytes once and hash them; hold them, the statement and the log to what was recorded."""
        report = await self._verifying.verify(principal, facts.exhibit.id, read_bytes=False)
        findings = list(report.findings)
        names = dict.fromkeys((*_ALWAYS, *facts.captured.digests))
        digests: dict[str, bytes] = {}
        size = 0
        try:
            digests, size = await self._digests(facts.exhibit.blob, tuple(names))
        except BlobDamaged as error:
            findings.append(str(error))
        else:
            findings += [
                f"The stored bytes have another {name.upper()} than the statement."
                for name, value in facts.captured.digests.items()
                if digests[name] != value
            ]
            if digests["sha256"] != facts.exhibit.content or size != facts.exhibit.size:
                findings.append("The stored bytes are not those that were received.")
        return Rehash(datetime.now(UTC), size, digests, tuple(findings))

    async def _digests(self, blob: UUID, names: Sequence[str]) -> tuple[dict[str, bytes], int]:
        reader = await self._vault.open(blob)
        hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
        size = 0
        try:
            if reader.size == 0:  # nothing to read, but its one empty segment must still be whole
                await reader.verify()
            async for piece in reader.read(0, reader.size):
                size += len(piece)
                if len(piece) < _THREAD:
                    _update(hashes.values(), piece)
                else:
                    await asyncio.to_thread(_update, hashes.values(), piece)
        finally:
            reader.close()
        return {name: one.digest() for name, one in hashes.items()}, size

    async def _events(self, exhibits: Sequence[UUID]) -> dict[UUID, tuple[LoggedEvent, ...]]:
        rows = await self._custody.records(exhibits)
        places = await self._notary.sequenced([row["id"] for row in rows], LOG_WAIT)
        told: defaultdict[UUID, list[LoggedEvent]] = defaultdict(list)
        for row in rows:
            place = places.get(row["id"])
            data = row["record"]
            told[row["exhibit"]].append(
                LoggedEvent(
                    custody_format.parse(data), custody_format.digest(data), None if place is None else place.seq
                )
            )
        return {exhibit: tuple(events) for exhibit, events in told.items()}

    async def _statements(self, chosen: Sequence[Exhibit]) -> dict[bytes, CaptureStatement]:
        rows = await self._db.fetch_in(
            "SELECT digest, envelope FROM statement WHERE digest IN ", [exhibit.statement for exhibit in chosen]
        )
        return {row["digest"]: _capture(row["envelope"]) for row in rows}

    async def _desks(self, devices: Sequence[UUID]) -> dict[UUID, Desk]:
        rows: list[Row] = await self._db.fetch_in(
            "SELECT id, name, platform, created, revoked FROM device WHERE id IN ", list(set(devices))
        )
        return {row["id"]: Desk(row["name"], row["platform"], row["created"], row["revoked"]) for row in rows}


def _bracket(brackets: Mapping[int, Bracket], events: Sequence[LoggedEvent]) -> Bracket:
    index = events[0].index
    return Bracket() if index is None else brackets.get(index, Bracket())


def _capture(envelope: bytes) -> CaptureStatement:
    parsed = statement.parse_payload(dsse.parse(envelope).payload)
    assert isinstance(parsed, CaptureStatement), "an exhibit is made from a capture statement"
    return parsed


def _update(hashes: Iterable[hashlib._Hash], piece: bytes) -> None:
    for one in hashes:
        one.update(piece)
