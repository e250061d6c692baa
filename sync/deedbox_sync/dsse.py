"""DSSE v1 envelopes with one Ed25519 signature and an empty `keyid` (github.com/secure-systems-lab/dsse, protocol.md).

The payload bytes are kept exactly as signed. Who the key belongs to is the caller's question.
"""

from binascii import b2a_base64
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deedbox_sync import canonical_json
from deedbox_sync.binary_text import parse_base64
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


def sign(payload: bytes, key: Ed25519PrivateKey, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    return Envelope(payload, key.sign(pae(payload_type, payload)))


def verify(envelope: Envelope, key: Ed25519PublicKey, payload_type: str = PAYLOAD_TYPE) -> None:
    """ProofError unless the signature is this key's over this payload as this type, and the key one that can bind anybody."""
    if what := problem(key.public_bytes_raw()):
        raise ProofError(f"the envelope's key {what}")
    try:
        key.verify(envelope.signature, pae(payload_type, envelope.payload))
    except InvalidSignature as error:
        raise ProofError("the envelope's signature is not by this key over this payload") from error


def encode(envelope: Envelope, payload_type: str = PAYLOAD_TYPE) -> bytes:
    middle = _middle(payload_type)
    data = b"".join((_HEAD, _base64(envelope.payload), middle, _base64(envelope.signature), _TAIL))
    if len(data) > MAX_ENVELOPE:
        raise FormatError("envelope", f"has {len(data)} bytes, at most {MAX_ENVELOPE} are allowed")
    return data


def parse(data: bytes, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """The payload and signature of an envelope in its one form; FormatError says what is wrong with any other."""
    between = _middle(payload_type)
    middle = data.find(between)
    if len(data) > MAX_ENVELOPE or middle < len(_HEAD) or not data.startswith(_HEAD) or not data.endswith(_TAIL):
        raise _fault(data, payload_type)
    payload = parse_base64(data[len(_HEAD) : middle].decode("latin-1"), where="envelope.payload")
    where = "envelope.signatures[0].sig"
    signature = parse_base64(data[middle + len(between) : -len(_TAIL)].decode("latin-1"), where=where)
    if len(signature) != SIGNATURE_LENGTH:
        raise FormatError(where, f"is not {SIGNATURE_LENGTH} bytes")
    return Envelope(payload, signature)


def _fault(data: bytes, payload_type: str) -> FormatError:
    """Why these bytes are not an envelope of ours: read member by member."""
    try:
        fields = Fields(canonical_json.parse_object(data, limit=MAX_ENVELOPE, where="envelope"), "envelope")
        fields.base64("payload")
        fields.literal("payloadType", payload_type)
        signatures = fields.objects("signatures")
        fields.done()
        if len(signatures) != 1:
            return fields.fault("signatures", "is not exactly one")
        signatures[0].literal("keyid", "")
        signatures[0].base64("sig")
        signatures[0].done()
    except FormatError as error:
        return error
    return FormatError("envelope", "is not in its one form")


def _base64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False)


@lru_cache(maxsize=8)  # there are two types
def _middle(payload_type: str) -> bytes:
    return b'","payloadType":"%s","signatures":[{"keyid":"","sig":"' % payload_type.encode()


# The canonical JSON of an envelope with one signature, around its texts, which need no escaping.
_HEAD = b'{"payload":"'
_TAIL = b'"}]}'
