"""The one that writes the log: pending entries become entries, tree and checkpoint, a group at a time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server import faults
from deedbox_server.database import Database, Row
from deedbox_server.errors import Unavailable
from deedbox_server.notary.memory import Sequenced
from deedbox_server.notary.service import PENDING_COLUMNS, Notary
from deedbox_sync import entry as entry_format
from deedbox_sync import merkle, note, timestamp, uuid7

MAX_GROUP = 4_096  # entries a commit; larger groups gain nothing and make the first of them wait
_IDLE = 1.0  # seconds between looks when nobody wakes us (another process may have staged)
_RETRY = 1.0  # seconds after a failed group

# Taken and removed in one statement: just those rows, also where others stage meanwhile and commit out of order.
_TAKE = """
    DELETE FROM pending_entry WHERE position IN (SELECT position FROM pending_entry ORDER BY position LIMIT {})
    RETURNING position, record, staged, beginning
"""
_PUT_TILE = """
    INSERT INTO log_tile (level, tile_index, hashes) VALUES ({}, {}, {})
    ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes
"""

log = logging.getLogger("deedbox.notary")


@dataclass(frozen=True)
class _Head:
    origin: str
    size: int
    root: bytes
    last_entry_digest: bytes
    last_time: datetime
    suspended: str | None


async def open_log(db: Database, origin: str, vkey: str) -> None:
    """Make the head of a new log and stage its first entry. Does nothing where a log is open."""
    async with db.transaction():
        if await db.fetch_one("SELECT id FROM log_head WHERE id = 1") is not None:
            return
        now = datetime.now(UTC)
        await db.insert_many(
            "log_head",
            ("id", "origin", "size", "root", "last_entry_digest", "last_time"),
            [(1, origin, 0, merkle.EMPTY_ROOT, bytes(32), now)],
        )
        beginning = entry_format.begin("log.opened", {}, {"origin": origin, "vkey": vkey})
        await db.insert_many("pending_entry", PENDING_COLUMNS, [(uuid7.new(), now, beginning)])


class Sequencer:
    """Turns groups of pending entries into log entries.

    One group is one transaction: entries, tiles, checkpoint and the head by compare-and-swap. The row lock on the head lets one
    process sequence at a time. Nothing signed leaves before the transaction is durable; after any failure, also one
    that was done but reported lost, the state is read from the database again.
    """

    def __init__(self, db: Database, notary: Notary, signing_key: Ed25519PrivateKey) -> None:
        self._db = db
        self._notary = notary
        self._key = signing_key
        self._tree: merkle.Tiles | None = None

    async def run(self) -> None:
        """Sequence until cancelled."""
        while True:
            try:
                moved = await self.step()
            except Exception as error:
                # Whatever failed (disk full, database gone), the pending entries are still there: say so and go on.
                log.error("a group of log entries could not be written; trying again: %s", faults.told(error))
                self._tree = None
                await asyncio.sleep(_RETRY)
                continue
            if not moved:
                await self._nap()

    async def step(self) -> int:
        """Write one group; returns how many entries it had. Safe to call again after any failure."""
        try:
            entries = await self._write_group()
        except BaseException:
            self._tree = None
            raise
        if entries:
            self._notary.grew(entries)
        return len(entries)

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(_IDLE):
                await self._notary.staged.wait()
        except TimeoutError:
            return
        self._notary.staged.clear()

    async def _write_group(self) -> list[Sequenced]:
        async with self._db.transaction():
            head = await self._lock_head()
            if head.suspended is not None:
                return []
            pending = await self._db.fetch(_TAKE, MAX_GROUP)
            if not pending:
                return []
            pending.sort(key=lambda row: int(row["position"]))
            tree = (await self._tree_at(head)).copy()
            entries, last_time = _entries(head, pending)
            leaves = [merkle.leaf_hash(told.entry) for told in entries]
            full = tree.append(b"".join(leaves))
            await self._db.insert_many(
                "log_entry",
                ("seq", "record", "entry", "leaf"),
                [(told.seq, told.record, told.entry, leaf) for told, leaf in zip(entries, leaves, strict=True)],
            )
            await self._store_tiles(tree, {(tile.level, tile.index): tile.hashes for tile in full})
            await self._store_checkpoint(head, tree, entry_format.digest(entries[-1].entry), last_time)
        self._tree = tree
        return entries

    async def _lock_head(self) -> _Head:
        lock = " FOR UPDATE" if self._db.dialect == "postgres" else ""
        row = await self._db.fetch_one(
            f"SELECT origin, size, root, last_entry_digest, last_time, suspended FROM log_head WHERE id = 1{lock}"
        )
        if row is None:
            raise Unavailable("The log has no head: it was never opened.")
        return _Head(**row)

    async def _tree_at(self, head: _Head) -> merkle.Tiles:
        """The tree of the head, from memory where it is still that one, else from the stored right edge."""
        if self._tree is not None and self._tree.size == head.size and self._tree.root() == head.root:
            return self._tree
        partials = []
        for tile in merkle.partial_tiles(head.size):
            row = await self._db.fetch_one(
                "SELECT hashes FROM log_tile WHERE level = {} AND tile_index = {}", tile.level, tile.index
            )
            hashes = b"" if row is None else bytes(row["hashes"])
            if len(hashes) != tile.width * merkle.HASH_LENGTH:
                raise Unavailable(f"The right edge of tile level {tile.level} does not fit the head: run the audit.")
            partials.append(hashes)
        tree = merkle.Tiles.restore(head.size, partials)
        if tree.root() != head.root:
            raise Unavailable("The stored tiles do not lead to the head's root: run the audit.")
        return tree

    async def _store_tiles(self, tree: merkle.Tiles, tiles: dict[tuple[int, int], bytes]) -> None:
        for tile, hashes in zip(merkle.partial_tiles(tree.size), tree.partials, strict=True):
            if hashes:
                tiles[int(tile.level), tile.index] = hashes
        await self._db.execute_many(_PUT_TILE, [(level, index, hashes) for (level, index), hashes in tiles.items()])

    async def _store_checkpoint(self, head: _Head, tree: merkle.Tiles, last_digest: bytes, last_time: datetime) -> None:
        root = tree.root()
        body = note.encode_checkpoint(note.Checkpoint(head.origin, tree.size, root))
        signed = note.assemble_note(body, [note.sign(body, head.origin, self._key)])
        await self._db.insert_many(
            "log_checkpoint", ("size", "note", "created"), [(tree.size, signed, datetime.now(UTC))]
        )
        swapped = await self._db.fetch(
            "UPDATE log_head SET size = {}, root = {}, last_entry_digest = {}, last_time = {} "
            "WHERE id = 1 AND size = {} AND root = {} AND suspended IS NULL RETURNING id",
            tree.size,
            root,
            last_digest,
            last_time,
            head.size,
            head.root,
        )
        if not swapped:
            raise Unavailable("The log's head moved while a group was written.")


def _entries(head: _Head, pending: list[Row]) -> tuple[list[Sequenced], datetime]:
    """The next entries, chained, with times that never go backwards."""
    previous, last_time = head.last_entry_digest, head.last_time
    time = timestamp.encode(last_time)
    entries = []
    for seq, row in enumerate(pending, start=head.size):
        if row["staged"] > last_time:
            last_time = row["staged"]
            time = timestamp.encode(last_time)
        data = entry_format.complete(row["beginning"], seq, time, previous)
        previous = entry_format.digest(data)
        entries.append(Sequenced(row["record"], seq, data))
    return entries, last_time
