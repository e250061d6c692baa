"""The two listeners as the network meets them: real uvicorn, real TLS, on loopback."""

import asyncio
import ssl
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from litestar import Request, get

from deedbox_server.people.authority import pem_text
from deedbox_server.web.tls import load_credential
from deedbox_sync import renewal
from deedbox_sync.errors import ProofError
from deedbox_sync.pairing import Answer
from deedbox_sync.pairing_code import parse_code
from people_box import Desk, SetClock, make_people_box
from people_listeners import REFUSED, listening


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request):
    """Both loops: a refused handshake goes another way through each."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else None
    return ("asyncio", {"loop_factory": factory})


@pytest.fixture
async def door(sqlite_database, tmp_path):
    # The real time: OpenSSL does not take ours.
    box = await make_people_box(sqlite_database, SetClock(datetime.now(UTC)))
    async with listening(box, tmp_path) as listeners:
        yield listeners


async def over_https(door, side):
    """Runs a desk's side over the people's listener, whose certificate it does not yet know how to check."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    call = next(side)
    with door.connection(door.people_port, context) as connection:
        while True:
            if connection.raw.sock is None:
                await asyncio.to_thread(connection.raw.connect)
            peer = connection.raw.sock.getpeercert(binary_form=True)
            reply = await asyncio.to_thread(_post, connection.raw, call)
            try:
                call = side.send(Answer(reply, peer))
            except StopIteration as end:
                return end.value


def _post(raw, call):
    raw.request("POST", call.path, call.body)
    answer = raw.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


async def owner_key(door):
    _, key = await door.box.api_keys.create(door.box.owner.id, "test")
    return f"Bearer {key.text}"


async def paired(door, desk=None):
    """A desk paired over the wire from first to last."""
    desk = desk or Desk()
    with door.connection(door.people_port, door.client_context()) as people:
        reply = await people.ask("POST", "/api/v1/pairing/codes", {}, authorization=await owner_key(door))
    assert reply.status == 201
    grant = await over_https(door, desk.pairing(parse_code(reply.body["code"]), door.box.clock()))
    return desk, grant


async def test_a_desk_pairs_and_is_recognised(door):
    desk, grant = await paired(door)
    assert grant.device_url == "https://localhost:8444"
    with door.connection(door.device_port, door.client_context(grant.certificate, desk.tls_key)) as connection:
        reply = await connection.ask("GET", "/device/v1/whoami")
    assert (reply.status, reply.body["actor"]) == (200, f"device:{grant.device}")
    assert door.refusals.take() == {}


async def test_a_revoked_device_is_refused_on_its_open_connection(door):
    desk, grant = await paired(door)
    with door.connection(door.device_port, door.client_context(grant.certificate, desk.tls_key)) as connection:
        assert (await connection.ask("GET", "/device/v1/whoami")).status == 200
        port = connection.local_port
        with door.connection(door.people_port, door.client_context()) as people:
            path = f"/api/v1/devices/{grant.device}/revoke"
            assert (await people.ask("POST", path, authorization=await owner_key(door))).status == 204
        reply = await connection.ask("GET", "/device/v1/whoami")
        assert connection.local_port == port
    assert (reply.status, reply.body["type"]) == (403, "urn:deedbox:problem:device-revoked")
    assert door.refusals.take() == {"device-revoked": 1}


async def test_a_certificate_that_runs_out_is_refused_on_its_open_connection(door):
    desk, grant = await paired(door)
    with door.connection(door.device_port, door.client_context(grant.certificate, desk.tls_key)) as connection:
        assert (await connection.ask("GET", "/device/v1/whoami")).status == 200
        door.box.clock.pass_time(days=31)
        assert (await connection.ask("GET", "/device/v1/whoami")).status == 401


async def test_an_expired_device_renews_over_the_people_s_listener(door):
    desk, grant = await paired(door)
    side = renewal.desk_renewal(
        grant.device,
        tls_key=desk.tls_key,
        statement_key=desk.statement_key,
        authority=door.box.authority.certificate,
        now=door.box.clock(),
    )
    certificate = await over_https(door, side)
    with door.connection(door.device_port, door.client_context(certificate, desk.tls_key)) as connection:
        assert (await connection.ask("GET", "/device/v1/whoami")).status == 200


async def test_a_go_between_with_its_own_certificate_is_seen(door):
    desk, box = Desk(), door.box
    side = desk.pairing((await box.pairing.issue(box.owner_principal, box.owner.id)).code, box.clock())
    stranger = self_signed(Ed25519PrivateKey.generate()).public_bytes(serialization.Encoding.DER)
    call = side.send(Answer((await box.answer(next(side))).body, stranger))
    with pytest.raises(ProofError, match="not issued"):
        side.send(Answer((await box.answer(call)).body, stranger))


