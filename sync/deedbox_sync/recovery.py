"""Wrapping a desk's spool key to the firm's recovery key: HPKE (RFC 9180), base mode, one message.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, info `deedbox/v1/spool`, no additional data. The wrapped form is
`enc` (32 bytes) followed by the ciphertext. It hides the secret and detects change; it does not say who wrapped it.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from deedbox_sync.errors import FormatError, ProofError

INFO: Final = b"deedbox/v1/spool"
KEY_BYTES: Final = 32
OVERHEAD: Final = 32 + 16  # encapsulated key and GCM tag

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def public_key(private: bytes) -> bytes:
    """The recovery public key (32 bytes) that grants carry, of the 32-byte private key in the keyring."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def wrap_to_recovery(public: bytes, secret: bytes) -> bytes:
    """The secret for the holder of the recovery key only. FormatError for a public key that is none."""
    if len(public) != KEY_BYTES:
        raise FormatError("recovery key", f"has {len(public)} bytes, {KEY_BYTES} are needed")
    try:
        return _SUITE.encrypt(secret, X25519PublicKey.from_public_bytes(public), INFO)
    except ValueError as error:  # a point of low order, to which nothing can be kept secret
        raise FormatError("recovery key", "is not a usable X25519 key") from error


def unwrap(private: bytes, wrapped: bytes) -> bytes:
    """What was wrapped. ProofError if it was wrapped to another key or has been changed."""
    if len(wrapped) < OVERHEAD:
        raise FormatError("wrapped key", "is too short")
    try:
        return _SUITE.decrypt(wrapped, X25519PrivateKey.from_private_bytes(private), INFO)
    except (InvalidTag, ValueError) as error:
        raise ProofError("the wrapped key was made for another recovery key, or was changed") from error
