"""The tree against the definitions of RFC 6962 2.1, written down here as they stand there."""

import functools
from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deedbox_sync import merkle
from deedbox_sync.errors import FormatError, ProofError, SyncError
from deedbox_sync.merkle import TileAddress, Tiles


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4)) for number in range(count)]


LEAVES = leaves(70_000)


def split(count: int) -> int:
    """The largest power of two smaller than count."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_hash(size: int) -> bytes:
    return range_hash(0, size)


@functools.cache
def range_hash(low: int, high: int) -> bytes:
    """MTH of RFC 6962 2.1 over D[low:high]."""
    if high - low < 2:
        return LEAVES[low] if high > low else sha256(b"").digest()
    middle = low + split(high - low)
    return sha256(b"\x01" + range_hash(low, middle) + range_hash(middle, high)).digest()


def audit_path(index: int, low: int, high: int) -> list[bytes]:
    """PATH of RFC 6962 2.1.1 for D[low:high], the index counting from 0."""
    if high - low == 1:
        return []
    middle = low + split(high - low)
    if index < middle:
        return [*audit_path(index, low, middle), range_hash(middle, high)]
    return [*audit_path(index, middle, high), range_hash(low, middle)]


def subproof(old: int, low: int, high: int, complete: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 2.1.2 for D[low:high], the old size counting from 0."""
    if old == high:
        return [] if complete else [range_hash(low, high)]
    middle = low + split(high - low)
    if old <= middle:
        return [*subproof(old, low, middle, complete), range_hash(middle, high)]
    return [*subproof(old, middle, high, False), range_hash(low, middle)]


class StoredTiles:
    """Tiles as a box keeps them: full ones for ever, the right edge as the tree has it. Counts what is read."""

    def __init__(self) -> None:
        self.tiles = Tiles()
        self.full: dict[tuple[int, int], bytes] = {}
        self.reads: list[TileAddress] = []

    def append(self, hashes: list[bytes]) -> None:
        for tile in self.tiles.append(b"".join(hashes)):
            assert (tile.level, tile.index) not in self.full
            assert len(tile.hashes) == 8192
            self.full[tile.level, tile.index] = tile.hashes

    def read(self, level: int, index: int, width: int) -> bytes:
        self.reads.append(TileAddress(level, index, width))
        if (level, index) in self.full:
            return self.full[level, index]
        assert index == (self.tiles.size >> 8 * level) // 256
        return self.tiles.partials[level]


def stored(size: int) -> StoredTiles:
    store = StoredTiles()
    store.append(LEAVES[:size])
    return store


LARGE = stored(70_000)
sizes = st.integers(1, 600) | st.sampled_from([255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 69_999, 70_000])


@given(sizes)
def test_the_root_is_that_of_rfc_6962(size: int) -> None:
    assert stored(size).tiles.root() == tree_hash(size)


@given(sizes)
def test_an_earlier_root_can_be_had_from_later_tiles(size: int) -> None:
    assert merkle.root_at(size, LARGE.read) == tree_hash(size)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Tiles().root() == merkle.EMPTY_ROOT == sha256(b"").digest()
    assert merkle.root_at(0, LARGE.read) == merkle.EMPTY_ROOT
    assert Tiles().append(b"") == []


@given(sizes, st.data())
def test_an_inclusion_proof_is_that_of_rfc_6962_and_holds(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, LARGE.read)
    assert proof == audit_path(index, 0, size)
    merkle.verify_inclusion(index, size, LEAVES[index], proof, tree_hash(size))


@given(sizes, st.data())
def test_a_consistency_proof_is_that_of_rfc_6962_and_holds(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, LARGE.read)
    assert proof == subproof(old, 0, size, True)
    merkle.verify_consistency(old, size, proof, tree_hash(old), tree_hash(size))


@given(st.lists(st.integers(0, 700), max_size=8))
def test_groups_of_any_size_give_the_same_tree_as_one(groups: list[int]) -> None:
    grown, at = StoredTiles(), 0
    for count in groups:
        grown.append(LEAVES[at : at + count])
        at += count
    whole = stored(at)
    assert (grown.tiles.size, grown.tiles.root(), grown.full) == (at, whole.tiles.root(), whole.full)
    assert grown.tiles.partials == whole.tiles.partials or not at


@given(sizes, st.integers(0, 600))
def test_a_restored_tree_grows_on_as_if_it_had_never_stopped(size: int, more: int) -> None:
    assume(size + more <= 70_000)
    store = stored(size)
    for tiles in (Tiles.restore(size, store.tiles.partials), Tiles.load(size, store.read)):
        assert tiles.root() == store.tiles.root()
        copy = tiles.copy()
        tiles.append(b"".join(LEAVES[size : size + more]))
        assert tiles.root() == merkle.root_at(size + more, LARGE.read)
        assert (copy.size, copy.root()) == (size, store.tiles.root())


