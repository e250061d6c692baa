"""The vault: encrypted bytes in files, their keys in the key store, their places in the database (formats/blob.md)."""

import os
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from deedbox_disk import durable
from deedbox_server.database import Database
from deedbox_server.errors import Conflict, NotFound
from deedbox_server.vault import packs
from deedbox_server.vault.errors import BlobInUse, disk_errors
from deedbox_server.vault.key_store import KeyStore
from deedbox_server.vault.packs import Pack
from deedbox_server.vault.places import Places, is_pack_name, parse_part_name
from deedbox_server.vault.reader import BlobReader, VerifiedBlob
from deedbox_server.vault.resume import take_up
from deedbox_server.vault.stored import STORED, Rows, StoredBlob, StoredPart, blob_rows
from deedbox_server.vault.sweep import Swept, settle_moves, sweep
from deedbox_server.vault.workshop import Buffers, Workshop
from deedbox_server.vault.writer import BlobWriter

# Threads mostly wait for the disk; two of them keep one large upload at full speed.
_THREADS = 2 * (os.cpu_count() or 1) + 4


class Vault:
    """One per data folder and process, used from one event loop. Readers are many, a blob has at most one writer."""

    def __init__(self, folder: Path, key_store: KeyStore, db: Database) -> None:
        threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="vault")
        self._workshop = Workshop(Places(folder), key_store, threads, Buffers())
        self._db = db
        self._writing: set[UUID] = set()
        with disk_errors():
            for place in (self._workshop.places.blobs, self._workshop.places.packs, self._workshop.places.uploads):
                durable.make_folder(place)

    async def close(self) -> None:
        """Let the threads end. Writers are abandoned first, by whoever has them."""
        self._workshop.threads.shutdown(wait=False)

    async def resume(self, case_id: UUID, blob: UUID) -> BlobWriter:
        """A writer that goes on after the last durable byte of this blob: at 0 where there is none.

        Reads what is durable once, for its hash. BlobInUse while another writer has the blob, Conflict when it is stored.
        """
        if blob in self._writing:
            raise BlobInUse
        self._writing.add(blob)
        try:
            if await self._is_stored(blob):
                raise Conflict("these bytes are stored already")
            case_key = await self._workshop.keys.case_key(case_id)
            taken_up = await take_up(self._workshop, case_key, blob)
            return BlobWriter(self._workshop, case_key, blob, taken_up, self._writing.discard)
        except BaseException:
            self._writing.discard(blob)
            raise

    async def write_pack(self, case_id: UUID, contents: Sequence[bytes | memoryview]) -> Pack:
        """Store small blobs of one case: one file, one fsync. The caller commits `Pack.keys`, then the rows.

        Without that they are nothing: bytes without a key, which the next sweep removes. DiskFull.
        """
        case_key = await self._workshop.keys.case_key(case_id)
        places, buffers = self._workshop.places, self._workshop.buffers
        return await self._workshop.run(partial(packs.write_pack, places, buffers, case_key, contents))

    def record_rows(self, stored: Iterable[StoredBlob]) -> tuple[Rows, Rows]:
        """Rows for `blob` and `blob_part`, to be inserted in the transaction that this is called in.

        When that has committed, the blobs' writers are done with and their tail records go.
        """
        if not self._db.in_transaction:
            raise ValueError("rows of blobs are inserted in a transaction")
        stored = list(stored)
        for blob in stored:
            if blob.blob in self._writing:
                self._db.after_commit(partial(self._settle, blob.blob))
        return blob_rows(stored, datetime.now(UTC))

    async def open(self, blob: UUID) -> BlobReader:
        """A reader of a stored blob. NotFound, also while it is being erased; MissingKey when a part's key is gone."""
        row = await self._db.fetch_one("SELECT size FROM blob WHERE id = {} AND state = {}", blob, STORED)
        if row is None:
            raise NotFound("there is no such blob")
        rows = await self._db.fetch(
            "SELECT part, file, file_offset, cipher_length, plain_length FROM blob_part WHERE blob = {} ORDER BY part",
            blob,
        )
        parts = tuple(
            StoredPart(row["part"], row["file"], row["file_offset"], row["cipher_length"], row["plain_length"])
            for row in rows
        )
        keys = await self._workshop.keys.part_keys([blob])
        return BlobReader(self._workshop, blob, row["size"], parts, keys.get(blob, {}))

    async def verify_blob(self, blob: UUID) -> VerifiedBlob:
        """Read all of a stored blob in constant memory: the SHA-256 and size of its plaintext.

        BlobDamaged names the first part and segment that does not hold. Whether it is the plaintext that was signed for is
        the caller's comparison.
        """
        reader = await self.open(blob)
        try:
            return await reader.verify()
        finally:
            reader.close()

    async def prepare_move(self, blobs: Collection[UUID], case_id: UUID) -> None:
        """Make stored blobs ready for another case: their keys are wrapped by its key too. No byte of them is rewritten.

        The caller then sets the case of their rows (`move_rows`) in its transaction, and calls `settle_moves` whatever came
        of it. What a crash leaves between is settled by the next sweep.
        """
        await self._workshop.keys.prepare_move(blobs, await self._workshop.keys.case_key(case_id))

    async def move_rows(self, blobs: Collection[UUID], case_id: UUID) -> None:
        """Set the case of these blobs, in the transaction that this is called in; nobody else sets it meanwhile."""
        if not self._db.in_transaction:
            raise ValueError("blobs move in a transaction")
        await self._db.execute_many(
            "UPDATE blob SET case_id = {} WHERE id = {}", [(case_id, blob) for blob in sorted(blobs)]
        )

    async def settle_moves(self) -> int:
        """Hold every prepared move against the rows: the keys follow where the row has moved, and stay where it has not.

        Returns how many followed. Never while somebody is between `prepare_move` and its commit.
        """
        return await settle_moves(self._workshop, self._db)

    async def forget(self, blob: UUID) -> None:
        """Give up a blob that was never stored: its keys, durably, then its files. Again does nothing."""
        if blob in self._writing:
            raise BlobInUse
        if await self._is_stored(blob):
            raise Conflict("these bytes are stored")
        await self._workshop.keys.forget_parts([blob])
        await self._workshop.run(partial(_remove_files, self._workshop.places, blob))

    async def erase_keys(self, blobs: Sequence[UUID]) -> None:
        """Delete the keys of blobs that are marked as being erased, durably. ValueError for one that is not: marking is where
        holds are looked at. Again does nothing."""
        rows = await self._db.fetch_in("SELECT id FROM blob WHERE state <> 'erasing' AND id IN ", blobs)
        if rows:
            raise ValueError(f"blob {rows[0]['id']} is not marked as being erased")
        await self._workshop.keys.forget_parts(blobs)

    async def remove_files(self, blobs: Iterable[UUID], files: Iterable[str]) -> None:
        """Remove the files of erased blobs, and those packs (named from the data folder) of which no blob is left.

        ValueError for a blob that has its row still. Again does nothing.
        """
        blobs = list(blobs)
        if await self._db.fetch_in("SELECT id FROM blob WHERE id IN ", blobs):
            raise ValueError("a blob that still has its row keeps its files")
        packs = [name for name in set(files) if is_pack_name(name.rpartition("/")[2])]
        used = {row["file"] for row in await self._db.fetch_in("SELECT file FROM blob_part WHERE file IN ", packs)}
        places = self._workshop.places

        def remove() -> None:
            for blob in blobs:
                _remove_files(places, blob)
            for name in packs:
                if name not in used:
                    (places.data / name).unlink(missing_ok=True)

        await self._workshop.run(remove)

    async def sweep(self, unfinished: Collection[UUID]) -> Swept:
        """Remove what a crash left behind. At start, before anything is written; `unfinished` are the blobs of open uploads."""
        return await sweep(self._workshop, self._db, unfinished)

    async def _is_stored(self, blob: UUID) -> bool:
        return await self._db.fetch_one("SELECT id FROM blob WHERE id = {}", blob) is not None

    def _settle(self, blob: UUID) -> None:
        """After the commit. Where a crash prevents it, the sweep removes the tail record."""
        self._writing.discard(blob)
        tail = self._workshop.places.tail(blob)
        self._workshop.threads.submit(partial(tail.unlink, missing_ok=True))


def _remove_files(places: Places, blob: UUID) -> None:
    for path in (places.data / places.part(blob, 0)).parent.glob(f"{blob.hex}.*"):
        if parse_part_name(path.name) is not None:
            path.unlink(missing_ok=True)
    places.tail(blob).unlink(missing_ok=True)
