import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deedbox_sync import tink_stream
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.tink_stream import HEADER, MAX_SEGMENTS, SEGMENT, TAG, PartCipher

KEY, AAD = bytes(range(32)), b"blob, part, case key"
PREFIX = bytes([HEADER]) + bytes(range(39))
FIRST, LATER = SEGMENT - HEADER - TAG, SEGMENT - TAG
lengths = st.integers(0, 1 << 40) | st.sampled_from(
    [0, 1, FIRST - 1, FIRST, FIRST + 1, FIRST + LATER, FIRST + LATER + 1]
)


def cipher(key: bytes = KEY, aad: bytes = AAD, header: bytes = PREFIX) -> PartCipher:
    return PartCipher(key, aad, header)


def seal(text: bytes, index: int = 0, last: bool = True) -> bytes:
    out = bytearray(len(text) + TAG)
    assert cipher().seal_into(index, last, text, out) == len(out)
    return bytes(out)


@given(lengths)
def test_lengths_have_an_inverse(plain: int) -> None:
    length = tink_stream.ciphertext_length(plain)
    assert tink_stream.plaintext_length(length) == plain
    assert length == HEADER + plain + TAG * tink_stream.segment_count(plain)


@given(st.integers(0, 3 * SEGMENT) | lengths)
def test_a_length_that_no_finished_part_has_is_refused(length: int) -> None:
    try:
        plain = tink_stream.plaintext_length(length)
    except FormatError:
        return
    assert tink_stream.ciphertext_length(plain) == length


@given(lengths)
def test_an_offset_is_in_one_segment_and_segments_lie_end_to_end(offset: int) -> None:
    index, inside = tink_stream.segment_at(offset)
    assert 0 <= inside < tink_stream.plaintext_capacity(index)
    before = index and FIRST + (index - 1) * LATER
    assert before + inside == offset
    end = tink_stream.segment_start(index) + tink_stream.plaintext_capacity(index) + TAG
    assert end == (index + 1) * SEGMENT == tink_stream.segment_start(index + 1)


def test_the_edges_of_the_first_two_segments() -> None:
    assert [tink_stream.segment_count(n) for n in (0, 1, FIRST, FIRST + 1, FIRST + LATER, FIRST + LATER + 1)] == [
        1,
        1,
        1,
        2,
        2,
        3,
    ]
    assert tink_stream.segment_at(FIRST - 1) == (0, FIRST - 1)
    assert tink_stream.segment_at(FIRST) == (1, 0)
    assert tink_stream.segment_at(FIRST + LATER) == (2, 0)
    assert tink_stream.ciphertext_length(0) == HEADER + TAG


@pytest.mark.parametrize("length", [-1, 0, HEADER, HEADER + TAG - 1, SEGMENT + 1, SEGMENT + TAG])
def test_truncated_lengths_are_refused(length: int) -> None:
    with pytest.raises(FormatError):
        tink_stream.plaintext_length(length)


def test_a_part_longer_than_its_segment_numbers_is_refused() -> None:
    longest = FIRST + (MAX_SEGMENTS - 1) * LATER
    assert tink_stream.segment_count(longest) == MAX_SEGMENTS
    assert tink_stream.plaintext_length(tink_stream.ciphertext_length(longest)) == longest
    with pytest.raises(FormatError):
        tink_stream.ciphertext_length(longest + 1)
    with pytest.raises(FormatError):
        tink_stream.plaintext_length(MAX_SEGMENTS * SEGMENT + TAG + 1)


@given(st.binary(max_size=200))
def test_a_last_segment_opens_as_what_was_sealed(text: bytes) -> None:
    sealed = seal(text)
    assert cipher().open(0, True, sealed) == text
    room = bytearray(300)
    assert cipher().open_into(0, True, sealed, room) == len(text)
    assert room == text + bytes(300 - len(text))


