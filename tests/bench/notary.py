"""`./deedbox bench notary`: durable log entries a second, receipts a second, and proofs of a large log.

The box is real and in this process: encrypted SQLite, salts durable in the key store before an entry is staged, the one
sequencer, an fsync for each commit. Proofs and receipts are then made of a log of millions of entries, whose tiles are put
there directly: staging them all would measure the same thing for minutes. Everything that is handed out is verified.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

from bench.machine import Machine, this_machine
from deedbox_server.app.parts import Box
from deedbox_server.notary.drafts import EntryDraft, new_salts
from deedbox_server.notary.tiles import TileStore
from deedbox_server.vault.key_store import KeyBatch
from deedbox_sync import merkle, note, receipt, uuid7
from deedbox_sync.commitment import FIELDS
from deedbox_sync.note import Checkpoint
from deedbox_sync.receipt import ReceiptVerifier
from kit.open_box import office

GROUP: Final = 2_000  # entries that one transaction stages
_STAGERS: Final = 2  # transactions under way at once, as from two desks
_RECEIPTS: Final = 500  # asked for at once, as a batch's are
_BATCHES: Final = 10
_PROOFS: Final = 400
_AT_ONCE: Final = 1 << 20  # leaves hashed and written at once while the large log is made

AIMS: Final = {"entries_per_second": 20_000.0, "inclusion_ms": 0.5, "consistency_ms": 0.5}


@dataclass(frozen=True)
class Times:
    """Of one thing at a time, in milliseconds."""

    median_ms: float
    p99_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        ordered = sorted(seconds)
        return cls(statistics.median(ordered) * 1e3, ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1e3)

    def __str__(self) -> str:
        return f"{self.median_ms:.2f} ms (p99 {self.p99_ms:.2f})"


@dataclass(frozen=True)
class NotaryReport:
    """Proofs and receipts are made one at a time; `cold` begins each with no tile in the box's memory."""

    machine: Machine
    entries: int
    group: int
    entries_per_second: float
    size: int
    inclusion: Times
    inclusion_cold: Times
    consistency: Times
    consistency_cold: Times
    receipt: Times
    receipt_cold: Times
    receipts_per_second: float


def run(folder: Path, *, entries: int, size: int, tell: Callable[[str], None]) -> NotaryReport:
    folder.mkdir(parents=True, exist_ok=True)
    machine = this_machine()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as place:
        return asyncio.run(_measure(Path(place), machine, entries, size, tell))


async def _measure(place: Path, machine: Machine, entries: int, size: int, tell: Callable[[str], None]) -> NotaryReport:
    tell(f"writing {entries:,} entries in groups of {GROUP:,}")
    (place / "entries").mkdir()
    async with office(place / "entries") as made:
        per_second = await _entries(made.box, entries)
    tell(f"making a log of {size:,} entries, its rows put there directly")
    (place / "proofs").mkdir()
    async with office(place / "proofs") as made:
        await _grow(made.box, size)
        tell("proving")
        inclusion = await _inclusions(made.box)
        consistency = await _consistencies(made.box)
        receipt_times = await _single_receipts(made.box)
        receipts = await _receipts(made.box)
    return NotaryReport(machine, entries, GROUP, per_second, size, *inclusion, *consistency, *receipt_times, receipts)


# --- entries


async def _entries(box: Box, count: int) -> float:
    """From the first salt to the last durable checkpoint."""
    sequencing = asyncio.create_task(box.sequencer.run())
    before = (await box.notary.head()).size
    groups = [min(GROUP, count - start) for start in range(0, count, GROUP)]
    began = time.perf_counter()
    await asyncio.gather(*(_stager(box, groups[first::_STAGERS]) for first in range(_STAGERS)))
    while (await box.notary.head()).size < before + count:
        await asyncio.sleep(0.002)
    seconds = time.perf_counter() - began
    sequencing.cancel()
    return count / seconds


async def _stager(box: Box, groups: Sequence[int]) -> None:
    for count in groups:
        await _stage(box, count)


async def _stage(box: Box, count: int) -> dict[UUID, dict[str, bytes]]:
    """Stage so many events that commit to all five fields; what their receipts shall open."""
    drafts, opened = [], {}
    for _ in range(count):
        values = dict.fromkeys(FIELDS, bytes(32)) | {"case": bytes(16), "content": os.urandom(32)}
        salts = new_salts(uuid7.new(), FIELDS)
        drafts.append(EntryDraft("exhibit.received", salts, values))
        opened[salts.record] = {"content": values["content"], "statement": values["statement"]}
    await box.keys.commit(KeyBatch(salts=[draft.salts for draft in drafts]))
    async with box.database.transaction():
        await box.notary.stage(drafts)
    return opened


# --- a large log


async def _grow(box: Box, size: int) -> None:
    """Extend the log to `size` leaves. Tiles, checkpoint and head are those of a real log; the entries are not there."""
    columns = ("level", "tile_index", "hashes")
    rows = await box.database.fetch("SELECT leaf FROM log_entry ORDER BY seq")
    await box.database.execute("DELETE FROM log_tile")
    tree = merkle.Tiles()
    leaves = [row["leaf"] for row in rows]
    while tree.size < size:
        first, last = tree.size + len(leaves), min(size, tree.size + _AT_ONCE)
        leaves += [sha256(number.to_bytes(8)).digest() for number in range(first, last)]
        full = tree.append(b"".join(leaves))
        await box.database.insert_many("log_tile", columns, [(one.level, one.index, one.hashes) for one in full])
        leaves = []
    edge = zip(merkle.partial_tiles(tree.size), tree.partials, strict=True)
    partial = [(int(tile.level), tile.index, hashes) for tile, hashes in edge if hashes]
    async with box.database.transaction():
        await box.database.insert_many("log_tile", columns, partial)
        await box.database.execute("UPDATE log_head SET size = {}, root = {} WHERE id = 1", tree.size, tree.root())
    await _stage(box, 1)  # the sequencer signs a checkpoint over all of it
    await box.sequencer.step()


