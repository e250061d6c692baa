"""The tail record: bound to its blob, its part and its place; nothing else parses."""

import os
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.vault.errors import BlobDamaged
from deedbox_server.vault.key_rows import PartKey
from deedbox_server.vault.tail import open_tail, parse_tail, read_tail, seal_tail
from deedbox_sync.tink_stream import SEGMENT

KEY = PartKey(UUID(int=1), 2, UUID(int=3), bytes(range(32)))


@given(st.integers(0, 2**32 - 1), st.binary(max_size=300))
def test_what_was_sealed_is_opened(segments: int, tail: bytes) -> None:
    record = parse_tail(seal_tail(KEY, segments, tail), KEY.blob)
    assert (record.blob, record.case_key, record.part) == (KEY.blob, KEY.case_key, KEY.part)
    assert (record.segments, record.length) == (segments, len(tail))
    assert open_tail(record, KEY) == tail


def test_a_tail_may_be_a_whole_segment() -> None:
    tail = os.urandom(SEGMENT)
    assert open_tail(parse_tail(seal_tail(KEY, 7, tail), KEY.blob), KEY) == tail


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BlobDamaged):
        parse_tail(data, KEY.blob)


def test_every_flipped_bit_and_every_cut_is_refused() -> None:
    data = seal_tail(KEY, 5, b"the rest")
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(BlobDamaged):
            open_tail(parse_tail(bytes(changed), KEY.blob), KEY)
    for length in range(len(data)):
        with pytest.raises(BlobDamaged):
            open_tail(parse_tail(data[:length], KEY.blob), KEY)


def test_it_does_not_open_under_another_parts_key() -> None:
    record = parse_tail(seal_tail(KEY, 5, b"the rest"), KEY.blob)
    for other in (PartKey(KEY.blob, 3, KEY.case_key, KEY.key), PartKey(KEY.blob, 2, KEY.case_key, bytes(32))):
        with pytest.raises(BlobDamaged):
            open_tail(record, other)


def test_two_records_of_one_part_share_neither_salt_nor_nonce() -> None:
    one, other = (parse_tail(seal_tail(KEY, 5, b"the rest"), KEY.blob) for _ in range(2))
    assert one.salt != other.salt
    assert one.nonce != other.nonce


def test_no_record_is_none_and_a_record_of_another_blob_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tail"
    assert read_tail(path, KEY.blob) is None
    path.write_bytes(seal_tail(KEY, 5, b"the rest"))
    assert read_tail(path, KEY.blob) is not None
    with pytest.raises(BlobDamaged):
        read_tail(path, UUID(int=9))
