"""Spooled copies: authentic to the byte, readable from any place, useless without the key, gone when nobody needs them."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from deedbox_desktop.engine.bytes_in_motion import Digest, SourceEnded
from deedbox_desktop.engine.model import SpoolRef
from deedbox_desktop.engine.spool import Spool, SpoolDamaged
from deedbox_desktop.engine.sync.sources import MemorySource
from deedbox_sync import tink_stream
from deedbox_sync.tink_stream import HEADER, SEGMENT, PartCipher

KEY = b"s" * 32
EDGES = [0, 1, SEGMENT - HEADER - 17, SEGMENT - HEADER - 16, SEGMENT - HEADER - 15, 2 * SEGMENT, 2 * SEGMENT + 7]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, KEY)


def test_a_pack_gives_each_content_back(spool: Spool, tmp_path: Path) -> None:
    contents = [os.urandom(size) for size in (0, 1, 100, SEGMENT + 5)]
    refs = spool.write_pack(contents)
    assert [spool.read(ref) for ref in refs] == contents
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("size", EDGES)
def test_a_large_content_is_hashed_on_its_way_and_comes_back(spool: Spool, size: int) -> None:
    content = os.urandom(size)
    digest, wanted = Digest(), Digest()
    ref = spool.write_source(MemorySource(content), size, digest)
    wanted.feed(memoryview(content), 0)
    assert digest.digest() == wanted.digest()
    assert spool.read(ref) == content


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spool, SpoolRef, bytes]:
    content = bytes(range(256)) * 12_000
    spool = Spool(tmp_path_factory.mktemp("spool"), KEY)
    return spool, spool.write_source(MemorySource(content), len(content), Digest()), content


@given(start=st.integers(0, 3_100_000), length=st.integers(0, 3_100_000))
def test_any_range_can_be_read(large: tuple[Spool, SpoolRef, bytes], start: int, length: int) -> None:
    spool, ref, content = large
    with spool.open(ref) as spooled:
        buffer = bytearray(length)
        count = spooled.read_into(memoryview(buffer), start)
    assert bytes(buffer[:count]) == content[start : start + length]


def test_a_flipped_bit_anywhere_is_noticed(spool: Spool, tmp_path: Path) -> None:
    [ref] = spool.write_pack([b"evidence" * 4])
    [path] = tmp_path.iterdir()
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x80]) + good[at + 1 :])
        with pytest.raises(SpoolDamaged):
            spool.read(ref)


def test_a_file_cut_short_or_gone_is_noticed(spool: Spool, tmp_path: Path) -> None:
    [ref] = spool.write_pack([b"evidence" * 4])
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SpoolDamaged):
        spool.read(ref)
    path.unlink()
    with pytest.raises(SpoolDamaged):
        spool.read(ref)


def test_items_cannot_be_exchanged(spool: Spool, tmp_path: Path) -> None:
    first, second = spool.write_pack([b"one one one", b"two two two"])
    [path] = tmp_path.iterdir()
    data = path.read_bytes()
    assert first.length == second.length
    path.write_bytes(data[second.offset :] + data[: second.offset])
    with pytest.raises(SpoolDamaged):
        spool.read(first)


def test_the_file_is_what_its_format_page_says(spool: Spool, tmp_path: Path) -> None:
    """Read by hand, from the page alone, with the spool key and nothing else."""
    spool.write_pack([b"one", b"two"])
    [path] = tmp_path.iterdir()
    name, data, found, at = bytes.fromhex(path.stem), path.read_bytes(), [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8])
        part = data[at + 8 : at + 8 + length]
        salt = name + at.to_bytes(8)
        key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"deedbox/v1/spool-part").derive(KEY)
        cipher = PartCipher(key, name + bytes(4) + bytes(16), part[:HEADER])
        found.append(cipher.open(0, True, part[HEADER:]))
        at += 8 + length
    assert found == [b"one", b"two"]


def test_nothing_of_a_content_is_readable_in_it(spool: Spool, tmp_path: Path) -> None:
    spool.write_pack([b"PLAINTEXT" * 100])
    assert all(b"PLAINTEXT" not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_source_that_ends_early_leaves_no_file(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(SourceEnded):
        spool.write_source(MemorySource(b"short"), 10, Digest())
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_removes_what_nobody_needs(spool: Spool, tmp_path: Path) -> None:
    [kept] = spool.write_pack([b"kept"])
    spool.write_pack([b"left by a crash"])
    assert spool.sweep({kept.file}) == 1
    assert [path.stem for path in tmp_path.iterdir()] == [kept.file]


def test_sizes_are_those_of_the_part(spool: Spool) -> None:
    [ref] = spool.write_pack([b"12345"])
    assert ref.length == tink_stream.ciphertext_length(5)
