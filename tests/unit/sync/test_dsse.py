import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import canonical_json, dsse
from deedbox_sync.dsse import MAX_ENVELOPE, PAYLOAD_TYPE, Envelope
from deedbox_sync.errors import FormatError, ProofError, SyncError
from sync_samples import KEY, assert_strict, mutated

envelopes = st.builds(Envelope, st.binary(max_size=60), st.binary(min_size=64, max_size=64))


@given(envelopes)
def test_an_envelope_reads_back_as_itself(envelope: Envelope) -> None:
    assert dsse.parse(dsse.encode(envelope)) == envelope


@given(st.data())
def test_mutated_envelopes_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = dsse.encode(data.draw(envelopes))
    assert_strict(dsse.parse, dsse.encode, data.draw(mutated(encoded)))


@given(st.data())
def test_no_mutation_of_a_signed_envelope_verifies(data: st.DataObject) -> None:
    encoded = dsse.encode(dsse.sign(b"what was said", KEY))
    changed = data.draw(mutated(encoded).filter(lambda bytes_: bytes_ != encoded))
    with pytest.raises(SyncError):
        dsse.verify(dsse.parse(changed), KEY.public_key())


def test_a_signature_holds_for_its_key_and_payload_only() -> None:
    envelope = dsse.sign(b"what was said", KEY)
    dsse.verify(envelope, KEY.public_key())
    with pytest.raises(ProofError):
        dsse.verify(Envelope(b"what was not said", envelope.signature), KEY.public_key())
    with pytest.raises(ProofError):
        dsse.verify(envelope, Ed25519PrivateKey.generate().public_key())


def test_lengths_in_what_is_signed_count_bytes() -> None:
    assert dsse.pae("tüp", "ä".encode()) == b"DSSEv1 4 t\xc3\xbcp 2 \xc3\xa4"


def test_an_envelope_is_at_most_64_kib() -> None:
    room = MAX_ENVELOPE - len(dsse.encode(Envelope(b"", bytes(64))))
    largest = room // 4 * 3
    assert len(dsse.encode(Envelope(bytes(largest), bytes(64)))) <= MAX_ENVELOPE
    with pytest.raises(FormatError, match="at most"):
        dsse.encode(Envelope(bytes(largest + 3), bytes(64)))


def variant(**changes: object) -> bytes:
    members = {"payload": "AA==", "payloadType": PAYLOAD_TYPE, "signatures": [{"keyid": "", "sig": "A" * 86 + "=="}]}
    return canonical_json.encode(members | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        variant(payloadType="application/json"),
        variant(payload="AA"),
        variant(payload="AB=="),
        variant(signatures=[]),
        variant(signatures=[{"keyid": "", "sig": "A" * 86 + "=="}] * 2),
        variant(signatures=[{"keyid": "k", "sig": "A" * 86 + "=="}]),
        variant(signatures=[{"sig": "A" * 86 + "=="}]),
        variant(signatures=[{"keyid": "", "sig": "AA=="}]),
        variant(signatures=[{"keyid": "", "sig": "A" * 86 + "==", "cert": ""}]),
        variant(extra=1),
        variant().replace(b'"payload":"AA=="', b'"payload":"'),
        variant().replace(b'"sig":"' + b"A" * 86 + b'=="', b'"sig":"'),
        variant().replace(b"AA==", b"\xffA=="),
        b" " + variant(),
        b"",
    ],
)
def test_other_envelopes_are_refused(data: bytes) -> None:
    assert dsse.parse(variant())
    with pytest.raises(FormatError):
        dsse.parse(data)
