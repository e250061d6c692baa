"""Which tile is where (c2sp.org/tlog-tiles).

A tile is 256 hashes of one level side by side; hash *i* of level *l* covers the leaves [i·256^l, (i+1)·256^l).
"""

from collections.abc import Callable
from dataclasses import dataclass

from deedbox_sync.errors import FormatError
from deedbox_sync.merkle.hashing import HASH_LENGTH, MAX_PATH, MAX_SIZE

TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_LENGTH

ReadTile = Callable[[int, int, int], bytes]
"""`read_tile(level, index, width)` gives at least the first `width` hashes of a tile."""


@dataclass(frozen=True)
class TileAddress:
    """A tile, or for level "entries" an entry bundle, at the width a tree of some size gives it."""

    level: int | str
    index: int
    width: int


def partial_tiles(size: int) -> list[TileAddress]:
    """The partial tiles of a tree of `size`, by level: what `Tiles.restore` needs. Width 0 means none at that level."""
    tiles = []
    level = 0
    while (count := size >> 8 * level) > 0:
        tiles.append(TileAddress(level, count // TILE_WIDTH, count % TILE_WIDTH))
        level += 1
    return tiles


def read_width(read_tile: ReadTile, tile: TileAddress) -> bytes:
    """The first `width` hashes of a tile, checked to be there."""
    if tile.width == 0:
        return b""
    assert isinstance(tile.level, int)
    hashes = read_tile(tile.level, tile.index, tile.width)
    if len(hashes) < tile.width * HASH_LENGTH:
        raise FormatError(f"tile {tile.level}/{tile.index}", f"has fewer than {tile.width} hashes")
    return bytes(hashes[: tile.width * HASH_LENGTH])


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """The tile's or entry bundle's path (c2sp.org/tlog-tiles, Merkle Tree)."""
    known = level == "entries" if isinstance(level, str) else 0 <= level <= MAX_PATH
    if not known or not 0 <= index <= MAX_SIZE or not 1 <= width <= TILE_WIDTH:
        raise FormatError("tile", "has no path")
    thousands = f"{index:03d}"
    groups = [thousands[max(end - 3, 0) : end].rjust(3, "0") for end in range(len(thousands), 0, -3)]
    name = "/".join([*(f"x{group}" for group in reversed(groups[1:])), groups[0]])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < TILE_WIDTH else "")


def parse_tile_path(path: str) -> TileAddress:
    """The address of a path; FormatError unless it is the very path that `tile_path` gives for it."""
    # The longest: 19 digits of index and a partial width.
    if len(path) <= 64 and path.isascii():
        head, _, partial = path.partition(".p/")
        parts = head.split("/")
        digits = "".join(part.removeprefix("x") for part in parts[2:])
        if len(parts) >= 3 and digits.isdecimal() and (not partial or partial.isdecimal()):
            level = int(parts[1]) if parts[1].isdecimal() else parts[1]
            address = TileAddress(level, int(digits), int(partial) if partial else TILE_WIDTH)
            try:
                if tile_path(level, address.index, address.width) == path:
                    return address
            except FormatError:
                pass
    raise FormatError("tile path", "is not one")
