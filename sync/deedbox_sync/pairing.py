"""Pairing: how a desk and a box that share a short code come to share keys (formats/pairing.md). No sockets.

The desk's side is a generator of `Call`s, fed with `Answer`s. The box's side is three steps around the one thing it
stores, an `Exchange`. SPAKE2 (the `spake2` library, Ed25519 group, RFC 9382's shape but not its encoding) gives a key
that both share only if both knew the code; it does not confirm that, so each side proves it by an HMAC over all that
was said, the desk first. `spake2` is plain Python and not constant in time: a code is used for one pairing and burns
after three tries, which leaves nothing to measure.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from spake2 import SPAKE2_A, SPAKE2_B  # type: ignore[import-untyped]
from spake2.ed25519_basic import NotOnCurve, Q  # type: ignore[import-untyped]
from spake2.spake2 import SPAKEError  # type: ignore[import-untyped]

from deedbox_sync.device_certificate import (
    TlsPrivateKey,
    certificate_request,
    parse_certificate,
    verify_authority,
    verify_device_certificate,
    verify_listener_certificate,
)
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.pairing_code import Code
from deedbox_sync.pairing_messages import (
    SPAKE2_BYTES,
    FinishRequest,
    Grant,
    Offer,
    StartRequest,
    encode_finish,
    encode_offer,
    encode_start,
    parse_finish_answer,
    parse_grant,
    parse_start_answer,
)

START_PATH: Final = "/pair/v1/start"
FINISH_PATH: Final = "/pair/v1/finish"

_DESK: Final = b"deedbox/v1/desk"
_BOX: Final = b"deedbox/v1/box"
_KEY_LABEL: Final = b"deedbox/v1/pair/"

Entropy: TypeAlias = Callable[[int], bytes]


@dataclass(frozen=True)
class Call:
    """A POST for the desk to make. If no answer comes it may be made again: the outcome is the same."""

    path: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """The body that came back, and the DER certificate that the connection showed."""

    body: bytes
    peer: bytes


@dataclass(frozen=True)
class Exchange:
    """What the box keeps between start and finish: no code, no SPAKE2 secret, only the keys that follow from them."""

    transcript: bytes
    desk_key: bytes
    box_key: bytes


def desk_pairing(
    code: Code,
    *,
    name: str,
    platform: str,
    tls_key: TlsPrivateKey,
    statement_key: bytes,
    now: datetime,
    entropy: Entropy = os.urandom,
) -> Generator[Call, Answer, Grant]:
    """The desk's side. Returns a grant only from a box that knew the code and was spoken to without a go-between.

    ProofError: the other side did not know the code, changed something, or the connection was not the box's own.
    FormatError: an answer is not one. In either case nothing in the answers may be kept, and a new code is needed.
    """
    side = SPAKE2_A(code.password, idA=_DESK, idB=_BOX, entropy_f=entropy)
    message: bytes = side.start()
    start = parse_start_answer((yield Call(START_PATH, encode_start(StartRequest(code.nameplate, message)))).body)
    key = _finish(side, b"B", start.message)
    exchange = _exchange(code.nameplate, message, start.message, key)
    offer = encode_offer(Offer(certificate_request(tls_key), name, platform, statement_key))
    request = FinishRequest(start.exchange, offer, _desk_mac(exchange, offer))
    answer = yield Call(FINISH_PATH, encode_finish(request))
    finish = parse_finish_answer(answer.body)
    if not hmac.compare_digest(finish.mac, box_mac(exchange, offer, finish.grant)):
        raise ProofError("the other side does not know the code, or what it sent was changed on the way")
    grant = parse_grant(finish.grant)
    authority = parse_certificate(grant.ca, where="grant.ca")
    verify_authority(authority, now=now)
    verify_listener_certificate(answer.peer, authority=authority, now=now)
    verify_device_certificate(
        parse_certificate(grant.certificate, where="grant.certificate"),
        authority=authority,
        device=grant.device,
        key=tls_key.public_key(),
        now=now,
    )
    return grant


def answer_start(code: Code, message: bytes, entropy: Entropy = os.urandom) -> tuple[Exchange, bytes]:
    """The box's first step: what to keep, and the message to answer with. Says nothing about whether the desk knew
    the code. FormatError for a message that is no proper group element."""
    side = SPAKE2_B(code.password, idA=_DESK, idB=_BOX, entropy_f=entropy)
    reply: bytes = side.start()
    key = _finish(side, b"A", message)
    return _exchange(code.nameplate, message, reply, key), reply


def verify_offer(exchange: Exchange, offer: bytes, mac: bytes) -> None:
    """The box's second step: promises that these bytes come from someone who knew the code."""
    if not hmac.compare_digest(mac, _desk_mac(exchange, offer)):
        raise ProofError("the other side does not know the code")


def box_mac(exchange: Exchange, offer: bytes, grant: bytes) -> bytes:
    """The box's last step: what proves to the desk that the box knew the code and saw just this offer."""
    said = exchange.transcript + hashlib.sha256(offer).digest() + hashlib.sha256(grant).digest()
    return hmac.digest(exchange.box_key, said, "sha256")


def encode_exchange(exchange: Exchange) -> bytes:
    """How a box stores an exchange: 96 bytes, secret."""
    return exchange.transcript + exchange.desk_key + exchange.box_key


def parse_exchange(data: bytes) -> Exchange:
    if len(data) != 96:
        raise FormatError("exchange", "is not 96 bytes")
    return Exchange(data[:32], data[32:64], data[64:])


def _desk_mac(exchange: Exchange, offer: bytes) -> bytes:
    return hmac.digest(exchange.desk_key, exchange.transcript + hashlib.sha256(offer).digest(), "sha256")


def _exchange(nameplate: str, message_a: bytes, message_b: bytes, key: bytes) -> Exchange:
    transcript = hashlib.sha256(nameplate.encode("ascii") + message_a + message_b).digest()
    return Exchange(transcript, _derive(key, transcript, b"desk"), _derive(key, transcript, b"box"))


def _derive(key: bytes, transcript: bytes, end: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=transcript, info=_KEY_LABEL + end).derive(key)


def _finish(side: SPAKE2_A | SPAKE2_B, sender: bytes, message: bytes) -> bytes:
    """The SPAKE2 key. The library refuses zero, low order and reflection, but takes a too long message and a coordinate
    beyond the field: both are refused here, so that there is one message for each element."""
    coordinate = int.from_bytes(message[1:], "little") & ((1 << 255) - 1)
    if len(message) != SPAKE2_BYTES or message[:1] != sender or coordinate >= Q:
        raise FormatError("SPAKE2 message", "is not a message of the other side")
    try:
        key: bytes = side.finish(message)
    except (SPAKEError, NotOnCurve, ValueError) as error:
        raise FormatError("SPAKE2 message", "is not an element of the group") from error
    return key
