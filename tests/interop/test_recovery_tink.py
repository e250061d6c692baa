"""The recovery key's wrapping against Google's tink, both ways: neither knows of the other's code."""

import os

import pytest
import tink
from tink import hybrid, secret_key_access
from tink.proto import hpke_pb2, tink_pb2

from deedbox_sync import recovery
from deedbox_sync.errors import FormatError, ProofError

SECRET = bytes(range(32))
PRIVATE = os.urandom(32)


def tink_handle(private: bytes) -> tink.KeysetHandle:
    hybrid.register()
    parameters = hpke_pb2.HpkeParams(
        kem=hpke_pb2.DHKEM_X25519_HKDF_SHA256, kdf=hpke_pb2.HKDF_SHA256, aead=hpke_pb2.AES_256_GCM
    )
    public = hpke_pb2.HpkePublicKey(params=parameters, public_key=recovery.public_key(private))
    data = tink_pb2.KeyData(
        type_url="type.googleapis.com/google.crypto.tink.HpkePrivateKey",
        value=hpke_pb2.HpkePrivateKey(public_key=public, private_key=private).SerializeToString(),
        key_material_type=tink_pb2.KeyData.ASYMMETRIC_PRIVATE,
    )
    key = tink_pb2.Keyset.Key(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW, key_data=data)
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[key]).SerializeToString()
    return tink.proto_keyset_format.parse(keyset, secret_key_access.TOKEN)


def test_tink_opens_what_we_wrap():
    wrapped = recovery.wrap_to_recovery(recovery.public_key(PRIVATE), SECRET)
    assert tink_handle(PRIVATE).primitive(hybrid.HybridDecrypt).decrypt(wrapped, b"deedbox/v1/spool") == SECRET


def test_we_open_what_tink_wraps():
    sender = tink_handle(PRIVATE).public_keyset_handle().primitive(hybrid.HybridEncrypt)
    assert recovery.unwrap(PRIVATE, sender.encrypt(SECRET, b"deedbox/v1/spool")) == SECRET


@pytest.mark.parametrize("place", [0, 31, 32, -1])
def test_a_changed_wrapping_is_refused(place):
    wrapped = bytearray(recovery.wrap_to_recovery(recovery.public_key(PRIVATE), SECRET))
    wrapped[place] ^= 1
    with pytest.raises(ProofError):
        recovery.unwrap(PRIVATE, bytes(wrapped))


def test_another_recovery_key_does_not_open_it():
    wrapped = recovery.wrap_to_recovery(recovery.public_key(PRIVATE), SECRET)
    with pytest.raises(ProofError):
        recovery.unwrap(os.urandom(32), wrapped)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), bytes(32), b"\x01" + bytes(31)])
def test_nothing_is_wrapped_to_a_key_that_keeps_no_secret(public):
    with pytest.raises(FormatError):
        recovery.wrap_to_recovery(public, SECRET)


def test_what_is_too_short_to_be_wrapped_is_refused():
    with pytest.raises(FormatError):
        recovery.unwrap(PRIVATE, bytes(47))
