"""One row for the salts of one log entry: exact both ways, and damage is named."""

import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.vault.errors import DamagedKeys
from deedbox_server.vault.key_rows import Salts
from deedbox_server.vault.salts import pack_salts, parse_salts
from deedbox_sync.commitment import FIELDS

RECORD = UUID(int=7)


@given(st.dictionaries(st.sampled_from(FIELDS), st.binary(min_size=32, max_size=32)))
def test_salts_read_back_as_they_were_packed(by_field: dict[str, bytes]) -> None:
    assert parse_salts(RECORD, pack_salts(Salts(RECORD, by_field))) == by_field


@given(st.binary(max_size=170))
def test_bytes_that_no_salts_pack_to_are_damaged_keys(packed: bytes) -> None:
    try:
        by_field = parse_salts(RECORD, packed)
    except DamagedKeys:
        return
    assert pack_salts(Salts(RECORD, by_field)) == packed


@pytest.mark.parametrize("by_field", [{"colour": bytes(32)}, {"case": bytes(31)}, {"case": bytes(65)}])
def test_what_is_no_salt_is_not_packed(by_field: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="salts"):
        pack_salts(Salts(RECORD, by_field))


def test_every_field_of_the_log_has_a_number() -> None:
    packed = pack_salts(Salts(RECORD, {field: os.urandom(32) for field in FIELDS}))
    assert [packed[at] for at in range(0, len(packed), 33)] == [1, 2, 3, 4, 5]
