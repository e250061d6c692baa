"""Device certificates as both sides see them: the request a desk makes, and what a certificate must be to be believed.

Chains here are one step long: the box's CA, then the device or the listener. Revocation is not looked at: the box
looks the serial up on each request.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deedbox_sync.errors import FormatError, ProofError

MAX_PEM: Final = 4096  # requests and certificates here have 400 to 1,200 characters
URI_PREFIX: Final = "urn:deedbox:device:"

TlsPrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey
TlsPublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey


class NotValidNow(ProofError):
    """The certificate is right, but not by this clock."""


def certificate_request(key: TlsPrivateKey) -> str:
    """A PEM request for the TLS key. Its subject says nothing: the box alone gives names."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "deedbox desk")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, _digest_for(key)).public_bytes(serialization.Encoding.PEM).decode("ascii")


def parse_request(pem: str, *, where: str) -> TlsPublicKey:
    """The key that a request asks a certificate for and proves to hold; nothing else in the request counts."""
    try:
        request = x509.load_pem_x509_csr(_pem_bytes(pem, where))
        if not request.is_signature_valid:
            raise FormatError(where, "is not signed by its own key")
        key = request.public_key()
    except (ValueError, x509.InvalidVersion) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(where, "is not a certificate request") from error
    return _tls_key(key, where)


def parse_certificate(pem: str, *, where: str) -> x509.Certificate:
    """Exactly one PEM certificate of bounded size."""
    data = _pem_bytes(pem, where)
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise FormatError(where, "is not a certificate") from error
    if len(found) != 1 or found[0].public_bytes(serialization.Encoding.PEM) != data:
        raise FormatError(where, "is not exactly one certificate")
    return found[0]


def verify_authority(authority: x509.Certificate, *, now: datetime) -> None:
    """Promises a CA certificate that signed itself and is valid now. Whether it is the right one the caller knows."""
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise ProofError("the box's CA certificate is no CA certificate") from error
    if not constraints.ca:
        raise ProofError("the box's CA certificate is no CA certificate")
    _verify_issued(authority, authority, now, "the box's CA certificate")


def verify_device_certificate(
    certificate: x509.Certificate, *, authority: x509.Certificate, device: UUID, key: TlsPublicKey, now: datetime
) -> None:
    """Promises: issued by the CA, for this device and key, to be used as a client, valid now."""
    what = "the device certificate"
    _verify_issued(certificate, authority, now, what)
    _verify_usage(certificate, ExtendedKeyUsageOID.CLIENT_AUTH, what)
    if device_of(certificate) != device:
        raise ProofError("the device certificate names another device")
    if certificate.public_key() != key:
        raise ProofError("the device certificate is for another key")


def verify_listener_certificate(der: bytes, *, authority: x509.Certificate, now: datetime) -> None:
    """Promises that the certificate shown on a connection is the box's own: issued by its CA to be used as a server.

    The host's name is not looked at: a desk may reach a box by an address that the box does not know.
    """
    what = "the certificate of this connection"
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise ProofError(f"{what} cannot be read") from error
    _verify_issued(certificate, authority, now, what)
    _verify_usage(certificate, ExtendedKeyUsageOID.SERVER_AUTH, what)


def device_of(certificate: x509.Certificate) -> UUID:
    """The device that a certificate names in its subject and, the same, in its URI."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        uris = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        device = UUID(uris.get_values_for_type(x509.UniformResourceIdentifier)[0].removeprefix(URI_PREFIX))
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError, IndexError) as error:
        raise ProofError("the device certificate names no device") from error
    if len(names) != 1 or names[0].value != str(device):
        raise ProofError("the device certificate names no device")
    return device


def _verify_issued(certificate: x509.Certificate, authority: x509.Certificate, now: datetime, what: str) -> None:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise ProofError(f"{what} was not issued by the box's CA") from error
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise NotValidNow(f"{what} is not valid at the time of this clock")


def _verify_usage(certificate: x509.Certificate, usage: x509.ObjectIdentifier, what: str) -> None:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise ProofError(f"{what} is for no use") from error
    if list(usages) != [usage]:
        raise ProofError(f"{what} is for another use")


def _tls_key(key: object, where: str) -> TlsPublicKey:
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise FormatError(where, "is for a key that is neither Ed25519 nor P-256")


def _digest_for(key: TlsPrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()  # Ed25519 hashes by itself (RFC 8410)


def _pem_bytes(pem: str, where: str) -> bytes:
    if len(pem) > MAX_PEM or not pem.isascii():
        raise FormatError(where, "is not PEM of allowed size")
    return pem.encode("ascii")
