"""The log's tree: RFC 6962 hashing, stored as c2sp.org/tlog-tiles, with the proofs of RFC 9162 2.1.3 and 2.1.4."""

from deedbox_sync.merkle.hashing import EMPTY_ROOT, HASH_LENGTH, MAX_PATH, MAX_SIZE, leaf_hash, node_hash, reduce
from deedbox_sync.merkle.proving import Prover, TileRows, consistency_proof, inclusion_proof, root_at
from deedbox_sync.merkle.tile_address import (
    TILE_BYTES,
    TILE_WIDTH,
    ReadTile,
    TileAddress,
    parse_tile_path,
    partial_tiles,
    tile_path,
)
from deedbox_sync.merkle.tiles import FullTile, Tiles
from deedbox_sync.merkle.verifying import verify_consistency, verify_inclusion

__all__ = [
    "EMPTY_ROOT",
    "HASH_LENGTH",
    "MAX_PATH",
    "MAX_SIZE",
    "TILE_BYTES",
    "TILE_WIDTH",
    "FullTile",
    "Prover",
    "ReadTile",
    "TileAddress",
    "TileRows",
    "Tiles",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "parse_tile_path",
    "partial_tiles",
    "reduce",
    "root_at",
    "tile_path",
    "verify_consistency",
    "verify_inclusion",
]
