"""The tree against pymerkle: the same roots, and each verifies the other's proofs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InclusionProof, InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

from deedbox_sync import merkle
from deedbox_sync.merkle import Tiles

COUNT = 1500
ENTRIES = [f"entry {number}".encode() for number in range(COUNT)]
THEIRS = InmemoryTree.init_from_entries(ENTRIES, algorithm="sha256")
OURS = Tiles()
FULL = {
    (tile.level, tile.index): tile.hashes
    for tile in OURS.append(b"".join(merkle.leaf_hash(entry) for entry in ENTRIES))
}
sizes = st.integers(1, COUNT)


def read_tile(level: int, index: int, width: int) -> bytes:
    return FULL.get((level, index)) or OURS.partials[level]


def test_the_same_root() -> None:
    assert OURS.root() == THEIRS.get_root()


@given(sizes)
@settings(max_examples=50)
def test_the_same_root_at_every_size(size: int) -> None:
    assert merkle.root_at(size, read_tile) == THEIRS.get_root(size)


def inclusion_in_their_form(index: int, size: int) -> InclusionProof:
    """Our path in their clothes: they count from one and put the leaf before the path."""
    theirs = THEIRS.prove_inclusion(index + 1, size).serialize()
    path = [merkle.leaf_hash(ENTRIES[index]), *merkle.inclusion_proof(index, size, read_tile)]
    return InclusionProof.deserialize({**theirs, "path": [node.hex() for node in path]})


@given(sizes, st.data())
@settings(max_examples=50)
def test_they_verify_our_inclusion_proofs(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaf, root = merkle.leaf_hash(ENTRIES[index]), merkle.root_at(size, read_tile)
    verify_inclusion(leaf, root, inclusion_in_their_form(index, size), index + 1, size)


def test_they_refuse_our_proof_for_another_entry() -> None:
    with pytest.raises(InvalidProof):
        verify_inclusion(merkle.leaf_hash(ENTRIES[6]), OURS.root(), inclusion_in_their_form(5, COUNT), 6, COUNT)


@given(sizes, st.data())
@settings(max_examples=50)
def test_we_verify_their_inclusion_proofs(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaf, *path = THEIRS.prove_inclusion(index + 1, size).path
    assert leaf == THEIRS.get_leaf(index + 1) == merkle.leaf_hash(ENTRIES[index])
    merkle.verify_inclusion(index, size, leaf, path, THEIRS.get_root(size))


@given(sizes, st.data())
@settings(max_examples=50)
def test_both_find_two_sizes_consistent(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    theirs, ours = THEIRS.prove_consistency(old, size), merkle.consistency_proof(old, size, read_tile)
    old_root, root = THEIRS.get_root(old), THEIRS.get_root(size)
    verify_consistency(old_root, root, theirs, old, size)
    merkle.verify_consistency(old, size, ours, old_root, root)
