import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import possession
from deedbox_sync.errors import FormatError
from sync_samples import digests


@given(digests, digests, st.lists(st.binary(max_size=50)))
def test_the_mac_is_over_label_statement_and_all_bytes(nonce: bytes, digest: bytes, pieces: list[bytes]) -> None:
    proof = possession.mac(nonce, digest)
    for piece in pieces:
        proof.update(piece)
    whole = b"deedbox/v1/possession" + digest + b"".join(pieces)
    assert proof.digest() == hmac.digest(nonce, whole, sha256)
    assert proof.digest_size == possession.MAC_LENGTH


@pytest.mark.parametrize(("nonce", "digest"), [(b"", bytes(32)), (bytes(16), bytes(32)), (bytes(32), bytes(31))])
def test_other_lengths_are_refused(nonce: bytes, digest: bytes) -> None:
    with pytest.raises(FormatError):
        possession.mac(nonce, digest)
