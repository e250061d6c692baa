"""Renewal of a device certificate, signed by the statement key: an expired device may renew (formats/pairing.md)."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields
from deedbox_sync.device_certificate import (
    TlsPrivateKey,
    certificate_request,
    parse_certificate,
    verify_device_certificate,
)
from deedbox_sync.errors import ProofError
from deedbox_sync.pairing import Answer, Call, Entropy
from deedbox_sync.pairing_messages import MAX_OFFER, RenewRequest, encode_renew, parse_renew_answer

RENEW_PATH: Final = "/pair/v1/renew"
WINDOW: Final = timedelta(
    minutes=10
)  # what a desk's clock may be off; nonces are remembered for longer than twice that
NONCE_BYTES: Final = 16

_LABEL: Final = b"deedbox/v1/renew"


@dataclass(frozen=True)
class Renewal:
    """What a desk asks for: a certificate for the key of `csr`, once."""

    device: UUID
    csr: str
    nonce: bytes
    time: datetime


def encode_renewal(renewal: Renewal) -> bytes:
    return canonical_json.encode(
        {
            "csr": renewal.csr,
            "device": str(renewal.device),
            "nonce": renewal.nonce.hex(),
            "time": timestamp.encode(renewal.time),
            "v": 1,
        }
    )


def parse_renewal(message: bytes) -> Renewal:
    """Says who claims to ask; believe it only after `verify_renewal`."""
    fields = Fields(canonical_json.parse_object(message, limit=MAX_OFFER, where="renewal"), "renewal")
    fields.literal("v", 1)
    renewal = Renewal(fields.uuid("device"), fields.text("csr"), fields.hex("nonce", NONCE_BYTES), fields.time("time"))
    fields.done()
    return renewal


def sign_renewal(renewal: Renewal, statement_key: Ed25519PrivateKey) -> RenewRequest:
    message = encode_renewal(renewal)
    return RenewRequest(message, statement_key.sign(_LABEL + message))


def verify_renewal(request: RenewRequest, statement_key: bytes) -> None:
    """Promises that the holder of the statement key signed this message; neither time nor nonce is looked at."""
    try:
        Ed25519PublicKey.from_public_bytes(statement_key).verify(request.signature, _LABEL + request.message)
    except (InvalidSignature, ValueError) as error:
        raise ProofError("the renewal is not signed by this device's statement key") from error


def in_window(renewal: Renewal, now: datetime) -> bool:
    return abs(renewal.time - now) <= WINDOW


def desk_renewal(
    device: UUID,
    *,
    tls_key: TlsPrivateKey,
    statement_key: Ed25519PrivateKey,
    authority: x509.Certificate,
    now: datetime,
    entropy: Entropy = os.urandom,
) -> Generator[Call, Answer, str]:
    """The desk's side: one call, and the new certificate as PEM. A call without an answer is made anew, not again:
    its nonce may be spent."""
    renewal = Renewal(device, certificate_request(tls_key), entropy(NONCE_BYTES), now)
    answer = yield Call(RENEW_PATH, encode_renew(sign_renewal(renewal, statement_key)))
    certificate = parse_renew_answer(answer.body)
    verify_device_certificate(
        parse_certificate(certificate, where="renewed certificate"),
        authority=authority,
        device=device,
        key=tls_key.public_key(),
        now=now,
    )
    return certificate
