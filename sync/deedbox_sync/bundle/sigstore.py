"""A Sigstore bundle v0.3 for a capture statement, so that tools which know Sigstore can check it with the device's key.

It carries the DSSE envelope and a hint for the key; there is no Rekor entry, since our own log holds the statement.
Verify with a pinned key, without a transparency log: `cosign verify-blob-attestation --key … --insecure-ignore-tlog`.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.dsse import PAYLOAD_TYPE, Envelope

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def encode_sigstore(envelope: Envelope, key: bytes) -> bytes:
    """The bundle for an envelope and the raw 32-byte Ed25519 key that verifies it.

    The hint is the base64 SHA-256 of the key's SubjectPublicKeyInfo, as cosign writes it.
    """
    spki = Ed25519PublicKey.from_public_bytes(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return canonical_json.encode(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": encode_base64(sha256(spki).digest())}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": encode_base64(envelope.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": "", "sig": encode_base64(envelope.signature)}],
            },
        }
    )


def encode_pem(key: bytes) -> bytes:
    """A raw 32-byte Ed25519 key as SubjectPublicKeyInfo PEM, which openssl reads."""
    return Ed25519PublicKey.from_public_bytes(key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
