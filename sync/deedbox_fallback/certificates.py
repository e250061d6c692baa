"""The service's own certificate authority, of one use: its callers pin it; the listener's certificates are new at each start.

The authority's key is kept in the encrypted file. The listener's lives in memory only.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deedbox_disk.credential_file import load_credential
from deedbox_fallback.errors import SetupError
from deedbox_fallback.store import Store

AUTHORITY_LIFE: Final = timedelta(days=3650)
LISTENER_LIFE: Final = timedelta(days=90)
LISTENER_RENEWAL: Final = timedelta(days=60)  # a process that runs for long gets the next one when it is so old
CLOCK_SLACK: Final = timedelta(minutes=5)  # a caller's clock may be this far behind

_KEY: Final = "authority-key"
_CERTIFICATE: Final = "authority-certificate"


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> str:
        """What callers pin."""
        return self.certificate.public_bytes(Encoding.PEM).decode("ascii")


def make_authority(store: Store, now: datetime) -> None:
    """Make and keep it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Deedbox {store.namespace}")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    store.set({_KEY: private, _CERTIFICATE: certificate.public_bytes(Encoding.DER)})


def authority(store: Store) -> Authority | None:
    """The one that `make_authority` kept."""
    private, certificate = store.setting(_KEY), store.setting(_CERTIFICATE)
    if private is None or certificate is None:
        return None
    key = load_der_private_key(private, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Authority(x509.load_der_x509_certificate(certificate), key)


class Listener:
    """TLS 1.3 and nothing older, under these names."""

    def __init__(self, authority: Authority, hosts: Sequence[str]) -> None:
        self._authority = authority
        self._hosts = [_general_name(host) for host in dict.fromkeys(hosts)]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.set_alpn_protocols(["http/1.1"])
        self._made = datetime.min.replace(tzinfo=UTC)

    def renew(self, now: datetime) -> None:
        """Handshakes from now on get a fresh certificate, where one is due."""
        if now - self._made < LISTENER_RENEWAL:
            return
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._authority.certificate
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Deedbox fallback service")])
        certificate = (
            x509.CertificateBuilder(issuer.subject, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - CLOCK_SLACK)
            .not_valid_after(now + LISTENER_LIFE)
            .add_extension(x509.SubjectAlternativeName(self._hosts), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(self._authority.key, SHA256())
        )
        load_credential(self.context, certificate, key)
        self._made = now


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise SetupError(f"{host!r} is neither a host name nor an address.") from error
