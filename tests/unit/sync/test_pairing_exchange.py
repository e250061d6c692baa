"""Both sides of pairing joined in memory, and those who would stand between them."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from spake2 import SPAKE2_A, SPAKE2_B

from deedbox_sync import pairing_messages as messages
from deedbox_sync.device_certificate import parse_request
from deedbox_sync.errors import FormatError, ProofError, SyncError
from deedbox_sync.pairing import (
    Answer,
    Call,
    answer_start,
    box_mac,
    desk_pairing,
    encode_exchange,
    parse_exchange,
    verify_offer,
)
from deedbox_sync.pairing_code import new_code, parse_code

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODE = parse_code("742-ABCDE-FGH45")
STATEMENT_KEY = bytes(range(32))
DEVICE = UUID("0198c0de-0000-7000-8000-000000000001")


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


class Issuer:
    """A CA of the shape the box has."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self.issue(self.key.public_key(), self.name, None, [], authority=True)

    def issue(self, public_key, subject, usage, uris, *, authority=False, start=NOW - timedelta(minutes=5)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=30))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
        )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if uris:
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def device(self, public_key, device=DEVICE, *, usage=ExtendedKeyUsageOID.CLIENT_AUTH, **times):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(device))])
        return self.issue(public_key, subject, usage, [f"urn:deedbox:device:{device}"], **times)

    def listener(self, *, usage=ExtendedKeyUsageOID.SERVER_AUTH) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
        return self.issue(key.public_key(), subject, usage, []).public_bytes(serialization.Encoding.DER)


ISSUER = Issuer()
LISTENER = ISSUER.listener()


@dataclass
class Box:
    """The box's side around its three pure steps; knows one code and keeps one exchange."""

    issuer: Issuer
    code: object = CODE
    listener: bytes = b""
    stored: bytes = b""

    def __call__(self, call: Call) -> Answer:
        body = self.start(call.body) if call.path.endswith("start") else self.finish(call.body)
        return Answer(body, self.listener or LISTENER)

    def start(self, body: bytes) -> bytes:
        request = messages.parse_start(body)
        exchange, reply = answer_start(self.code, request.message)
        self.stored = encode_exchange(exchange)
        return messages.encode_start_answer(messages.StartAnswer("ab" * 16, reply))

    def finish(self, body: bytes) -> bytes:
        request = messages.parse_finish(body)
        exchange = parse_exchange(self.stored)
        verify_offer(exchange, request.offer, request.mac)
        offer = messages.parse_offer(request.offer)
        grant = messages.encode_grant(self.grant(parse_request(offer.csr, where="csr")))
        return messages.encode_finish_answer(messages.FinishAnswer(grant, box_mac(exchange, request.offer, grant)))

    def grant(self, key) -> messages.Grant:
        return messages.Grant(
            account=uuid4(),
            account_name="Ada",
            device=DEVICE,
            certificate=pem(self.issuer.device(key)),
            ca=pem(self.issuer.certificate),
            device_url="https://box.lan:8444",
            origin="deedbox/00/1",
            vkey="vkey",
            recovery_key=bytes(32),
        )


def desk(code=CODE, key=None):
    return desk_pairing(
        code,
        name="Ada's laptop",
        platform="Debian 13",
        tls_key=key or Ed25519PrivateKey.generate(),
        statement_key=STATEMENT_KEY,
        now=NOW,
    )


def join(side, box, between=lambda call, answer: answer):
    """Runs a desk against a box; `between` may change each answer."""
    call = next(side)
    while True:
        try:
            call = side.send(between(call, box(call)))
        except StopIteration as end:
            return end.value


def test_who_shares_the_code_is_paired():
    grant = join(desk(), Box(ISSUER))
    assert (grant.device, grant.ca) == (DEVICE, pem(ISSUER.certificate))


def test_a_p256_desk_is_paired_too():
    assert join(desk(key=ec.generate_private_key(ec.SECP256R1())), Box(ISSUER)).device == DEVICE


def test_the_box_refuses_a_desk_that_guessed_the_code():
    with pytest.raises(ProofError, match="does not know the code"):
        join(desk(parse_code("742-ABCDE-FGH46")), Box(ISSUER))


def test_the_nameplate_is_part_of_the_secret():
    with pytest.raises(ProofError):
        join(desk(parse_code("743-ABCDE-FGH45")), Box(ISSUER))


def test_a_box_that_does_not_know_the_code_is_refused():
    class Impostor(Box):
        def finish(self, body: bytes) -> bytes:
            request = messages.parse_finish(body)
            exchange = parse_exchange(self.stored)
            key = parse_request(messages.parse_offer(request.offer).csr, where="csr")
            grant = messages.encode_grant(self.grant(key))
            return messages.encode_finish_answer(messages.FinishAnswer(grant, box_mac(exchange, request.offer, grant)))

    with pytest.raises(ProofError, match="does not know the code"):
        join(desk(), Impostor(ISSUER, code=new_code(742, bytes(7))))


def test_one_in_the_middle_cannot_swap_the_ca():
    other = Issuer()

    def swap(call, answer):
        if call.path.endswith("start"):
            return answer
        finish = messages.parse_finish_answer(answer.body)
        grant = replace(messages.parse_grant(finish.grant), ca=pem(other.certificate))
        forged = messages.FinishAnswer(messages.encode_grant(grant), finish.mac)
        return Answer(messages.encode_finish_answer(forged), answer.peer)

    with pytest.raises(ProofError, match="changed on the way"):
        join(desk(), Box(ISSUER), swap)


