import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import uuid7
from deedbox_sync.errors import FormatError


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
def test_time_version_and_variant_are_in_their_places(now_ms: int, random: bytes) -> None:
    value = uuid7.uuid7(now_ms, random)
    assert value.int >> 80 == now_ms
    assert value.version == 7
    assert value.variant == "specified in RFC 4122"


def test_later_milliseconds_sort_later() -> None:
    assert uuid7.uuid7(1, b"\xff" * 10) < uuid7.uuid7(2, bytes(10))


def test_a_new_one_is_of_now_and_unlike_the_next() -> None:
    before = time.time_ns() // 1_000_000
    one, other = uuid7.new(), uuid7.new()
    assert before <= one.int >> 80 <= time.time_ns() // 1_000_000
    assert one != other


@pytest.mark.parametrize(("now_ms", "random"), [(-1, bytes(10)), (1 << 48, bytes(10)), (0, bytes(9)), (0, bytes(16))])
def test_what_does_not_fit_is_refused(now_ms: int, random: bytes) -> None:
    with pytest.raises(FormatError):
        uuid7.uuid7(now_ms, random)


def test_the_example_of_rfc_9562_a_6() -> None:
    assert uuid7.uuid7(0x017F22E279B0, bytes.fromhex("0cc318c4dc0c0c07398f")) == UUID(
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    )
