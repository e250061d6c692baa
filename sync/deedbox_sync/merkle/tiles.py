"""The growing tree, of which only the right edge is held."""

from collections.abc import Sequence
from dataclasses import dataclass

from deedbox_sync.errors import FormatError
from deedbox_sync.merkle.hashing import EMPTY_ROOT, HASH_LENGTH, node_hash, reduce
from deedbox_sync.merkle.tile_address import TILE_BYTES, TILE_WIDTH, ReadTile, partial_tiles, read_width


@dataclass(frozen=True)
class FullTile:
    """256 hashes that never change again."""

    level: int
    index: int
    hashes: bytes


class Tiles:
    """The growing tree, as its size and its partial tiles. Appends in order; nothing is ever taken back:
    work on a `copy()` where the write that makes it true may fail."""

    def __init__(self) -> None:
        self._size = 0
        self._partials: list[bytes] = []

    @classmethod
    def restore(cls, size: int, partials: Sequence[bytes]) -> "Tiles":
        """From the partial tiles that `partials` gave for this size. Their truth is for `root()` to show."""
        wanted = partial_tiles(size)
        if len(partials) != len(wanted):
            raise FormatError("tiles", f"of a tree of {size} are {len(wanted)}, not {len(partials)}")
        for tile, hashes in zip(wanted, partials, strict=True):
            if len(hashes) != tile.width * HASH_LENGTH:
                raise FormatError("tiles", f"level {tile.level} is not {tile.width} hashes")
        tiles = cls()
        tiles._size = size
        tiles._partials = [bytes(hashes) for hashes in partials]
        return tiles

    @classmethod
    def load(cls, size: int, read_tile: ReadTile) -> "Tiles":
        """From stored tiles."""
        return cls.restore(size, [read_width(read_tile, tile) for tile in partial_tiles(size)])

    def copy(self) -> "Tiles":
        tiles = Tiles()
        tiles._size, tiles._partials = self._size, list(self._partials)
        return tiles

    @property
    def size(self) -> int:
        return self._size

    @property
    def partials(self) -> tuple[bytes, ...]:
        """The partial tiles' hashes by level, as `restore` takes them."""
        return tuple(self._partials)

    def append(self, leaf_hashes: bytes) -> list[FullTile]:
        """Appends leaf hashes laid side by side; gives the tiles that became full, lower levels first."""
        if len(leaf_hashes) % HASH_LENGTH:
            raise FormatError("leaf hashes", f"are not {HASH_LENGTH} bytes each")
        full: list[FullTile] = []
        incoming, level = leaf_hashes, 0
        while incoming:
            if level == len(self._partials):
                self._partials.append(b"")
            first = (self._size >> 8 * level) // TILE_WIDTH
            row = self._partials[level] + incoming
            whole = len(row) - len(row) % TILE_BYTES
            tiles = [row[at : at + TILE_BYTES] for at in range(0, whole, TILE_BYTES)]
            full += [FullTile(level, first + place, hashes) for place, hashes in enumerate(tiles)]
            self._partials[level] = row[whole:]
            incoming = b"".join([reduce(hashes) for hashes in tiles])
            level += 1
        self._size += len(leaf_hashes) // HASH_LENGTH
        return full

    def root(self) -> bytes:
        """The RFC 6962 tree hash."""
        node: bytes | None = None
        for hashes in self._partials:
            end, span = len(hashes), HASH_LENGTH
            while end:
                if end & span:
                    peak = reduce(hashes[end - span : end])
                    node = peak if node is None else node_hash(peak, node)
                    end -= span
                span <<= 1
        return EMPTY_ROOT if node is None else node
