"""One secret wrapped by another: nonce(12) ‖ AES-256-GCM, AAD is the secret's name (formats/keys.md)."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deedbox_server.vault.errors import DamagedKeys

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
WRAPPED_BYTES = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_PREFIX = b"deedbox/v1/wrap/"


def wrap(key: bytes, name: str, secret: bytes) -> bytes:
    """Wrap a 32-byte secret. The nonce is random: no key here nears its 2^32 secrets (SP 800-38D 8.3)."""
    if len(secret) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, _PREFIX + name.encode())


def unwrap(key: bytes, name: str, wrapped: bytes) -> bytes:
    """The 32-byte secret; DamagedKeys where key, name and bytes do not belong together."""
    if len(wrapped) != WRAPPED_BYTES:
        raise DamagedKeys(f"{name} does not have the length of a wrapped key")
    try:
        return AESGCM(key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _PREFIX + name.encode())
    except InvalidTag as error:
        raise DamagedKeys(f"{name} does not unwrap: other key, or changed bytes") from error
