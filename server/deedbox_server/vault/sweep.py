"""What a crash leaves behind and nothing refers to: files without rows, tail records of stored blobs, keys of nothing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from deedbox_disk.durable import TEMPORARY_SUFFIX
from deedbox_server.database import Database
from deedbox_server.vault.places import is_pack_name, parse_part_name, parse_tail_name
from deedbox_server.vault.workshop import Workshop

_GROUP = 500  # blobs asked about at a time
_ZERO = UUID(int=0)

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Swept:
    """How much was removed: files, and blobs whose keys were."""

    files: int
    keyed_blobs: int


async def sweep(workshop: Workshop, db: Database, unfinished: Collection[UUID]) -> Swept:
    """Remove what belongs neither to a stored blob nor to one of `unfinished`. Only while nothing is being written.

    Files whose names are not ours are left alone.
    """
    await settle_moves(workshop, db)
    keep = frozenset(unfinished)
    needless = await _needless_parts(workshop, db, keep)
    needless += await _needless_packs(workshop, db)
    needless += await _needless_tails(workshop, db, keep)
    await workshop.run(partial(_unlink, needless))
    return Swept(len(needless), await _sweep_keys(workshop, db, keep))


async def settle_moves(workshop: Workshop, db: Database) -> int:
    """The keys of blobs that were on their way to another case follow the row, wherever it is; how many moved."""
    moving = await workshop.keys.moving()
    if not moving:
        return 0
    rows = await db.fetch_in("SELECT id, case_id FROM blob WHERE id IN ", list(moving))
    arrived = [row["id"] for row in rows if row["case_id"] == moving[row["id"]]]
    await workshop.keys.settle_move(arrived, sorted(moving.keys() - set(arrived)))
    return len(arrived)


async def _needless_parts(workshop: Workshop, db: Database, keep: frozenset[UUID]) -> list[Path]:
    needless: list[Path] = []
    named = [(path, parse_part_name(path.name)) for path in await _files(workshop, workshop.places.blobs)]
    loose = [(path, *part) for path, part in named if part is not None and part[0] not in keep]
    for group in _groups(loose):
        rows = await db.fetch_in("SELECT blob, part FROM blob_part WHERE blob IN", list({blob for _, blob, _ in group}))
        stored = {(row["blob"], row["part"]) for row in rows}
        needless += [path for path, blob, part in group if (blob, part) not in stored]
    return needless


async def _needless_packs(workshop: Workshop, db: Database) -> list[Path]:
    packs = [path for path in await _files(workshop, workshop.places.packs) if is_pack_name(path.name)]
    if not packs:
        return []
    rows = await db.fetch("SELECT DISTINCT file FROM blob_part WHERE file LIKE {}", "packs/%")
    stored = {workshop.places.data / row["file"] for row in rows}
    return [path for path in packs if path not in stored]


async def _needless_tails(workshop: Workshop, db: Database, keep: frozenset[UUID]) -> list[Path]:
    paths = await _files(workshop, workshop.places.uploads)
    ours = [path for path in paths if parse_tail_name(path.name.removesuffix(TEMPORARY_SUFFIX)) is not None]
    return [path for path in ours if parse_tail_name(path.name) not in keep]


async def _sweep_keys(workshop: Workshop, db: Database, keep: frozenset[UUID]) -> int:
    swept = 0
    group = await workshop.keys.blobs_after(_ZERO, _GROUP)
    while group:
        rows = await db.fetch_in("SELECT id FROM blob WHERE id IN", group)
        needless = set(group) - {row["id"] for row in rows} - keep
        if needless:
            await workshop.keys.forget_parts(needless)
            swept += len(needless)
        group = await workshop.keys.blobs_after(group[-1], _GROUP)
    return swept


async def _files(workshop: Workshop, folder: Path) -> list[Path]:
    return await workshop.run(lambda: [path for path in folder.rglob("*") if path.is_file()])


def _groups(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _GROUP):
        yield items[start : start + _GROUP]


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
