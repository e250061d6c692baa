"""Tiles, proofs, notes and cosignatures against vectors made by aics-tlog (`make_aics_tlog_vectors.py` says how)."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_sync import entry, merkle, note
from deedbox_sync.merkle import Tiles
from deedbox_sync.note import Checkpoint

VECTORS = json.loads(Path(__file__).with_name("aics_tlog_vectors.json").read_text(encoding="utf-8"))
COUNT = 70_000
ORIGIN, WITNESS, TIME = "deedbox/0195a3c40000700080000000000000b0/0", "witness.example/w1", 1_773_489_600
ENTRIES = [b"entry %d" % number for number in range(COUNT)]
TILES = Tiles()
FULL = {
    (tile.level, tile.index): tile.hashes for tile in TILES.append(b"".join(merkle.leaf_hash(each) for each in ENTRIES))
}


def read_tile(level: int, index: int, width: int) -> bytes:
    return FULL.get((level, index)) or TILES.partials[level]


def test_every_tile_and_bundle_is_the_same_file() -> None:
    files = {merkle.tile_path(level, index): hashes for (level, index), hashes in FULL.items()}
    for tile, hashes in zip(merkle.partial_tiles(COUNT), TILES.partials, strict=True):
        files[merkle.tile_path(tile.level, tile.index, tile.width)] = hashes
    for first in range(0, COUNT, 256):
        bundle = ENTRIES[first : first + 256]
        files[merkle.tile_path("entries", first // 256, len(bundle))] = entry.encode_bundle(bundle)
    together = sha256()
    for path in sorted(files):
        together.update(f"{path} {len(files[path])}\n".encode() + files[path])
    assert len(files) == VECTORS["files"]
    assert together.hexdigest() == VECTORS["files_sha256"]


def test_roots_are_the_same() -> None:
    assert TILES.root().hex() == VECTORS["root"]
    for size, root in VECTORS["roots"].items():
        assert merkle.root_at(int(size), read_tile).hex() == root


@pytest.mark.parametrize("proof", VECTORS["inclusion"])
def test_inclusion_proofs_are_the_same(proof: dict[str, object]) -> None:
    index, size = proof["index"], proof["size"]
    assert isinstance(index, int) and isinstance(size, int)
    path = merkle.inclusion_proof(index, size, read_tile)
    assert [node.hex() for node in path] == proof["path"]
    root = bytes.fromhex(VECTORS["roots"][str(size)])
    merkle.verify_inclusion(index, size, merkle.leaf_hash(ENTRIES[index]), path, root)


@pytest.mark.parametrize("proof", VECTORS["consistency"])
def test_consistency_proofs_are_the_same(proof: dict[str, object]) -> None:
    old = proof["old"]
    assert isinstance(old, int)
    path = merkle.consistency_proof(old, COUNT, read_tile)
    assert [node.hex() for node in path] == proof["path"]
    merkle.verify_consistency(old, COUNT, path, bytes.fromhex(VECTORS["roots"][str(old)]), TILES.root())


def test_a_cosigned_checkpoint_is_the_same_text() -> None:
    log, witness = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2))
    body = note.encode_checkpoint(Checkpoint(ORIGIN, COUNT, TILES.root()))
    made = note.assemble_note(body, [note.sign(body, ORIGIN, log), note.cosign(body, WITNESS, witness, TIME)])
    assert made == VECTORS["note"]
    assert note.verify_note(note.parse_note(made), [VECTORS["log"], VECTORS["witness"]]) == {
        ORIGIN: None,
        WITNESS: TIME,
    }
    assert note.encode_vkey(ORIGIN, note.ED25519, log.public_key().public_bytes_raw()) == VECTORS["log"]
