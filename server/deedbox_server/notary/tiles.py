"""The log's tiles as rows, and proofs from them. What was hashed once is kept: a tile at one width never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from deedbox_server.database import Database
from deedbox_server.errors import Unavailable
from deedbox_sync.merkle import HASH_LENGTH, TILE_WIDTH, Prover, ReadTile

# Tiles with their inner hashes, 16 KiB each at most: the upper levels of any log, its right edge and the lower tiles in use.
_KEPT = 768


class TileStore:
    """Makes provers."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows: OrderedDict[tuple[int, int, int], list[bytes]] = OrderedDict()

    async def prover(self, indexes: Iterable[int], size: int) -> Prover:
        """A prover for a tree of `size`, with every tile that proofs of `indexes` can touch.

        A path's siblings at heights 8L … 8L+7 lie in the level-L tile above the index; what is left of a proof are nodes on
        the right edge of the tree, in the last tile of each level (tlog-tiles).
        """
        wanted: list[tuple[int, int, int]] = []
        at, level = set(indexes), 0
        while (count := size >> 8 * level) > 0:
            at = {index // TILE_WIDTH for index in at}
            edge = {(count - 1) // TILE_WIDTH, count // TILE_WIDTH}
            wanted += [
                (level, index, min(TILE_WIDTH, count - index * TILE_WIDTH))
                for index in at | edge
                if index * TILE_WIDTH < count
            ]
            level += 1
        return Prover(size, await self._load(wanted), self._rows)

    async def _load(self, wanted: list[tuple[int, int, int]]) -> ReadTile:
        tiles: dict[tuple[int, int], bytes] = {}
        missing: dict[int, list[int]] = {}
        for tile in wanted:
            level, index, _ = tile
            if (rows := self._rows.get(tile)) is not None:
                self._rows.move_to_end(tile)
                tiles[level, index] = rows[0]
            else:
                missing.setdefault(level, []).append(index)
        for level, indexes in missing.items():
            found = await self._db.fetch_in(
                f"SELECT tile_index, hashes FROM log_tile WHERE level = {level:d} AND tile_index IN ", indexes
            )
            tiles |= {(level, row["tile_index"]): row["hashes"] for row in found}
        while len(self._rows) > _KEPT:
            self._rows.popitem(last=False)

        def read(level: int, index: int, width: int) -> bytes:
            hashes = tiles.get((level, index), b"")
            if len(hashes) < width * HASH_LENGTH:
                raise Unavailable(f"Tile {index} of level {level} is missing or short: run the audit.")
            return hashes

        return read
