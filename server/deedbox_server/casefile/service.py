"""Exporting a whole case: asked for, told in custody and trail, made in a sealed scratch file, streamed out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from deedbox_server.casefile.filling import Filling
from deedbox_server.casefile.scratch import Scratch
from deedbox_server.cases.timeline import Timeline
from deedbox_server.database import Database
from deedbox_server.errors import TooMany
from deedbox_server.evidence.custody import Custody, new_event
from deedbox_server.evidence.exhibits import Exhibit, Exhibits, actor_of
from deedbox_server.notary.identifiers import Identifiers
from deedbox_server.notary.service import Notary
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import timestamp, uuid7
from deedbox_sync.canonical_json import Json

PURPOSE: Final = "the whole case as one SQLite file"  # in custody
_AT_ONCE: Final = 2  # each takes a core and its memory
_SECONDS_TO_WAIT: Final = 30
_PAGE: Final = 200  # exhibits whose custody and text are in memory at once
_PIECE: Final = 1 << 20
# What the file shows: who exports must be allowed each.
_SHOWN: Final = (
    "case.read",
    "party.read",
    "event.read",
    "artifact.read",
    "timeline.read",
    "evidence.read",
    "paper.read",
)


@dataclass(frozen=True)
class CaseFile:
    """A finished file. `stream` may be read once; it ends by freeing what the file took, as `close` does."""

    id: UUID
    name: str
    size: int
    sha256: bytes
    _scratch: Scratch

    async def stream(self) -> AsyncIterator[bytes]:
        with closing(self._scratch):
            for offset in range(0, self.size, _PIECE):
                yield await asyncio.to_thread(self._scratch.read, offset, _PIECE)

    def close(self) -> None:
        self._scratch.close()


class CaseFiles:
    """`folder` is where scratch files may be: encrypted, nameless, gone with the process."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        keys: KeyStore,
        notary: Notary,
        custody: Custody,
        exhibits: Exhibits,
        identifiers: Identifiers,
        timeline: Timeline,
        permissions: Permissions,
        trail: Recorder,
        folder: Path,
        box: str,
    ) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._notary = notary
        self._custody = custody
        self._exhibits = exhibits
        self._identifiers = identifiers
        self._timeline = timeline
        self._permissions = permissions
        self._trail = trail
        self._folder = folder
        self._box = box
        self._under_way = 0

    async def export(self, principal: Principal, case: UUID) -> CaseFile:
        """The case as this principal may see it. Custody of each exhibit tells of it before anything is read, the trail with
        the file's digest before a byte leaves."""
        await self._permissions.permit(self._db, principal, "case.export", case=case)
        for operation in _SHOWN:
            await self._permissions.permit(self._db, principal, operation, case=case)
        if self._under_way >= _AT_ONCE:
            raise TooMany("other exports of cases are under way", _SECONDS_TO_WAIT)
        self._under_way += 1
        try:
            return await self._made(principal, case, uuid7.new())
        finally:
            self._under_way -= 1

    async def _made(self, principal: Principal, case: UUID, export: UUID) -> CaseFile:
        await self._notary.refuse_reads_when_behind()
        exhibits = await self._tell(principal, case, export)
        scratch = await asyncio.to_thread(Scratch, self._folder)
        try:
            await self._fill(scratch, principal, case, export, exhibits)
            size = await asyncio.to_thread(scratch.finish)
            sha256 = await asyncio.to_thread(_digest, scratch, size)
            row = await self._db.fetch_one("SELECT number FROM legal_case WHERE id = {}", case)
            assert row is not None
            async with self._db.transaction():
                detail: dict[str, Json] = {"exhibits": len(exhibits), "sha256": sha256.hex(), "size": size}
                await self._trail.changed(principal, "case.export", case=case, object=export, detail=detail)
        except BaseException:
            scratch.close()
            raise
        return CaseFile(export, _file_name(row["number"]), size, sha256, scratch)

    async def _tell(self, principal: Principal, case: UUID, export: UUID) -> frozenset[UUID]:
        """One `exported` event for each exhibit of the case, durable on return. Which exhibits these are: no later one is in
        the file."""
        detail = {"bundle": str(export), "purpose": PURPOSE}
        found: set[UUID] = set()
        async for page in self._pages(principal, case):
            events = [new_event(one.id, one.case, "exported", actor_of(principal), detail) for one in page]
            await self._keys.commit(KeyBatch(salts=[event.salts for event in events]))
            async with self._db.transaction():
                await self._custody.append(events)
            found |= {one.id for one in page}
        return frozenset(found)

    async def _fill(
        self, scratch: Scratch, principal: Principal, case: UUID, export: UUID, exhibits: frozenset[UUID]
    ) -> None:
        filling = Filling(scratch, self._db, self._vault, self._custody, self._exhibits, self._identifiers, case)
        await filling.begin()
        now = timestamp.encode(datetime.now(UTC))
        await filling.case(box=self._box, by=principal.name, time=now, export=export, exhibits=len(exhibits))
        await filling.parties()
        await filling.events()
        async for page in self._pages(principal, case):
            await filling.exhibits([one for one in page if one.id in exhibits])
        await filling.artifacts(exhibits)
        await filling.papers()
        await filling.timeline(self._timeline, principal, exhibits)
        await filling.end()

    async def _pages(self, principal: Principal, case: UUID) -> AsyncIterator[list[Exhibit]]:
        after = None
        while page := await self._exhibits.page(principal, case=case, after=after, limit=_PAGE):
            yield page
            after = page[-1].id


def _digest(scratch: Scratch, size: int) -> bytes:
    digest = hashlib.sha256()
    for offset in range(0, size, _PIECE):
        digest.update(scratch.read(offset, _PIECE))
    return digest.digest()


def _file_name(number: str) -> str:
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in number)
    return f"case-{plain.strip('.-') or 'export'}.sqlite"
