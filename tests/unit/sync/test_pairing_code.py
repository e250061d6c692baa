"""Codes as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync.errors import FormatError
from deedbox_sync.pairing_code import NAMEPLATES, RANDOM_BYTES, new_code, parse_code

CODES = st.builds(new_code, st.integers(0, NAMEPLATES - 1), st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))


@given(CODES)
def test_a_code_reads_back_as_itself(code):
    assert parse_code(code.text) == code
    assert len(code.text) == 15


@given(CODES)
def test_case_hyphens_and_spaces_do_not_matter(code):
    assert parse_code(code.text.lower().replace("-", " ")) == code
    assert parse_code("  " + code.text.replace("-", "\u2013") + "\n") == code
    assert parse_code(code.text.replace("-", "")) == code


def test_letters_that_look_like_digits_are_taken_for_them():
    assert parse_code("OI2-oILlo-ABCDE").text == "012-01110-ABCDE"


def test_the_secret_uses_fifty_bits_of_the_randomness():
    assert new_code(0, b"\xff" * 7).text == "000-ZZZZZ-ZZZZZ"
    assert new_code(7, bytes(7)).text == "007-00000-00000"
    assert new_code(0, bytes(6) + b"\x40").secret == "0000000001"


@pytest.mark.parametrize(
    "text", ["", "123", "123-ABCDE-FGHU5", "A23-ABCDE-FGH45", "1234-ABCDE-FGH45", "1" * 65, "١٢٣-ABCDE-FGH45"]
)
def test_what_is_no_code_is_refused(text):
    with pytest.raises(FormatError):
        parse_code(text)


@given(st.text(max_size=80))
def test_any_text_is_a_code_or_a_format_error(text):
    try:
        code = parse_code(text)
    except FormatError:
        return
    assert parse_code(code.text) == code
