"""DSSE v1 envelopes with one Ed25519 signature and an empty `keyid` (github.com/secure-systems-lab/dsse, protocol.md).

The payload bytes are kept exactly as signed. Who the key belongs to is the caller's question.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields
from deedbox_sync.ed25519 import problem
from deedbox_sync.errors import FormatError, ProofError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
# A statement is a page of facts; 64 KiB leaves room for many extended attributes.
MAX_ENVELOPE = 65_536
SIGNATURE_LENGTH = 64


@dataclass(frozen=True)
class Envelope:
    """A payload and the signature over its pre-authentication encoding; not yet verified."""

    payload: bytes
    signature: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding that is signed; both lengths count bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, key: Ed25519PrivateKey) -> Envelope:
    return Envelope(payload, key.sign(pae(PAYLOAD_TYPE, payload)))


def verify(envelope: Envelope, key: Ed25519PublicKey) -> None:
    """ProofError unless the signature is this key's over this payload, and the key one that can bind anybody."""
    if what := problem(key.public_bytes_raw()):
        raise ProofError(f"the envelope's key {what}")
    try:
        key.verify(envelope.signature, pae(PAYLOAD_TYPE, envelope.payload))
    except InvalidSignature as error:
        raise ProofError("the envelope's signature is not by this key over this payload") from error


def encode(envelope: Envelope) -> bytes:
    data = canonical_json.encode(
        {
            "payload": encode_base64(envelope.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": "", "sig": encode_base64(envelope.signature)}],
        }
    )
    if len(data) > MAX_ENVELOPE:
        raise FormatError("envelope", f"has {len(data)} bytes, at most {MAX_ENVELOPE} are allowed")
    return data


def parse(data: bytes) -> Envelope:
    fields = Fields(canonical_json.parse_object(data, limit=MAX_ENVELOPE, where="envelope"), "envelope")
    payload = fields.base64("payload")
    fields.literal("payloadType", PAYLOAD_TYPE)
    signatures = fields.objects("signatures")
    fields.done()
    if len(signatures) != 1:
        raise fields.fault("signatures", "is not exactly one")
    signature = signatures[0]
    signature.literal("keyid", "")
    value = signature.base64("sig")
    signature.done()
    if len(value) != SIGNATURE_LENGTH:
        raise signature.fault("sig", f"is not {SIGNATURE_LENGTH} bytes")
    return Envelope(payload, value)
