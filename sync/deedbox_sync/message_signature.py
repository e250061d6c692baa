"""Signed machine calls: HTTP Message Signatures (RFC 9421) in one profile (`formats/message-signature.md`).

Values in, values out. Whether the nonce is new and who the key acts for is for the box to ask.
"""

from __future__ import annotations

import hmac
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.errors import FormatError, ProofError

KEY_LENGTH: Final = 32
WINDOW: Final = timedelta(seconds=60)  # how far `created` may be from the box's clock, either way
NONCE_LIFE: Final = 2 * WINDOW  # after that a message with it is too old, whatever it was dated
CONTENT_DIGEST: Final = "Content-Digest"
SIGNATURE_INPUT: Final = "Signature-Input"
SIGNATURE: Final = "Signature"

_INFO: Final = b"deedbox/v1/message"
_COMPONENTS: Final = '("@method" "@path" "@query" "content-digest")'
_NONCE_BYTES: Final = 16
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_SIGNATURE: Final = re.compile(r"deedbox=:([A-Za-z0-9+/]{43}=):")
_PARAMETERS: Final = re.compile(
    re.escape(f"deedbox={_COMPONENTS}")
    + r';created=([1-9][0-9]{0,14}|0);nonce="([A-Za-z0-9_-]{22})";keyid="([0-9a-f-]{36})"'
    r';alg="hmac-sha256"'
)


@dataclass(frozen=True)
class Signed:
    """What three headers say: the body's digest, who signed, when (POSIX seconds), and the signature. Not verified."""

    digest: bytes
    key_id: UUID
    created: int
    nonce: str
    signature: bytes


def message_key(api_key_text: str) -> bytes:
    """The key that signs calls, from an API key's text, which itself does not travel."""
    return HKDF(SHA256(), KEY_LENGTH, None, _INFO).derive(api_key_text.encode("ascii"))


def new_nonce() -> str:
    return urlsafe_b64encode(os.urandom(_NONCE_BYTES)).decode("ascii").rstrip("=")


def body_digest(body: bytes) -> bytes:
    return sha256(body).digest()


def sign(
    method: str, path: str, query: str, body_digest: bytes, key_id: UUID, key: bytes, created: int, nonce: str
) -> dict[str, str]:
    """The headers of one call. `path` and `query` (without `?`) as they stand in the request line; a nonce is used once."""
    told = Signed(body_digest, key_id, created, nonce, bytes(KEY_LENGTH))
    made = hmac.digest(key, signature_base(told, method, path, query), "sha256")
    headers = {
        CONTENT_DIGEST: _digest_header(body_digest),
        SIGNATURE_INPUT: f"deedbox={_parameters(told)}",
        SIGNATURE: f"deedbox=:{encode_base64(made)}:",
    }
    if parse(*([value] for value in headers.values())) != Signed(body_digest, key_id, created, nonce, made):
        raise FormatError("message signature", "does not read back as what was written")
    return headers


def parse(content_digest: Sequence[str], signature_input: Sequence[str], signature: Sequence[str]) -> Signed:
    """Each argument is all values of one header. FormatError unless each is there once and in the profile's one form."""
    digest = _only(_DIGEST, content_digest, CONTENT_DIGEST)
    parameters = _only(_PARAMETERS, signature_input, SIGNATURE_INPUT)
    value = _only(_SIGNATURE, signature, SIGNATURE)
    try:
        key_id = UUID(parameters[3])
    except ValueError as error:
        raise FormatError(SIGNATURE_INPUT, "has a keyid that is no UUID") from error
    if str(key_id) != parameters[3]:
        raise FormatError(SIGNATURE_INPUT, "has a keyid that is not a UUID in its usual form")
    return Signed(
        parse_base64(digest[1], where=CONTENT_DIGEST),
        key_id,
        int(parameters[1]),
        parameters[2],
        parse_base64(value[1], where=SIGNATURE),
    )


def verify(signed: Signed, *, method: str, path: str, query: str, body_digest: bytes, key: bytes) -> None:
    """ProofError unless the key signed this very request. Neither the time nor the nonce is looked at."""
    expected = hmac.digest(key, signature_base(signed, method, path, query), "sha256")
    right = hmac.compare_digest(expected, signed.signature)
    if not right or not hmac.compare_digest(signed.digest, body_digest):
        raise ProofError("the signature is not by this key over this request")


def signature_base(signed: Signed, method: str, path: str, query: str) -> bytes:
    """What is signed (RFC 9421 2.5). FormatError for a request line that is not ASCII."""
    lines = (
        f'"@method": {method}',
        f'"@path": {path}',
        f'"@query": ?{query}',
        f'"content-digest": {_digest_header(signed.digest)}',
        f'"@signature-params": {_parameters(signed)}',
    )
    try:
        return "\n".join(lines).encode("ascii")
    except UnicodeEncodeError as error:
        raise FormatError("request line", "is not ASCII") from error


def _parameters(signed: Signed) -> str:
    return f'{_COMPONENTS};created={signed.created};nonce="{signed.nonce}";keyid="{signed.key_id}";alg="hmac-sha256"'


def _digest_header(digest: bytes) -> str:
    return f"sha-256=:{encode_base64(digest)}:"


def _only(form: re.Pattern[str], values: Sequence[str], header: str) -> re.Match[str]:
    if len(values) != 1:
        raise FormatError(header, "is there more than once" if values else "is missing")
    found = form.fullmatch(values[0])
    if found is None:
        raise FormatError(header, "is not in the form of the profile")
    return found
