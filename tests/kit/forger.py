"""A log's owner as its forger: with the log key in hand, entries, tiles, checkpoints and head are made anew, so that all that
the box's own data can say of the log agrees."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.database import Database
from deedbox_sync import entry, merkle, note
from deedbox_sync.entry import LogEntry


@dataclass(frozen=True)
class ForgedEntry:
    """An entry before it is put in its place: `prev` and `seq` are made anew."""

    record: UUID
    said: LogEntry


Change = Callable[[list[ForgedEntry]], list[ForgedEntry]]


async def rewrite(
    db: Database, origin: str, key: Ed25519PrivateKey, change: Change, *, leave: Collection[int] = ()
) -> None:
    """Replace the log by `change` of it, with checkpoints at the sizes that had one, and at its end. The true notes of the sizes
    to `leave` stay, since outsiders' signatures are over them."""
    rows = await db.fetch("SELECT record, entry FROM log_entry ORDER BY seq")
    changed = change([ForgedEntry(row["record"], entry.parse(row["entry"])) for row in rows])
    kept = await db.fetch("SELECT size, note, created FROM log_checkpoint ORDER BY size")
    leave = [size for size in leave if size <= len(changed)]  # beyond, the log will have notes of its own
    true = [(row["size"], row["note"], row["created"]) for row in kept if row["size"] in leave]
    sizes = [row for row in kept if row["size"] <= len(changed) and row["size"] not in leave]
    created = {int(row["size"]): row["created"] for row in sizes}
    if len(changed) not in leave:
        created.setdefault(len(changed), kept[-1]["created"])
    tree, tiles, previous = merkle.Tiles(), {}, entry.NO_DIGEST
    entries, notes = [], []
    for seq, forged in enumerate(changed):
        data = entry.encode(replace(forged.said, seq=seq, prev=previous))
        previous = entry.digest(data)
        for full in tree.append(merkle.leaf_hash(data)):
            tiles[full.level, full.index] = full.hashes
        entries.append((seq, forged.record, data, merkle.leaf_hash(data)))
        if tree.size in created:
            body = note.encode_checkpoint(note.Checkpoint(origin, tree.size, tree.root()))
            signed = note.assemble_note(body, [note.sign(body, origin, key)])
            notes.append((tree.size, signed, created[tree.size]))
    for tile, hashes in zip(merkle.partial_tiles(tree.size), tree.partials, strict=True):
        if hashes:
            tiles[int(tile.level), tile.index] = hashes
    async with db.transaction():
        for table in ("log_entry", "log_tile", "log_checkpoint"):
            await db.execute(f"DELETE FROM {table}")
        await db.insert_many("log_entry", ("seq", "record", "entry", "leaf"), entries)
        laid = [(level, index, hashes) for (level, index), hashes in tiles.items()]
        await db.insert_many("log_tile", ("level", "tile_index", "hashes"), laid)
        await db.insert_many("log_checkpoint", ("size", "note", "created"), notes + true)
        await db.execute(
            "UPDATE log_head SET origin = {}, size = {}, root = {}, last_entry_digest = {}, last_time = {}",
            origin,
            tree.size,
            tree.root(),
            previous,
            changed[-1].said.time,
        )


# --- what an owner may want to have been


def unchanged(log: list[ForgedEntry]) -> list[ForgedEntry]:
    return log


def cut(size: int) -> Change:
    """The log as if nothing had come after."""
    return lambda log: log[:size]


def at_another_time(seq: int, late: timedelta) -> Change:
    """One entry a little later, and all after it no earlier."""

    def change(log: list[ForgedEntry]) -> list[ForgedEntry]:
        moved = log[seq].said.time + late
        return [
            one if place < seq else replace(one, said=replace(one.said, time=max(one.said.time, moved)))
            for place, one in enumerate(log)
        ]

    return change


def back_dated(by: timedelta) -> Change:
    """All of it so much earlier."""
    return lambda log: [replace(one, said=replace(one.said, time=one.said.time - by)) for one in log]


def exchanged(kind: str) -> Change:
    """The first two entries of a kind in each other's place, at the times of the places."""

    def change(log: list[ForgedEntry]) -> list[ForgedEntry]:
        first, second, *_ = [place for place, one in enumerate(log) if one.said.kind == kind]
        changed = list(log)
        for place, other in ((first, second), (second, first)):
            changed[place] = replace(log[other], said=replace(log[other].said, time=log[place].said.time))
        return changed

    return change


def opened_as(origin: str, vkey: str) -> Change:
    """The same events in a log of another name or key."""

    def change(log: Sequence[ForgedEntry]) -> list[ForgedEntry]:
        opening = replace(log[0].said, data={"origin": origin, "vkey": vkey})
        return [replace(log[0], said=opening), *log[1:]]

    return change
