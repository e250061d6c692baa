"""Bytes that come without a desk, for one account: resumable or in one go, and in the end one exhibit (formats/upload.md)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from deedbox_disk.errors import OutOfSpace
from deedbox_disk.space import require_free
from deedbox_server.database import Database
from deedbox_server.errors import (
    DeedboxError,
    Denied,
    DiskFull,
    JournalGap,
    NotFound,
    OffsetMismatch,
    Suspended,
    TooLarge,
    Unavailable,
)
from deedbox_server.evidence.box_device import BoxDevice, Sent
from deedbox_server.evidence.commit import Arrival, Committer
from deedbox_server.evidence.pieces import Checksum, at_most, checked
from deedbox_server.evidence.turns import Turn, Turns
from deedbox_server.evidence.upload_metadata import UploadFacts, encode_metadata, parse_metadata, read_facts
from deedbox_server.evidence.upload_rows import UploadRow, UploadRows
from deedbox_server.evidence.uploads import Uploads
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.vault.key_store import KeyBatch
from deedbox_sync.custody import Actor
from deedbox_sync.file_facts import readable_name
from deedbox_sync.statement import Operator

MAX_UPLOAD: Final = 1 << 40  # bytes of one file; more is no file that a firm has
LIFE: Final = timedelta(days=7)  # of an unfinished upload since its last bytes: a long weekend and a repair
TIDY_SECONDS: Final = 60.0
REST_SECONDS: Final = 600.0  # an upload that rested so long gives its memory back, a MiB at most
LANE: Final = "upload"
_TRIES: Final = 10  # at a journal number, where another process signs too

log = logging.getLogger("deedbox.evidence")


class UploadIsEvidence(Denied):
    """A termination that comes too late. Not 409: clients try those again."""

    slug, title = "upload-is-evidence", "This upload has become an exhibit and stays"


class KeyReused(DeedboxError):
    slug, status, title = "key-reused", 422, "This idempotency key was used for something else"


@dataclass(frozen=True)
class Progress:
    """An upload as its sender sees it; `exhibit` once it is one. `metadata` is None where it is no longer kept."""

    upload: str
    size: int
    offset: int
    metadata: str | None
    expires: datetime | None
    exhibit: UUID | None


@dataclass(frozen=True)
class Taken:
    """An exhibit; `again` where the same request had made it before."""

    exhibit: UUID
    again: bool


class Deskless:
    """Used from one event loop. An upload is written by one request at a time."""

    def __init__(
        self,
        db: Database,
        uploads: Uploads,
        committer: Committer,
        device: BoxDevice,
        permissions: Permissions,
        folder: Path,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._uploads = uploads
        self._committer = committer
        self._device = device
        self._permissions = permissions
        self._folder = folder
        self._clock = clock
        self._rows = UploadRows(db, uploads)
        self._turns = Turns()
        self._used: dict[str, float] = {}

    # --- resumable

    async def begin(self, principal: Principal, size: int, metadata: str) -> Progress:
        """A new upload; of no bytes, it is an exhibit at once. FormatError, NotFound, TooLarge, TooManyUploads, DiskFull."""
        facts = read_facts(parse_metadata(metadata))
        await self._permissions.permit(self._db, principal, "evidence.send", case=facts.case)
        if size > MAX_UPLOAD:
            raise TooLarge(f"One upload has at most {MAX_UPLOAD} bytes.")
        self._require_room(size)
        row = await self._insert(os.urandom(16).hex(), principal, facts, size, metadata)
        async with self._turns.take(row.id):
            return await self._progress(row, 0)

    async def append(
        self,
        principal: Principal,
        upload: str,
        offset: int,
        source: AsyncIterator[bytes],
        *,
        announced: int | None = None,
        checksum: Checksum | None = None,
    ) -> Progress:
        """Add bytes at `offset`; the last ones make the exhibit. Bytes under a checksum count all or not at all, others as
        far as they came.

        NotFound, OffsetMismatch, TooLarge, ChecksumMismatch, TakenOver, SenderSilent, DiskFull, Suspended.
        """
        async with self._turn(principal, upload) as (turn, row):
            have = await self._offset(row)
            if offset != have:
                raise OffsetMismatch(have)
            room = row.sized - have
            if announced is not None and announced > room:
                raise TooLarge(f"The upload has room for {room} more bytes.")
            self._require_room(announced or 0)
            pieces = at_most(turn.pieces(source), room)
            if checksum is not None:
                pieces = checked(pieces, checksum)
            async with aclosing(pieces):
                if room == 0:
                    async for _ in pieces:
                        pass  # nothing comes, or it is too large
                else:
                    have = await self._put(row, offset, pieces, whole=checksum is not None)
            return await self._progress(await self._find(principal, upload), have)

    async def look(self, principal: Principal, upload: str) -> Progress:
        """How far it is. What has all its bytes is made an exhibit first."""
        async with self._turn(principal, upload) as (_, row):
            return await self._progress(row, await self._offset(row))

    async def give_up(self, principal: Principal, upload: str) -> None:
        """Forget an unfinished upload. UploadIsEvidence for a finished one."""
        async with self._turn(principal, upload) as (_, row):
            if row.closed:
                raise UploadIsEvidence
            await self._forget(row)

    # --- in one go

    async def take(
        self,
        principal: Principal,
        metadata: Mapping[str, bytes],
        source: AsyncIterator[bytes],
        *,
        announced: int | None = None,
        key: str | None = None,
    ) -> Taken:
        """All of these bytes as one exhibit, or nothing. The same again under the same `key` gives the same exhibit."""
        facts = read_facts(metadata)
        await self._permissions.permit(self._db, principal, "evidence.send", case=facts.case)
        self._require_room(announced or 0)
        upload = _id_of(principal, key)
        async with self._turns.take(upload) as turn:
            pieces = at_most(turn.pieces(source), MAX_UPLOAD)
            before = await self._rows.find(upload, principal.actor_id)
            if before is not None and (before.closed or before.arrived):
                exhibit = await self._exhibit(before)
                await self._compare(exhibit, facts, pieces)
                return Taken(exhibit, True)
            if before is not None:
                await self._forget(before)
            row = await self._insert(upload, principal, facts, None, encode_metadata(metadata))
            try:
                async with aclosing(pieces):
                    await self._uploads.put(row.id, row.owner, 0, pieces, whole=True)
                return Taken(await self._exhibit(row), False)
            except BaseException:
                with suppress(
                    DeedboxError
                ):  # the first error is the one to tell; what stays is forgotten when it expires
                    await self._forget(row)
                raise

    async def _compare(self, exhibit: UUID, facts: UploadFacts, pieces: AsyncGenerator[bytes, None]) -> None:
        row = await self._db.fetch_one("SELECT case_id, name, labels, content FROM exhibit WHERE id = {}", exhibit)
        assert row is not None, "an exhibit that was committed"
        hashed = hashlib.sha256()
        async with aclosing(pieces):
            async for piece in pieces:
                hashed.update(piece)
        said = (facts.case, readable_name(facts.name), list(facts.labels), hashed.digest())
        if said != (row["case_id"], row["name"], json.loads(row["labels"]), row["content"]):
            raise KeyReused

    # --- what is due without anybody asking

    async def introduce(self) -> None:
        """Have the box known as a device. While the log is suspended that waits for the first upload after it."""
        with suppress(Suspended):
            await self._device.introduce()

    async def run(self) -> None:
        """Tidy at once and then every minute, until cancelled."""
        while True:
            try:
                await self.tidy()
            except (
                Exception
            ) as error:  # whatever it is, the next round tries again; its words may quote what people stored
                log.error("tidying uploads failed: %s", type(error).__qualname__)
            await asyncio.sleep(TIDY_SECONDS)

    def stop(self) -> None:
        """Before the process ends: who is sending is told to come again, and what came is kept."""
        self._turns.stop()

    async def tidy(self) -> None:
        """Make exhibits of what has all its bytes, forget what has expired, give back the memory of what rests."""
        for row in await self._rows.due(self._clock()):
            if self._turns.busy(row.id):
                continue
            async with self._turns.take(row.id):
                try:
                    await self._end(row.id, row.owner)
                except DeedboxError as error:
                    log.warning("an upload cannot be ended now: %s", error.slug)
        await self._rows.clear(self._clock())
        for upload, used in list(self._used.items()):
            if time.monotonic() - used > REST_SECONDS and not self._turns.busy(upload):
                del self._used[upload]
                await self._uploads.let_go(upload)

    async def _end(self, upload: str, owner: str) -> None:
        row = await self._rows.find(upload, owner)  # as it is now that nobody else has it
        if row is None or row.closed:
            return
        if row.arrived or await self._offset(row) == row.size:
            await self._exhibit(row)
        elif row.expires is None or row.expires < self._clock():
            await self._forget(row)

    # --- one upload

    @asynccontextmanager
    async def _turn(self, principal: Principal, upload: str) -> AsyncIterator[tuple[Turn, UploadRow]]:
        await self._find(principal, upload)  # before the turn, so that a stranger cannot disturb who has it
        async with self._turns.take(upload) as turn:
            yield turn, await self._find(principal, upload)

    async def _find(self, principal: Principal, upload: str) -> UploadRow:
        """NotFound also for another's, and for what came in one go: it cannot be resumed."""
        row = await self._rows.find(upload, principal.actor_id)
        if row is None or row.size is None:
            raise NotFound
        await self._permissions.permit(self._db, principal, "evidence.send", case=row.case)
        return row

    async def _insert(
        self, upload: str, principal: Principal, facts: UploadFacts, size: int | None, metadata: str
    ) -> UploadRow:
        if principal.kind != "account" or principal.account is None:
            raise Denied("Uploads without a desk are an account's.")
        row = UploadRow(
            id=upload,
            case=facts.case,
            account=principal.account,
            account_name=principal.name,
            via=principal.via,
            size=size,
            metadata=metadata,
            expires=self._clock() + LIFE,
            arrived=False,
            closed=False,
        )
        await self._rows.insert(row)
        return row

    async def _offset(self, row: UploadRow) -> int:
        return row.sized if row.closed else await self._uploads.offset(row.id, row.owner)

    async def _put(self, row: UploadRow, offset: int, pieces: AsyncIterator[bytes], *, whole: bool) -> int:
        try:
            return await self._uploads.put(row.id, row.owner, offset, pieces, whole=whole)
        finally:
            self._used[row.id] = time.monotonic()
            await self._rows.prolong(row.id, self._clock() + LIFE)

    async def _progress(self, row: UploadRow, offset: int) -> Progress:
        exhibit = await self._exhibit(row) if offset == row.size else None
        expires = None if exhibit is not None else row.expires
        return Progress(row.id, row.sized, offset, row.metadata, expires, exhibit)

    async def _forget(self, row: UploadRow) -> None:
        self._used.pop(row.id, None)
        await self._uploads.forget(row.id, row.owner)
        await self._rows.forget(row.id)

    async def _exhibit(self, row: UploadRow) -> UUID:
        """The exhibit of an upload that has all its bytes: found, or made now."""
        if row.closed:
            return await self._rows.exhibit(row.id)
        await self._rows.has_arrived(row.id)
        await self._device.introduce()
        arrived = await self._uploads.finish(row.id, row.owner)
        facts = read_facts(parse_metadata(row.kept_metadata))
        operator = Operator(row.account_name, row.account, row.via.partition(":")[0])
        sent = Sent(facts, arrived.stored, operator)
        actor = Actor(row.owner, row.account_name, row.via)
        for _ in range(_TRIES):
            async with self._device.journal_lock:
                statement, plan = await self._device.sign(sent)
                arrival = Arrival(
                    checked=statement,
                    blob=arrived.stored.blob,
                    stored=arrived.stored,
                    head=arrived.head,
                    lane=LANE,
                    clock=None,
                    upload=row.id,
                    media_type=facts.media_type,
                )
                try:
                    (made,) = await self._committer.commit(self._device.id, actor, [arrival], plan, KeyBatch())
                except JournalGap:
                    continue  # another process took the number: sign anew under the next one
            self._used.pop(row.id, None)
            return made.exhibit
        raise Unavailable("The box's own journal is busy.")

    def _require_room(self, size: int) -> None:
        try:
            require_free(self._folder, size)
        except OutOfSpace as error:
            raise DiskFull from error


def _id_of(principal: Principal, key: str | None) -> str:
    """The upload of a key, one's own; without a key a new one."""
    if key is None:
        return os.urandom(16).hex()
    return hashlib.sha256(f"deedbox/v1/upload/{principal.actor_id}/{key}".encode()).hexdigest()[:32]
