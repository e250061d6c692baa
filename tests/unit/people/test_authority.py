"""The box's own CA: what it issues is for one use, and it meets a restart unchanged."""

import subprocess
from datetime import timedelta
from ipaddress import ip_address
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from deedbox_server.people.authority import Authority, pem_text
from people_box import CA_SECRET, START, SetClock

HOSTS = ["box.lan", "localhost", "127.0.0.1", "::1"]
DER = serialization.Encoding.DER


def verifier(box, when=START):
    return PolicyBuilder().store(Store([box.authority.certificate])).time(when)


async def test_a_restart_finds_the_same_authority_and_listeners(box):
    before = await box.authority.listener("device", HOSTS)
    again = await Authority.open(box.db, CA_SECRET, SetClock(START + timedelta(days=300)))
    assert again.certificate == box.authority.certificate
    after = await again.listener("device", ["127.0.0.1", "box.lan"])
    assert after.certificate == before.certificate
    assert after.key.private_numbers() == before.key.private_numbers()


async def test_keys_and_data_must_be_of_one_box(box):
    with pytest.raises(ValueError, match="not of the key"):
        await Authority.open(box.db, bytes(32), box.clock)


async def test_a_listener_is_certified_anew_for_new_hosts_and_before_it_expires(box):
    first = await box.authority.listener("people", HOSTS)
    wider = await box.authority.listener("people", [*HOSTS, "box.example"])
    assert wider.certificate != first.certificate
    box.clock.pass_time(days=306)
    assert (await box.authority.listener("people", HOSTS)).certificate != wider.certificate


async def test_listeners_have_keys_of_their_own(box):
    people, device = [await box.authority.listener(name, HOSTS) for name in ("people", "device")]
    assert people.key.private_numbers() != device.key.private_numbers()
    assert "PRIVATE" not in repr(people) and "key=" not in repr(people)


@pytest.mark.parametrize("host", ["", "a b", "*.lan", "box.lan.", "-box", "box/../x", "0.0.0.0/0", "é.lan"])
async def test_what_is_no_host_is_refused(box, host):
    with pytest.raises(ValueError, match="neither a host name nor an address"):
        await box.authority.listener("people", [host])


@pytest.mark.parametrize(
    "host", [x509.DNSName("box.lan"), *(x509.IPAddress(ip_address(h)) for h in ("127.0.0.1", "::1"))]
)
async def test_a_browser_would_believe_the_listener(box, host):
    credential = await box.authority.listener("people", HOSTS)
    verifier(box).build_server_verifier(host).verify(credential.certificate, [])
    with pytest.raises(VerificationError):
        verifier(box).build_client_verifier().verify(credential.certificate, [])


async def test_a_device_certificate_opens_as_a_client_for_thirty_days(box):
    device = uuid4()
    async with box.db.transaction():
        certificate = await box.authority.certify_device(device, Ed25519PrivateKey.generate().public_key())
    (subject,) = verifier(box).build_client_verifier().verify(certificate, []).subjects
    assert subject == x509.UniformResourceIdentifier(f"urn:deedbox:device:{device}")
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=30)
    for when in (START - timedelta(minutes=6), START + timedelta(days=30)):
        with pytest.raises(VerificationError):
            verifier(box, when).build_client_verifier().verify(certificate, [])


async def test_a_device_certificate_is_no_server_and_no_authority(box):
    async with box.db.transaction():
        certificate = await box.authority.certify_device(uuid4(), Ed25519PrivateKey.generate().public_key())
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(VerificationError):
        verifier(box).build_server_verifier(x509.DNSName("box.lan")).verify(certificate, [])


async def test_the_authority_certifies_leaves_only_and_says_nothing_of_the_firm(box):
    authority = box.authority.certificate
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert authority.subject.rfc4514_string().startswith("CN=Deedbox authority ")


async def test_every_certificate_is_in_the_table_with_its_days(box):
    device = uuid4()
    async with box.db.transaction():
        certificate = await box.authority.certify_device(device, Ed25519PrivateKey.generate().public_key())
    (row,) = await box.db.fetch("SELECT * FROM certificate")
    assert int(row["serial"], 16) == certificate.serial_number
    assert (row["device"], row["der"], row["revoked"]) == (device, certificate.public_bytes(DER), None)
    assert row["not_after"] == certificate.not_valid_after_utc


async def test_openssl_agrees(box, tmp_path):
    async with box.db.transaction():
        device = await box.authority.certify_device(uuid4(), Ed25519PrivateKey.generate().public_key())
    listener = (await box.authority.listener("device", HOSTS)).certificate
    (tmp_path / "ca.pem").write_text(box.authority.pem)
    for certificate, purpose, held in (
        (device, "sslclient", True),
        (device, "sslserver", False),
        (listener, "sslserver", True),
        (listener, "sslclient", False),
    ):
        (tmp_path / "leaf.pem").write_text(pem_text(certificate))
        at = str(int((START + timedelta(hours=1)).timestamp()))
        command = [
            "openssl",
            "verify",
            "-x509_strict",
            "-attime",
            at,
            "-purpose",
            purpose,
            "-CAfile",
            "ca.pem",
            "leaf.pem",
        ]
        outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert (outcome.returncode == 0) is held, outcome.stderr
