"""The messages of pairing and renewal, byte for byte as `formats/pairing.md` gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError

MAX_BODY: Final = 64 << 10  # every body of /pair/v1; a grant, the largest, has some 4 KiB
MAX_OFFER: Final = 8 << 10
MAX_GRANT: Final = 32 << 10
MAX_LABEL: Final = 100  # characters of a device's or platform's name: what a list of devices can show
SPAKE2_BYTES: Final = 33  # the side's letter and one group element
MAC_BYTES: Final = 32
EXCHANGE_BYTES: Final = 16
KEY_BYTES: Final = 32


@dataclass(frozen=True)
class StartRequest:
    nameplate: str
    message: bytes


@dataclass(frozen=True)
class StartAnswer:
    exchange: str
    message: bytes


@dataclass(frozen=True)
class FinishRequest:
    """`offer` stays as bytes: the mac is over them, and they are read only once it holds."""

    exchange: str
    offer: bytes
    mac: bytes


@dataclass(frozen=True)
class FinishAnswer:
    grant: bytes
    mac: bytes


@dataclass(frozen=True)
class Offer:
    """What a desk asks to be known by. `csr` is PEM; `statement_key` is a raw Ed25519 public key."""

    csr: str
    name: str
    platform: str
    statement_key: bytes


@dataclass(frozen=True)
class Grant:
    """What a box gives a desk it has paired with. Certificates are PEM; `recovery_key` is a raw X25519 public key."""

    account: UUID
    account_name: str
    device: UUID
    certificate: str
    ca: str
    device_url: str
    origin: str
    vkey: str
    recovery_key: bytes


@dataclass(frozen=True)
class RenewRequest:
    """`message` stays as bytes: the signature is over them."""

    message: bytes
    signature: bytes


def encode_start(request: StartRequest) -> bytes:
    return canonical_json.encode({"message": encode_base64(request.message), "nameplate": request.nameplate})


def parse_start(body: bytes) -> StartRequest:
    fields = _fields(body, "pairing start", MAX_BODY)
    nameplate = fields.text("nameplate")
    if len(nameplate) != 3 or not (nameplate.isascii() and nameplate.isdigit()):
        raise fields.fault("nameplate", "is not three digits")
    request = StartRequest(nameplate, _base64(fields, "message", SPAKE2_BYTES))
    fields.done()
    return request


def encode_start_answer(answer: StartAnswer) -> bytes:
    return canonical_json.encode({"exchange": answer.exchange, "message": encode_base64(answer.message)})


def parse_start_answer(body: bytes) -> StartAnswer:
    fields = _fields(body, "pairing start answer", MAX_BODY)
    answer = StartAnswer(fields.hex("exchange", EXCHANGE_BYTES).hex(), _base64(fields, "message", SPAKE2_BYTES))
    fields.done()
    return answer


def encode_finish(request: FinishRequest) -> bytes:
    return canonical_json.encode(
        {"exchange": request.exchange, "mac": request.mac.hex(), "offer": encode_base64(request.offer)}
    )


def parse_finish(body: bytes) -> FinishRequest:
    fields = _fields(body, "pairing finish", MAX_BODY)
    request = FinishRequest(
        fields.hex("exchange", EXCHANGE_BYTES).hex(), fields.base64("offer"), fields.hex("mac", MAC_BYTES)
    )
    fields.done()
    return request


def encode_finish_answer(answer: FinishAnswer) -> bytes:
    return canonical_json.encode({"grant": encode_base64(answer.grant), "mac": answer.mac.hex()})


def parse_finish_answer(body: bytes) -> FinishAnswer:
    fields = _fields(body, "pairing finish answer", MAX_BODY)
    answer = FinishAnswer(fields.base64("grant"), fields.hex("mac", MAC_BYTES))
    fields.done()
    return answer


def encode_offer(offer: Offer) -> bytes:
    return canonical_json.encode(
        {
            "csr": offer.csr,
            "name": offer.name,
            "platform": offer.platform,
            "statement_key": offer.statement_key.hex(),
            "v": 1,
        }
    )


def parse_offer(data: bytes) -> Offer:
    """Strict in form; the request inside is checked by whoever issues the certificate."""
    fields = _fields(data, "offer", MAX_OFFER)
    fields.literal("v", 1)
    offer = Offer(
        csr=fields.text("csr"),
        name=_label(fields, "name"),
        platform=_label(fields, "platform"),
        statement_key=fields.hex("statement_key", KEY_BYTES),
    )
    fields.done()
    return offer


def encode_grant(grant: Grant) -> bytes:
    return canonical_json.encode(
        {
            "account": {"id": str(grant.account), "name": grant.account_name},
            "ca": grant.ca,
            "certificate": grant.certificate,
            "device": str(grant.device),
            "device_url": grant.device_url,
            "origin": grant.origin,
            "recovery_key": grant.recovery_key.hex(),
            "v": 1,
            "vkey": grant.vkey,
        }
    )


def parse_grant(data: bytes) -> Grant:
    fields = _fields(data, "grant", MAX_GRANT)
    fields.literal("v", 1)
    account = fields.object("account")
    grant = Grant(
        account=account.uuid("id"),
        account_name=account.text("name"),
        device=fields.uuid("device"),
        certificate=fields.text("certificate"),
        ca=fields.text("ca"),
        device_url=fields.text("device_url"),
        origin=fields.text("origin"),
        vkey=fields.text("vkey"),
        recovery_key=fields.hex("recovery_key", KEY_BYTES),
    )
    account.done()
    fields.done()
    if not grant.device_url.startswith("https://"):
        raise FormatError("grant.device_url", "is not an https address")
    return grant


def encode_renew(request: RenewRequest) -> bytes:
    return canonical_json.encode(
        {"message": encode_base64(request.message), "signature": encode_base64(request.signature)}
    )


def parse_renew(body: bytes) -> RenewRequest:
    fields = _fields(body, "renewal", MAX_BODY)
    request = RenewRequest(fields.base64("message"), _base64(fields, "signature", 64))
    fields.done()
    return request


def encode_renew_answer(certificate: str) -> bytes:
    return canonical_json.encode({"certificate": certificate})


def parse_renew_answer(body: bytes) -> str:
    fields = _fields(body, "renewal answer", MAX_BODY)
    certificate = fields.text("certificate")
    fields.done()
    return certificate


def _fields(data: bytes, where: str, limit: int) -> Fields:
    return Fields(canonical_json.parse_object(data, limit=limit, where=where), where)


def _base64(fields: Fields, name: str, length: int) -> bytes:
    data = fields.base64(name)
    if len(data) != length:
        raise fields.fault(name, f"is not {length} bytes")
    return data


def _label(fields: Fields, name: str) -> str:
    """A name that can be shown in one line: no control or direction characters that could dress it up as another."""
    text = fields.text(name)
    if not 0 < len(text) <= MAX_LABEL or not text.isprintable() or text != text.strip():
        raise fields.fault(name, f"is not one printable line of at most {MAX_LABEL} characters")
    return text
