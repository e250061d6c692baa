"""Bytes on their way in: one writer per upload, exact offsets, nothing lost that was reported durable."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, runtime_checkable
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import Conflict, DeedboxError, NotFound, OffsetMismatch, SizeMismatch
from deedbox_server.vault import BlobWriter, StoredBlob, Vault
from deedbox_sync import uuid7

OPEN, CLOSED = "open", "closed"
DURABLE_EVERY = 256 << 20  # bytes; a crash in the middle of a long request costs at most these
HEAD_BYTES = 4096  # kept of each upload so that the kind of document can be told


@runtime_checkable
class Filling(Protocol):
    """Bytes on their way in that can be put straight to where they belong."""

    async def fill(self, room: memoryview) -> int:
        """Put the next bytes into `room`; how many those are, 0 at the end."""
        ...


Source: TypeAlias = "AsyncIterator[bytes] | Filling"


@dataclass
class _Live:
    """An upload that this process has open. Its lock lets one request write at a time."""

    writer: BlobWriter | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Arrived:
    """All bytes of one upload, durable."""

    upload: str
    stored: StoredBlob
    head: bytes


class Uploads:
    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self._live: dict[str, _Live] = {}

    async def create(self, upload: str, case: UUID, owner: str, size: int | None) -> int:
        """Make the upload, or find it; returns how many bytes of it are durable."""
        await self.rows_insert(upload, case, owner, size)
        row = await self._row(upload, owner)
        if row["case_id"] != case or (size is not None and row["size"] not in (None, size)):
            raise Conflict("This upload was begun for another case or size.")
        return await self.offset(upload, owner)

    async def rows_insert(self, upload: str, case: UUID, owner: str, size: int | None) -> None:
        """Insert the upload's row where there is none, joining the caller's transaction."""
        now = datetime.now(UTC)
        await self._db.execute(
            "INSERT INTO upload (id, case_id, owner, size, blob, state, created, touched) "
            "VALUES ({}, {}, {}, {}, {}, {}, {}, {}) ON CONFLICT (id) DO NOTHING",
            upload,
            case,
            owner,
            size,
            uuid7.new(),
            OPEN,
            now,
            now,
        )

    async def offset(self, upload: str, owner: str) -> int:
        """How many bytes are durable. While a request writes, that is what it last made durable."""
        row = await self._row(upload, owner)
        live = self._live_of(upload)
        if live.lock.locked() and live.writer is not None:
            return live.writer.durable_offset
        async with live.lock:
            return (await self._writer(live, row)).durable_offset

    async def put(self, upload: str, owner: str, offset: int, source: Source, *, whole: bool = False) -> int:
        """Append the source's bytes at `offset`; returns the durable size. What came before a cut connection is kept too.

        With `whole` all of them count or, when they end with an error, none of them.
        """
        row = await self._open_row(upload, owner)
        live = self._live_of(upload)
        async with live.lock:
            writer = await self._writer(live, row)
            if offset != writer.durable_offset:
                raise OffsetMismatch(writer.durable_offset)
            try:
                await _append(writer, row["size"], source, sys.maxsize if whole else DURABLE_EVERY)
                return await writer.durable()
            except BaseException:
                await self._recover(live, writer, keep=not whole)
                raise

    async def finish(self, upload: str, owner: str) -> Arrived:
        """Close the upload's blob. The same again after a crash gives the same bytes."""
        row = await self._row(upload, owner)
        live = self._live_of(upload)
        async with live.lock:
            writer = await self._writer(live, row)
            try:
                return Arrived(upload, await writer.finish(), writer.head(HEAD_BYTES))
            except BaseException:
                await self._recover(live, writer, keep=False)
                raise

    async def forget(self, upload: str, owner: str) -> None:
        """Give an unfinished upload up: its bytes and its row go."""
        row = await self._open_row(upload, owner)
        await self._drop(upload, row["blob"])
        async with self._db.transaction():
            await self._db.execute("DELETE FROM upload WHERE id = {} AND state = {}", upload, OPEN)

    async def let_go(self, upload: str) -> None:
        """Give back what an upload that rests holds in memory: its next request takes it up from the disk."""
        live = self._live.get(upload)
        if live is None or live.lock.locked():
            return
        async with live.lock:
            del self._live[upload]
            if live.writer is not None:
                await live.writer.abandon()

    async def closed(self, uploads: list[str]) -> None:
        """Mark as closed in the caller's transaction."""
        await self._db.execute_many(
            "UPDATE upload SET state = {} WHERE id = {}", [(CLOSED, upload) for upload in uploads]
        )

        def leave() -> None:
            for upload in uploads:
                self._live.pop(upload, None)

        self._db.after_commit(leave)

    async def _recover(self, live: _Live, writer: BlobWriter, *, keep: bool) -> None:
        """After a failure: keep what came, or go back to the last durable point. Where the disk lets neither happen now, the
        next request takes the upload up from what is on it.
        """
        try:
            if not keep or not await _kept(writer):
                await writer.roll_back()
        except (DeedboxError, OSError):
            live.writer = None
            await writer.abandon()

    async def _drop(self, upload: str, blob: UUID) -> None:
        live = self._live.pop(upload, None)
        if live is not None and live.writer is not None:
            await live.writer.abandon()
        await self._vault.forget(blob)

    async def _writer(self, live: _Live, row: Row) -> BlobWriter:
        if live.writer is None:
            live.writer = await self._vault.resume(row["case_id"], row["blob"])
        return live.writer

    def _live_of(self, upload: str) -> _Live:
        return self._live.setdefault(upload, _Live())

    async def unfinished(self) -> list[UUID]:
        """The blobs of uploads that are still open, for the vault's sweep."""
        return [row["blob"] for row in await self._db.fetch("SELECT blob FROM upload WHERE state = {}", OPEN)]

    async def _open_row(self, upload: str, owner: str) -> Row:
        row = await self._row(upload, owner)
        if row["state"] != OPEN:
            raise Conflict("This upload is closed: its statement has been taken.")
        return row

    async def _row(self, upload: str, owner: str) -> Row:
        row = await self._db.fetch_one(
            "SELECT case_id, size, blob, state FROM upload WHERE id = {} AND owner = {}", upload, owner
        )
        if row is None:
            raise NotFound("There is no such upload.")
        return row


async def _append(writer: BlobWriter, size: int | None, source: Source, durable_every: int) -> None:
    checked = writer.offset
    steps = _fill(writer, size, source) if isinstance(source, Filling) else _write(writer, size, source)
    async for _ in steps:
        if writer.offset - checked >= durable_every:
            checked = await writer.durable()


async def _write(writer: BlobWriter, size: int | None, pieces: AsyncIterator[bytes]) -> AsyncIterator[None]:
    async for piece in pieces:
        if size is not None and writer.offset + len(piece) > size:
            raise _too_many(size)
        await writer.write(piece)
        yield


async def _fill(writer: BlobWriter, size: int | None, source: Filling) -> AsyncIterator[None]:
    while size is None or writer.offset < size:
        room = await writer.room()
        count = await source.fill(room if size is None else room[: size - writer.offset])
        if not count:
            return
        writer.took(count)
        yield
    if await source.fill(memoryview(bytearray(1))):
        raise _too_many(size)


def _too_many(size: int) -> SizeMismatch:
    return SizeMismatch(f"The upload was announced with {size} bytes and is sent more.")


async def _kept(writer: BlobWriter) -> bool:
    """Whether what came before a cut could be kept."""
    try:
        await writer.durable()
    except (DeedboxError, OSError):
        return False
    return True
