"""Checking proofs against roots (RFC 9162 2.1.3.2, 2.1.4.2)."""

from collections.abc import Sequence

from deedbox_sync.errors import ProofError
from deedbox_sync.merkle.hashing import EMPTY_ROOT, HASH_LENGTH, MAX_SIZE, node_hash


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """ProofError unless `leaf`, a leaf hash, is number `index` of the tree of `size` with `root` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"index {index} is outside a tree of {size}")
    if any(len(node) != HASH_LENGTH for node in (leaf, root, *proof)):
        raise ProofError("a hash of the inclusion proof is not 32 bytes")
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    if last or node != root:
        raise ProofError("the inclusion proof does not lead to the root")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """ProofError unless the tree of `old` begins the tree of `new` (RFC 9162 2.1.4.2).

    The empty tree begins every tree: its proof is empty and its root is EMPTY_ROOT.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError(f"a tree of {old} is no beginning of a tree of {new}")
    if any(len(node) != HASH_LENGTH for node in (old_root, new_root, *proof)):
        raise ProofError("a hash of the consistency proof is not 32 bytes")
    if old in (0, new):
        if proof:
            raise ProofError("the consistency proof is not empty")
        if (old == 0 and old_root != EMPTY_ROOT) or (old == new and old_root != new_root):
            raise ProofError("the two trees are not consistent")
        return
    if not proof:
        raise ProofError("the consistency proof is empty")
    nodes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    begun = grown = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if at & 1 or at == last:
            begun, grown = node_hash(node, begun), node_hash(node, grown)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            grown = node_hash(grown, node)
        at, last = at >> 1, last >> 1
    if last or begun != old_root or grown != new_root:
        raise ProofError("the consistency proof does not connect the two roots")