def self_signed(key, issuer=None, serial=None):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now.replace(year=now.year - 1))
        .not_valid_after(now.replace(year=now.year + 1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, None)
    )


async def test_a_stranger_s_certificate_is_refused_and_counted(door):
    _, grant = await paired(door)
    known = x509.load_pem_x509_certificate(grant.certificate.encode())
    key = Ed25519PrivateKey.generate()
    for stranger in (self_signed(key), self_signed(key, known.issuer, known.serial_number)):
        said = await door.raw_handshake(door.device_port, door.client_context(pem_text(stranger), key))
        assert said == REFUSED
    assert door.refusals.take() == {"handshake-certificate": 2}


async def test_no_certificate_is_refused_and_counted(door):
    assert await door.raw_handshake(door.device_port, door.client_context()) == REFUSED
    assert door.refusals.take() == {"handshake-no-certificate": 1}


async def test_an_expired_device_certificate_is_refused_in_the_handshake(door):
    box, key = door.box, Ed25519PrivateKey.generate()
    box.clock.pass_time(days=-40)
    async with box.db.transaction():
        certificate = await box.authority.certify_device(uuid4(), key.public_key())
    said = await door.raw_handshake(door.device_port, door.client_context(pem_text(certificate), key))
    assert said == REFUSED
    assert door.refusals.take() == {"handshake-certificate": 1}


async def test_a_listener_s_own_certificate_is_no_device(door):
    credential = await door.box.authority.listener("people", ["localhost"])
    said = await door.raw_handshake(
        door.device_port, door.client_context(pem_text(credential.certificate), credential.key)
    )
    assert said == REFUSED
    assert door.refusals.take() == {"handshake-certificate": 1}


async def test_a_device_certificate_that_is_not_in_the_table_opens_nothing(door):
    desk, grant = await paired(door)
    await door.box.db.execute("DELETE FROM certificate")
    with door.connection(door.device_port, door.client_context(grant.certificate, desk.tls_key)) as connection:
        assert (await connection.ask("GET", "/device/v1/whoami")).status == 401
    assert door.refusals.take() == {"unauthenticated": 1}


@pytest.mark.parametrize("port", ["people_port", "device_port"])
async def test_tls_1_2_is_refused_and_counted(door, port):
    context = door.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await door.raw_handshake(getattr(door, port), context) == REFUSED
    assert door.refusals.take() == {"handshake-version": 1}


@pytest.mark.parametrize("send", [b"GET / HTTP/1.1\r\n\r\n", bytes(50)])
async def test_what_is_no_tls_is_refused_and_counted(door, send):
    await door.raw_handshake(door.people_port, None, send)
    counts = door.refusals.take()
    assert sum(counts.values()) == 1
    assert set(counts) <= {"handshake-other", "handshake-version"}


async def test_tls_1_3_without_resumption(door):
    assert await door.raw_handshake(door.people_port, door.client_context()) == "TLSv1.3"
    with door.connection(door.people_port, door.client_context()) as connection:
        await connection.ask("GET", "/api/v1/me")
        assert not connection.raw.sock.session.has_ticket


async def test_a_device_certificate_means_nothing_to_the_people_s_listener(door):
    desk, grant = await paired(door)
    with door.connection(door.people_port, door.client_context(grant.certificate, desk.tls_key)) as connection:
        reply = await connection.ask("GET", "/api/v1/me")
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_forwarded_address_is_not_believed(sqlite_database, tmp_path):
    box = await make_people_box(sqlite_database, SetClock(datetime.now(UTC)))

    @get("/device/v1/from")
    async def sender(request: Request) -> dict[str, object]:
        return {"client": request.client.host, "scheme": request.url.scheme}

    async with listening(box, tmp_path, sender) as door:
        desk, grant = await paired(door)
        with door.connection(door.device_port, door.client_context(grant.certificate, desk.tls_key)) as connection:
            forwarded = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "http"}
            reply = await connection.ask("GET", "/device/v1/from", **forwarded)
    assert reply.body == {"client": "127.0.0.1", "scheme": "https"}


async def test_a_new_listener_certificate_is_shown_without_a_restart(door):
    box, contexts = door.box, [server.config.ssl for server in door.servers]
    wider = await box.authority.listener("people", ["localhost", "127.0.0.1", "box.lan"])
    load_credential(contexts[0], wider)
    shown = await asyncio.to_thread(ssl.get_server_certificate, ("localhost", door.people_port))
    assert x509.load_pem_x509_certificate(shown.encode()) == wider.certificate


async def test_no_key_of_a_listener_is_left_in_the_temporary_folder(door, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    load_credential(door.servers[0].config.ssl, await door.box.authority.listener("people", ["localhost"]))
    assert list((tmp_path / "scratch").iterdir()) == []
