"""Envelopes against securesystemslib, the DSSE authors' own library: each verifies what the other signed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from deedbox_sync import canonical_json, dsse, statement
from deedbox_sync.dsse import PAYLOAD_TYPE
from deedbox_sync.errors import FormatError
from sync_samples import KEY, capture_statement

NAMED = SSlibKey.from_crypto(KEY.public_key())
SIGNER = CryptoSigner(KEY, SSlibKey("", NAMED.keytype, NAMED.scheme, NAMED.keyval))  # ours have no key id


@given(st.text(max_size=40), st.binary(max_size=200))
def test_both_sign_the_same_bytes(kind: str, payload: bytes) -> None:
    assert dsse.pae(kind, payload) == TheirEnvelope(payload, kind, {}).pae()


@given(st.binary(max_size=200))
@settings(max_examples=25)
def test_they_verify_what_we_sign(payload: bytes) -> None:
    theirs = TheirEnvelope.from_dict(json.loads(dsse.encode(dsse.sign(payload, KEY))))
    assert theirs.payload == payload
    assert theirs.verify([SIGNER.public_key], 1) == {"": SIGNER.public_key}


def test_they_refuse_what_we_did_not_sign() -> None:
    envelope = dsse.Envelope(b"other", dsse.sign(b"payload", KEY).signature)
    with pytest.raises(VerificationError):
        TheirEnvelope.from_dict(json.loads(dsse.encode(envelope))).verify([SIGNER.public_key], 1)


def test_we_verify_what_they_sign() -> None:
    payload = statement.encode_payload(capture_statement())
    theirs = TheirEnvelope(payload, PAYLOAD_TYPE, {})
    theirs.sign(SIGNER)
    encoded = canonical_json.encode(theirs.to_dict())
    dsse.verify(dsse.parse(encoded), KEY.public_key())
    assert encoded == dsse.encode(dsse.sign(payload, KEY))


def test_their_spaced_json_is_refused_since_an_envelope_has_one_form() -> None:
    theirs = TheirEnvelope(b"payload", PAYLOAD_TYPE, {})
    theirs.sign(SIGNER)
    with pytest.raises(FormatError, match="canonical"):
        dsse.parse(json.dumps(theirs.to_dict()).encode())