async def _inclusions(box: Box) -> tuple[Times, Times]:
    checkpoint = await _checkpoint(box)
    indexes = _places(checkpoint)
    leaves = await _leaves(box, indexes)

    async def prove(index: int) -> list[bytes]:
        return (await box.notary.inclusion([index], checkpoint.size))[index]

    def verify(index: int, path: list[bytes]) -> None:
        merkle.verify_inclusion(index, checkpoint.size, leaves[index], path, checkpoint.root)

    return await _warm_and_cold(box, indexes, prove, verify)


async def _consistencies(box: Box) -> tuple[Times, Times]:
    checkpoint = await _checkpoint(box)
    sizes = _places(checkpoint)
    roots = {size: await _root(box, size) for size in sizes}

    async def prove(old: int) -> list[bytes]:
        return await box.notary.consistency(old, checkpoint.size)

    def verify(old: int, proof: list[bytes]) -> None:
        merkle.verify_consistency(old, checkpoint.size, proof, roots[old], checkpoint.root)

    return await _warm_and_cold(box, sizes, prove, verify)


def _places(checkpoint: Checkpoint) -> list[int]:
    chance = Random(1)
    return [chance.randrange(1, checkpoint.size) for _ in range(_PROOFS)]


async def _warm_and_cold(
    box: Box,
    places: Sequence[int],
    prove: Callable[[int], Awaitable[list[bytes]]],
    verify: Callable[[int, list[bytes]], None],
) -> tuple[Times, Times]:
    """To make one proof, all over the log: by a notary that has made others, and by one that begins."""
    warm: list[float] = []
    cold: list[float] = []
    for round_ in range(2):
        for place in places:
            began = time.perf_counter()
            proof = await prove(place)
            (cold if round_ == 0 else warm).append(time.perf_counter() - began)
            verify(place, proof)
            if round_ == 0:
                box.notary.tiles = TileStore(box.database)
    return Times.of(warm), Times.of(cold)


async def _leaves(box: Box, indexes: Sequence[int]) -> dict[int, bytes]:
    wanted = sorted({index // merkle.TILE_WIDTH for index in indexes})
    rows = await box.database.fetch_in(
        "SELECT tile_index, hashes FROM log_tile WHERE level = 0 AND tile_index IN ", wanted
    )
    tiles = {row["tile_index"]: row["hashes"] for row in rows}
    return {
        index: tiles[index // merkle.TILE_WIDTH][
            (at := index % merkle.TILE_WIDTH * merkle.HASH_LENGTH) : at + merkle.HASH_LENGTH
        ]
        for index in indexes
    }


async def _root(box: Box, size: int) -> bytes:
    return (await box.notary.tiles.prover([size - 1], size)).root()


async def _checkpoint(box: Box) -> Checkpoint:
    return note.parse_checkpoint(note.parse_note(await box.notary.checkpoint()).body)


# --- receipts


async def _single_receipts(box: Box) -> tuple[Times, Times]:
    """One receipt at a time, for entries that came a moment ago."""
    opened = await _stage(box, _PROOFS)
    await box.sequencer.step()
    verifier = ReceiptVerifier(box.notary.vkey)
    times: dict[bool, list[float]] = {True: [], False: []}
    for cold in (True, False):
        for record, values in opened.items():
            if cold:
                box.notary.tiles = TileStore(box.database)
            began = time.perf_counter()
            receipts = await box.notary.receipts({record: values})
            times[cold].append(time.perf_counter() - began)
            verifier.verify(receipt.parse(receipts[record].encode()), **values)
    return Times.of(times[False]), Times.of(times[True])


async def _receipts(box: Box) -> float:
    """Receipts a second, as for a batch whose entries have just reached the large log; verified outside the time."""
    verifier = ReceiptVerifier(box.notary.vkey)
    seconds = 0.0
    for _ in range(_BATCHES):
        opened = await _stage(box, _RECEIPTS)
        await box.sequencer.step()
        began = time.perf_counter()
        receipts = await box.notary.receipts(opened)
        seconds += time.perf_counter() - began
        for record, text in receipts.items():
            verifier.verify(receipt.parse(text.encode()), **opened[record])
        assert len(receipts) == _RECEIPTS
    return _BATCHES * _RECEIPTS / seconds


# --- the report


def lines(report: NotaryReport) -> list[str]:
    return [
        report.machine.line(),
        "",
        f"Durable entries a second, {report.entries:,} in groups of {report.group:,}: {report.entries_per_second:,.0f}"
        f" (aim: {AIMS['entries_per_second']:,.0f})",
        "  salts synced in the key store, entries staged and sequenced in encrypted SQLite, every commit synced",
        f"In a log of {report.size:,} entries:",
        f"  inclusion proof    {report.inclusion}, cold {report.inclusion_cold} (aim: {AIMS['inclusion_ms']} ms)",
        f"  consistency proof  {report.consistency}, cold {report.consistency_cold} (aim: {AIMS['consistency_ms']} ms)",
        f"  one receipt        {report.receipt}, cold {report.receipt_cold}",
        f"  receipts a second  {report.receipts_per_second:,.0f}, {_RECEIPTS} at a time",
        "  (the tiles of that log were put there directly; every proof and receipt was verified)",
    ]
