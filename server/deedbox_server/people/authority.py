"""The box's own certificate authority: a P-256 key under the root key, ten years, and nothing below it but leaves.

It certifies the box's two listeners, the devices and the key that signs papers, each for one use only, so that none can stand
in for another.
The CA certificate and the listeners' certificates are kept, so that whoever has accepted them meets them again after
a restart; the keys are derived from the keyring's and stored nowhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deedbox_server.database import Database
from deedbox_server.people.clock import Clock, system_clock
from deedbox_sync.device_certificate import URI_PREFIX, TlsPublicKey
from deedbox_sync.device_record import serial_text

CA_LIFE: Final = timedelta(days=3650)
LISTENER_LIFE: Final = timedelta(days=365)  # below what any browser refuses of a private CA (825 days)
LISTENER_RENEWAL: Final = timedelta(days=60)  # a listener gets its next certificate when fewer days are left
DEVICE_LIFE: Final = timedelta(days=30)
PAPERS_LIFE: Final = timedelta(
    days=1826
)  # a paper without a time stamp is held to the certificate's life by most readers
PAPERS_RENEWAL: Final = timedelta(days=730)  # what a case may take from filing to trial
CLOCK_SLACK: Final = timedelta(minutes=5)  # a desk's clock may be this far behind the box's

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2, 2.4.2)
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_SETTING: Final = "certificate."
_DOCUMENT_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # id-kp-documentSigning (RFC 9336)
_NAME_LENGTH: Final = 64  # of a common name (RFC 5280, A.1)


@dataclass(frozen=True)
class Credential:
    """What a listener shows and proves."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


class Authority:
    """Made by `open`; one per box."""

    def __init__(self, db: Database, secret: bytes, certificate: x509.Certificate, clock: Clock) -> None:
        self._db = db
        self._secret = secret
        self._key = _private_key(secret, b"authority")
        self._clock = clock
        self.certificate = certificate

    @classmethod
    async def open(cls, db: Database, key: bytes, clock: Clock = system_clock) -> Authority:
        """The authority of the keyring's 32-byte `ca` key; its certificate is made the first time.

        ValueError if the database holds the certificate of another key: keys and data are not of one box.
        """
        private = _private_key(key, b"authority")
        stored = await _stored(db, "authority")
        if stored is None:
            stored = _self_signed(private, clock())
            await _store(db, "authority", stored)
        if stored.public_key() != private.public_key():
            raise ValueError("the CA certificate in the database is not of the key in the keyring")
        return cls(db, key, stored, clock)

    @property
    def pem(self) -> str:
        return pem_text(self.certificate)

    async def listener(self, name: str, hosts: Sequence[str]) -> Credential:
        """The credential of one listener (`people`, `device`) for host names and addresses, in order of preference.

        The stored certificate is used again while it names every host and has time left; call it again from time to
        time and after a change of hosts. ValueError for what is neither a host name nor an address.
        """
        now, names = self._clock(), [_general_name(host) for host in hosts]
        key = _private_key(self._secret, b"listener/" + name.encode())
        stored = await _stored(self._db, name)
        if stored is not None and self._still_serves(stored, key.public_key(), names, now, LISTENER_RENEWAL):
            return Credential(stored, key)
        certificate = self._leaf(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"deedbox {name}")]),
            key.public_key(),
            names,
            ExtendedKeyUsageOID.SERVER_AUTH,
            now,
            LISTENER_LIFE,
        )
        await _store(self._db, name, certificate)
        return Credential(certificate, key)

    async def certify_device(self, device: UUID, key: TlsPublicKey) -> x509.Certificate:
        """A device certificate, its row written in the caller's transaction: what is not looked up does not open."""
        assert self._db.in_transaction, "a certificate without its device would open nothing"
        certificate = self._leaf(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(device))]),
            key,
            [x509.UniformResourceIdentifier(f"{URI_PREFIX}{device}")],
            ExtendedKeyUsageOID.CLIENT_AUTH,
            self._clock(),
            DEVICE_LIFE,
        )
        await self._db.insert_many(
            "certificate",
            ("serial", "device", "der", "not_before", "not_after", "revoked"),
            [
                (
                    serial_text(certificate.serial_number),
                    device,
                    certificate.public_bytes(serialization.Encoding.DER),
                    certificate.not_valid_before_utc,
                    certificate.not_valid_after_utc,
                    None,
                )
            ],
        )
        return certificate

    async def papers(self, box: UUID, name: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """The certificate under which the box signs papers; `name` is the box's. Kept, and made anew in good time."""
        now = self._clock()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Deedbox papers, {name}"[:_NAME_LENGTH])])
        stored = await _stored(self._db, "papers")
        if (
            stored is not None
            and stored.subject == subject
            and self._still_serves(stored, key, [], now, PAPERS_RENEWAL)
        ):
            return stored
        certificate = self._leaf(
            subject,
            key,
            [x509.UniformResourceIdentifier(f"urn:uuid:{box}")],
            _DOCUMENT_SIGNING,
            now,
            min(PAPERS_LIFE, self.certificate.not_valid_after_utc - now),
            commits=True,
        )
        await _store(self._db, "papers", certificate)
        return certificate

    def _still_serves(
        self,
        stored: x509.Certificate,
        key: ec.EllipticCurvePublicKey,
        names: list[x509.GeneralName],
        now: datetime,
        renewal: timedelta,
    ) -> bool:
        named = stored.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            stored.issuer == self.certificate.subject
            and stored.public_key() == key
            and set(names) <= set(named)
            and stored.not_valid_before_utc <= now <= stored.not_valid_after_utc - renewal
        )

    def _leaf(
        self,
        subject: x509.Name,
        key: TlsPublicKey,
        names: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        now: datetime,
        life: timedelta,
        *,
        commits: bool = False,
    ) -> x509.Certificate:
        return (
            _builder(subject, self.certificate.subject, key, now, life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=False, commits=commits), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def is_host(text: str) -> bool:
    """Whether a listener's certificate could name it: a host name or an address."""
    try:
        _general_name(text)
    except ValueError:
        return False
    return True


def pem_text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _self_signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # The name goes over the wire to everyone who knocks: it says nothing of the firm, and tells two boxes apart.
    mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:8]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Deedbox authority {mark}")])
    return (
        _builder(name, name, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: TlsPublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    start = now.replace(microsecond=0) - CLOCK_SLACK
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, sign_certificates: bool, commits: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=commits,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _private_key(secret: bytes, use: bytes) -> ec.EllipticCurvePrivateKey:
    """A P-256 key from a secret: 128 bits more than needed, reduced, so that no key is likelier (FIPS 186-5 A.2.1)."""
    wide = HKDF(algorithm=hashes.SHA256(), length=48, salt=None, info=b"deedbox/v1/ca/" + use).derive(secret)
    return ec.derive_private_key(int.from_bytes(wide) % (_ORDER - 1) + 1, ec.SECP256R1())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _HOST.fullmatch(host.lower()):
            raise ValueError(f"{host!r} is neither a host name nor an address") from None
        return x509.DNSName(host.lower())


async def _stored(db: Database, name: str) -> x509.Certificate | None:
    row = await db.fetch_one("SELECT value FROM setting WHERE name = {}", _SETTING + name)
    return None if row is None else x509.load_pem_x509_certificate(row["value"].encode("ascii"))


async def _store(db: Database, name: str, certificate: x509.Certificate) -> None:
    await db.execute(
        "INSERT INTO setting (name, value) VALUES ({}, {}) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        _SETTING + name,
        pem_text(certificate),
    )
