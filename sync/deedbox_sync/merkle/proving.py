"""Making proofs from stored tiles. `Prover` reads each tile once and hashes it once, so that proofs for the
neighbours of a whole group of entries cost little more than one."""

from collections.abc import MutableMapping

from deedbox_sync.errors import FormatError
from deedbox_sync.merkle.hashing import EMPTY_ROOT, HASH_LENGTH, MAX_SIZE, node_hash, parents
from deedbox_sync.merkle.tile_address import TILE_WIDTH, ReadTile, TileAddress, read_width

# A tile with its inner rows is 16 KiB: at most 16 MiB are kept.
_MAX_CACHED = 1024
# The upper parts of neighbours' paths are the same; a range is some 200 bytes here.
_MAX_RANGES = 16_384


TileRows = MutableMapping[tuple[int, int, int], list[bytes]]
"""A tile's hashes and the rows of inner hashes above them, by level, index and width."""


class Prover:
    """Roots and proofs of one tree of fixed size, from tiles that hold at least that tree."""

    def __init__(self, size: int, read_tile: ReadTile, rows: TileRows | None = None) -> None:
        """`rows` keeps tiles with their inner hashes for the provers of the same log that come after this one."""
        if not 0 <= size <= MAX_SIZE:
            raise FormatError("tree", f"cannot have {size} entries")
        self.size = size
        self._read_tile = read_tile
        self._held: TileRows = {} if rows is None else rows
        self._bounded = rows is not None  # by whoever gave it
        self._ranges: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        return self._range(0, self.size) if self.size else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """The inclusion path, leaf's sibling first (RFC 9162 2.1.3.1)."""
        if not 0 <= index < self.size:
            raise FormatError("index", f"{index} is outside a tree of {self.size}")
        path: list[bytes] = []
        low, high = 0, self.size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the first `old` entries are a prefix (RFC 9162 2.1.4.1); empty for 0 and for all."""
        if not 0 <= old <= self.size:
            raise FormatError("size", f"{old} is outside a tree of {self.size}")
        if old in (0, self.size):
            return []
        proof: list[bytes] = []
        low, high = 0, self.size
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                proof.append(self._range(middle, high))
                high = middle
            else:
                proof.append(self._range(low, middle))
                low = middle
        if low:
            proof.append(self._range(low, high))
        return proof[::-1]

    def _range(self, low: int, high: int) -> bytes:
        """The tree hash of leaves [low, high), a range that the recursion of RFC 6962 2.1 meets."""
        held = self._ranges.get((low, high))
        if held is None:
            if len(self._ranges) >= _MAX_RANGES:
                self._ranges.clear()
            held = self._ranges[low, high] = self._hash(low, high)
        return held

    def _hash(self, low: int, high: int) -> bytes:
        nodes: list[bytes] = []
        while low < high:
            height = (high - low).bit_length() - 1
            if low:
                height = min(height, (low & -low).bit_length() - 1)
            nodes.append(self._node(height, low >> height))
            low += 1 << height
        node = nodes.pop()
        while nodes:
            node = node_hash(nodes.pop(), node)
        return node

    def _node(self, height: int, index: int) -> bytes:
        """Hash `index` of the row at `height`: in one tile, the root over 2^(height mod 8) of its hashes."""
        level, row = divmod(height, 8)
        tile, place = divmod(index, TILE_WIDTH >> row)
        at = place * HASH_LENGTH
        return self._rows(level, tile)[row][at : at + HASH_LENGTH]

    def _rows(self, level: int, index: int) -> list[bytes]:
        """A tile and the rows above it, each as far as it is whole."""
        width = min(TILE_WIDTH, (self.size >> 8 * level) - index * TILE_WIDTH)
        rows = self._held.get((level, index, width))
        if rows is None:
            rows = [read_width(self._read_tile, TileAddress(level, index, width))]
            while len(rows[-1]) >= 2 * HASH_LENGTH and len(rows) < 8:
                below = rows[-1]
                rows.append(parents(below[: len(below) - len(below) % (2 * HASH_LENGTH)]))
            if not self._bounded and len(self._held) >= _MAX_CACHED:
                self._held.clear()
            self._held[level, index, width] = rows
        return rows


def root_at(size: int, read_tile: ReadTile) -> bytes:
    """The root that a tree had at `size`."""
    return Prover(size, read_tile).root()


def inclusion_proof(index: int, size: int, read_tile: ReadTile) -> list[bytes]:
    return Prover(size, read_tile).inclusion(index)


def consistency_proof(old: int, new: int, read_tile: ReadTile) -> list[bytes]:
    return Prover(new, read_tile).consistency(old)


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