def test_a_tree_can_be_loaded_at_an_earlier_size() -> None:
    earlier = Tiles.load(300, LARGE.read)
    earlier.append(b"".join(LEAVES[300:600]))
    assert earlier.root() == tree_hash(600)


def test_an_inclusion_proof_costs_a_few_tile_reads() -> None:
    LARGE.reads.clear()
    merkle.inclusion_proof(12_345, 70_000, LARGE.read)
    assert len(LARGE.reads) <= 6
    assert len(set(LARGE.reads)) == len(LARGE.reads)


def test_a_prover_reads_each_tile_once_for_all_its_proofs() -> None:
    LARGE.reads.clear()
    prover = merkle.Prover(70_000, LARGE.read)
    for index in range(256, 512):
        assert len(prover.inclusion(index)) == 17
    assert len(set(LARGE.reads)) == len(LARGE.reads) <= 6


@given(sizes, st.data())
def test_a_changed_inclusion_claim_does_not_hold(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(index, size, LARGE.read), tree_hash(size)
    elsewhere = data.draw(st.integers(0, size + 3).filter(lambda other: other != index))
    with pytest.raises(ProofError):
        merkle.verify_inclusion(elsewhere, size, LEAVES[index], proof, root)
    for wrong in changed(proof, data):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(index, size, LEAVES[index], wrong, root)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index, size, flipped(LEAVES[index], data), proof, root)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index, size, LEAVES[index], proof, flipped(root, data))


@given(sizes, st.data())
def test_a_changed_consistency_claim_does_not_hold(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, LARGE.read)
    old_root, root = tree_hash(old), tree_hash(size)
    for wrong in changed(proof, data):
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, size, wrong, old_root, root)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, size, proof, flipped(old_root, data), root)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, size, proof, old_root, flipped(root, data))
    with pytest.raises(ProofError):
        merkle.verify_consistency(size + 1, size, proof, root, root)


def changed(proof: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    extra = data.draw(st.binary(min_size=32, max_size=32))
    wrong = [[*proof, extra], [extra, *proof], [*proof, b"short"]]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        wrong += [proof[:-1], proof[1:], [*proof[:at], flipped(proof[at], data), *proof[at + 1 :]]]
    return wrong


def flipped(value: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, 255))
    return (int.from_bytes(value) ^ 1 << bit).to_bytes(32)


def test_the_empty_tree_begins_every_tree() -> None:
    root = tree_hash(5)
    merkle.verify_consistency(0, 5, [], merkle.EMPTY_ROOT, root)
    merkle.verify_consistency(0, 0, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    assert merkle.consistency_proof(0, 5, LARGE.read) == []
    for old_root, new, new_root, proof in [
        (root, 5, root, []),
        (merkle.EMPTY_ROOT, 5, root, [root]),
        (merkle.EMPTY_ROOT, 0, root, []),
    ]:
        with pytest.raises(ProofError):
            merkle.verify_consistency(0, new, proof, old_root, new_root)


def test_one_size_has_one_root() -> None:
    with pytest.raises(ProofError):
        merkle.verify_consistency(5, 5, [], tree_hash(5), range_hash(1, 6))


@pytest.mark.parametrize("hashes", [b"", bytes(31), bytes(32 * 3), bytes(33)])
def test_only_perfect_trees_are_reduced(hashes: bytes) -> None:
    with pytest.raises(FormatError):
        merkle.reduce(hashes)


def test_what_cannot_be_appended_or_restored_is_refused() -> None:
    with pytest.raises(FormatError):
        Tiles().append(bytes(33))
    with pytest.raises(FormatError):
        Tiles.restore(3, [bytes(64)])
    with pytest.raises(FormatError):
        Tiles.restore(3, [])
    with pytest.raises(FormatError, match="fewer"):
        merkle.root_at(3, lambda level, index, width: bytes(64))


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_no_proof_is_made_for_an_entry_outside_the_tree(index: int) -> None:
    with pytest.raises(FormatError):
        merkle.inclusion_proof(index, 5, LARGE.read)


@given(
    st.integers(0, 63) | st.just("entries"),
    st.integers(0, (1 << 63) - 1) | st.integers(0, 2_000_000),
    st.integers(1, 256),
)
def test_a_tile_path_reads_back_as_its_address(level: int | str, index: int, width: int) -> None:
    assert merkle.parse_tile_path(merkle.tile_path(level, index, width)) == TileAddress(level, index, width)


@given(st.text("tile/0123456789xp.entris", max_size=40))
def test_other_paths_are_refused(path: str) -> None:
    try:
        address = merkle.parse_tile_path(path)
    except SyncError:
        return
    assert merkle.tile_path(address.level, address.index, address.width) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/1234",
        "tile/0/x123",
        "tile/0/../000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/-1/000",
        "tile/0/٠٠٠",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ],
)
def test_near_paths_are_refused(path: str) -> None:
    with pytest.raises(FormatError):
        merkle.parse_tile_path(path)