def test_one_in_the_middle_cannot_swap_the_request():
    box = Box(ISSUER)
    side = desk()
    start = box(next(side))
    request = messages.parse_finish(side.send(start).body)
    offer = messages.parse_offer(request.offer)
    mine = replace(offer, statement_key=bytes(32))
    with pytest.raises(ProofError, match="does not know the code"):
        box.finish(messages.encode_finish(replace(request, offer=messages.encode_offer(mine))))


def test_one_who_only_passes_messages_on_is_seen_by_his_certificate():
    stranger = Issuer().listener()
    with pytest.raises(ProofError, match="not issued by the box's CA"):
        join(desk(), Box(ISSUER, listener=stranger))


def test_a_paired_desk_cannot_stand_in_the_middle_with_its_own_certificate():
    other_desk = ISSUER.device(Ed25519PrivateKey.generate().public_key())
    with pytest.raises(ProofError, match="for another use"):
        join(desk(), Box(ISSUER, listener=other_desk.public_bytes(serialization.Encoding.DER)))


@pytest.mark.parametrize(
    ("fault", "certificate"),
    [
        ("another key", lambda issuer, key: issuer.device(Ed25519PrivateKey.generate().public_key())),
        ("another device", lambda issuer, key: issuer.device(key, uuid4())),
        ("another use", lambda issuer, key: issuer.device(key, usage=ExtendedKeyUsageOID.SERVER_AUTH)),
        ("not valid at the time", lambda issuer, key: issuer.device(key, start=NOW - timedelta(days=31))),
        ("not issued by", lambda issuer, key: Issuer().device(key)),
    ],
)
def test_a_grant_with_the_wrong_certificate_is_refused(fault, certificate):
    class Careless(Box):
        def grant(self, key):
            return replace(super().grant(key), certificate=pem(certificate(self.issuer, key)))

    with pytest.raises(ProofError, match=fault):
        join(desk(), Careless(ISSUER))


def test_a_message_sent_back_to_its_sender_is_refused():
    side = desk()
    message = messages.parse_start(next(side).body).message
    for reflected in (message, b"B" + message[1:]):
        again = desk()
        again_call = next(again)
        mine = messages.parse_start(again_call.body).message
        body = messages.encode_start_answer(messages.StartAnswer("00" * 16, b"B" + mine[1:]))
        with pytest.raises(FormatError, match="SPAKE2"):
            again.send(Answer(body, LISTENER))
        with pytest.raises(FormatError, match="SPAKE2"):
            answer_start(CODE, reflected if reflected[:1] == b"B" else reflected + b"\0")


# The eight points of small order (RFC 7748 and the cofactor of edwards25519), and encodings beyond the field.
SMALL_ORDER = [
    (1).to_bytes(32, "little"),
    bytes(32),
    bytes(31) + b"\x80",
    (2**255 - 20).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
]
BEYOND = [(2**255 - 19 + small).to_bytes(32, "little") for small in (0, 1, 3, 18)]


@pytest.mark.parametrize("point", SMALL_ORDER + BEYOND + [b"", bytes(31), bytes(33)])
def test_points_that_would_give_the_key_away_are_refused(point):
    with pytest.raises(FormatError, match="SPAKE2"):
        answer_start(CODE, b"A" + point)


@given(st.binary(max_size=40))
def test_any_start_message_is_answered_or_a_format_error(message):
    try:
        answer_start(CODE, message)
    except FormatError:
        return
    assert len(message) == 33


def test_the_keys_are_those_of_the_format_page():
    """Derived again from the page's words, with the library alone."""
    a = SPAKE2_A(b"742-ABCDE-FGH45", idA=b"deedbox/v1/desk", idB=b"deedbox/v1/box")
    message = a.start()
    exchange, reply = answer_start(CODE, message)
    key = a.finish(reply)
    transcript = hashlib.sha256(b"742" + message + reply).digest()
    derived = [
        HKDF(hashes.SHA256(), 32, transcript, b"deedbox/v1/pair/" + end).derive(key) for end in (b"desk", b"box")
    ]
    assert [exchange.transcript, exchange.desk_key, exchange.box_key] == [transcript, *derived]
    verify_offer(exchange, b"o", hmac.digest(derived[0], transcript + hashlib.sha256(b"o").digest(), "sha256"))
    said = transcript + hashlib.sha256(b"o").digest() + hashlib.sha256(b"g").digest()
    assert box_mac(exchange, b"o", b"g") == hmac.digest(derived[1], said, "sha256")


def test_two_pairings_share_nothing():
    first, second = (SPAKE2_B(b"x", idA=b"a", idB=b"b").start() for _ in range(2))
    assert first != second
    a = SPAKE2_A(CODE.password, idA=b"deedbox/v1/desk", idB=b"deedbox/v1/box").start()
    assert answer_start(CODE, a)[0].desk_key != answer_start(CODE, a)[0].desk_key


@given(st.binary(max_size=120))
def test_a_stored_exchange_is_exactly_its_bytes(data):
    try:
        exchange = parse_exchange(data)
    except SyncError:
        assert len(data) != 96
        return
    assert encode_exchange(exchange) == data
