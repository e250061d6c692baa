"""The log's tiles as rows: full ones never change and are kept in memory, partial ones are read afresh."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from deedbox_server.database import Database
from deedbox_server.errors import Unavailable
from deedbox_sync.merkle import TILE_BYTES, TILE_WIDTH, ReadTile

_CACHED = 1024  # full tiles, 8 MiB: the upper levels of any log and the lower ones in use


def _levels_of(size: int) -> list[int]:
    """How many hashes each tile level holds in a tree of `size`."""
    counts = [size]
    while counts[-1] >= TILE_WIDTH:
        counts.append(counts[-1] // TILE_WIDTH)
    return counts


class TileStore:
    """Reads tiles for proofs."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._full: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    async def reader(self, indexes: Iterable[int], size: int) -> ReadTile:
        """A reader with every tile that proofs of `indexes` in a tree of `size` can touch.

        A path's siblings at heights 8L … 8L+7 lie in the level-L tile above the index; what is left of a proof are nodes on
        the right edge of the tree, in the last tile of each level (tlog-tiles).
        """
        wanted: list[tuple[int, int]] = []
        at = set(indexes)
        for level, count in enumerate(_levels_of(size)):
            at = {index // TILE_WIDTH for index in at}
            edge = {(count - 1) // TILE_WIDTH, count // TILE_WIDTH}
            wanted += [(level, index) for index in at | edge if index * TILE_WIDTH < count]
        return await self._load(wanted)

    async def _load(self, wanted: list[tuple[int, int]]) -> ReadTile:
        tiles: dict[tuple[int, int], bytes] = {}
        missing: dict[int, list[int]] = {}
        for key in wanted:
            if (held := self._full.get(key)) is not None:
                self._full.move_to_end(key)
                tiles[key] = held
            else:
                missing.setdefault(key[0], []).append(key[1])
        for level, indexes in missing.items():
            rows = await self._db.fetch_in(
                f"SELECT tile_index, hashes FROM log_tile WHERE level = {level:d} AND tile_index IN ", indexes
            )
            for row in rows:
                tiles[level, row["tile_index"]] = row["hashes"]
                if len(row["hashes"]) == TILE_BYTES:
                    self._full[level, row["tile_index"]] = row["hashes"]
        while len(self._full) > _CACHED:
            self._full.popitem(last=False)

        def read(level: int, index: int, width: int) -> bytes:
            hashes = tiles.get((level, index), b"")
            if len(hashes) < width * 32:
                raise Unavailable(f"Tile {index} of level {level} is missing or short: run the audit.")
            return hashes

        return read