def test_full_segments_follow_each_other() -> None:
    sealing, opening = cipher(), cipher()
    text = bytes(FIRST) + bytes([1]) * LATER + b"the end"
    pieces = [(0, False, text[:FIRST]), (1, False, text[FIRST:-7]), (2, True, text[-7:])]
    out = bytearray(SEGMENT)
    opened = b""
    for index, last, piece in pieces:
        length = sealing.seal_into(index, last, memoryview(piece), memoryview(out))
        opened += opening.open(index, last, memoryview(out)[:length])
    assert opened == text


@given(st.binary(min_size=1, max_size=50), st.data())
@settings(max_examples=50)
def test_a_turned_bit_anywhere_is_noticed_and_no_text_is_given_out(text: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(text))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofError):
        cipher().open(0, True, sealed)
    room = bytearray(b"\xaa" * len(text))
    with pytest.raises(ProofError):
        cipher().open_into(0, True, sealed, room)
    assert room == bytes(len(text))


def test_a_segment_opens_only_in_its_place_and_under_its_part() -> None:
    sealed = seal(b"x" * LATER, index=1, last=False)
    assert cipher().open(1, False, sealed) == b"x" * LATER
    for index, last in [(1, True), (2, False), (2, True)]:
        with pytest.raises(ProofError):
            cipher().open(index, last, sealed)
    other_salt = PREFIX[:1] + bytes([255]) + PREFIX[2:]
    other_nonce = PREFIX[:-1] + bytes([255])
    for other in (cipher(key=bytes(32)), cipher(aad=b"other"), cipher(header=other_salt), cipher(header=other_nonce)):
        with pytest.raises(ProofError):
            other.open(1, False, sealed)


def test_one_object_never_seals_twice_under_one_nonce() -> None:
    sealing, out = cipher(), bytearray(SEGMENT)
    sealing.seal_into(0, False, bytes(FIRST), out)
    with pytest.raises(FormatError, match="already"):
        sealing.seal_into(0, False, bytes(FIRST), out)
    sealing.seal_into(1, True, b"end", out)
    for index in (1, 2):
        with pytest.raises(FormatError, match="already"):
            sealing.seal_into(index, True, b"end", out)


def test_an_unfinished_part_is_closed_at_the_segment_it_had_reached() -> None:
    closing, out = cipher(), bytearray(SEGMENT)
    length = closing.seal_into(5, True, b"tail", out)
    assert cipher().open(5, True, memoryview(out)[:length]) == b"tail"


@pytest.mark.parametrize(
    ("index", "last", "length"),
    [
        (0, False, FIRST - 1),
        (0, False, FIRST + 1),
        (0, True, FIRST + 1),
        (1, False, FIRST),
        (1, True, 0),
        (1, True, LATER + 1),
        (-1, True, 1),
        (MAX_SEGMENTS, True, 1),
    ],
)
def test_segments_of_another_shape_are_neither_sealed_nor_opened(index: int, last: bool, length: int) -> None:
    with pytest.raises(FormatError):
        cipher().seal_into(index, last, bytes(length), bytearray(length + TAG))
    with pytest.raises(FormatError):
        cipher().open(index, last, bytes(length + TAG))
    with pytest.raises(FormatError):
        cipher().open_into(index, last, bytes(length + TAG), bytearray(length))


def test_a_segment_shorter_than_its_tag_is_refused() -> None:
    with pytest.raises(FormatError):
        cipher().open(0, True, bytes(TAG - 1))
    with pytest.raises(FormatError):
        cipher().open_into(0, True, bytes(TAG - 1), bytearray(1))


@pytest.mark.parametrize("header", [b"", bytes(HEADER), PREFIX[:-1], PREFIX + b"\0", bytes([HEADER - 1]) + PREFIX[1:]])
def test_other_headers_are_refused(header: bytes) -> None:
    with pytest.raises(FormatError):
        cipher(header=header)


def test_other_keys_are_refused() -> None:
    for length in (0, 16, 31, 33):
        with pytest.raises(FormatError):
            cipher(key=bytes(length))


def test_headers_are_never_the_same() -> None:
    one, other = tink_stream.new_header(), tink_stream.new_header()
    assert len(one) == HEADER
    assert one[0] == HEADER
    assert one != other
