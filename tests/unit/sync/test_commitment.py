from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync.commitment import FIELDS, Opening, commit, verify_opening
from deedbox_sync.errors import FormatError, ProofError
from sync_samples import digests

VALUES = {"case": bytes(16), "content": bytes(32), "person": b"box", "record": bytes(32), "statement": bytes(32)}


def test_the_commitment_is_a_hash_of_prefix_field_salt_and_value() -> None:
    salt = bytes(range(32))
    assert commit("person", salt, b"box") == sha256(b"deedbox/v1/person\x00" + salt + b"box").digest()


def test_every_field_can_be_committed_to() -> None:
    assert set(FIELDS) == set(VALUES)
    assert len({commit(field, bytes(32), VALUES[field]) for field in FIELDS}) == len(FIELDS)


@given(digests, digests)
def test_an_opening_holds_for_its_commitment(salt: bytes, value: bytes) -> None:
    verify_opening(Opening("content", salt, value), commit("content", salt, value))


@given(digests, digests, digests, digests)
def test_nothing_else_opens_it(salt: bytes, value: bytes, other_salt: bytes, other_value: bytes) -> None:
    commitment = commit("content", salt, value)
    for opening in (
        Opening("content", other_salt, value),
        Opening("content", salt, other_value),
        Opening("statement", salt, value),
    ):
        if opening != Opening("content", salt, value):
            with pytest.raises(ProofError):
                verify_opening(opening, commitment)


@pytest.mark.parametrize(
    ("field", "salt", "value"),
    [
        ("size", bytes(32), bytes(32)),
        ("content", bytes(31), bytes(32)),
        ("content", bytes(32), bytes(31)),
        ("case", bytes(32), bytes(32)),
        ("person", bytes(32), bytes(257)),
    ],
)
def test_what_is_no_commitment_is_refused(field: str, salt: bytes, value: bytes) -> None:
    with pytest.raises(FormatError):
        commit(field, salt, value)


@given(st.binary(max_size=40))
def test_garbage_never_opens(garbage: bytes) -> None:
    with pytest.raises(ProofError):
        verify_opening(Opening("person", bytes(32), b"box"), garbage)
