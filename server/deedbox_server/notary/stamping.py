"""One time stamp, without any network: the request, and what must hold before its response is kept (RFC 3161; formats/time.md).

The steps of `take_response` and what each shows: the nonce (it answers this request), the order of certificates (any reader will
take it), digest, signature and root (`verify_stamp`: this authority saw these bytes).
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import rfc3161_client
from asn1crypto import cms, tsp
from cryptography import x509

from deedbox_server.settings import SettingsError
from deedbox_sync.bundle.layout import MAX_TOKEN
from deedbox_sync.stamp import Stamp, StampError, StampUnavailableError, verify_stamp

_MAX_ROOTS_FILE = 4 << 20  # bytes; the usual store of a system has a quarter of a MiB
_MAX_CRL_ADDRESSES = 8  # of one stamp: one for each certificate of its chain, and some more
_MAX_ADDRESS = 2_000


class StampRefused(Exception):
    """The response is not kept; the message is a few words for people."""


@dataclass(frozen=True)
class StampRequest:
    """A request as it goes out, and the number that the response must repeat."""

    der: bytes
    nonce: int


def make_request(note: bytes) -> StampRequest:
    """For the SHA-256 of these bytes, with a fresh nonce, certificates wanted."""
    builder = rfc3161_client.TimestampRequestBuilder().data(note)
    request = builder.hash_algorithm(rfc3161_client.HashAlgorithm.SHA256).cert_request(cert_request=True).build()
    assert request.nonce is not None
    return StampRequest(request.as_bytes(), request.nonce)


def take_response(
    response: bytes, request: StampRequest, note: bytes, roots: Sequence[x509.Certificate]
) -> tuple[bytes, Stamp]:
    """The response with its certificates in DER's order, and what it proves. StampRefused if it proves nothing here."""
    if len(response) > MAX_TOKEN:
        raise StampRefused("it is too large")
    token = order_certificates(response)
    try:
        decoded = rfc3161_client.decode_timestamp_response(token)
        nonce = decoded.tst_info.nonce
    except ValueError as problem:
        raise StampRefused("it is not a time stamp") from problem
    if nonce != request.nonce:
        raise StampRefused("it answers another request")
    return token, check_stamp(token, note, roots, ())


def check_stamp(token: bytes, note: bytes, roots: Sequence[x509.Certificate], crls: Sequence[bytes]) -> Stamp:
    """As `verify_stamp`, in this module's words."""
    try:
        return verify_stamp(token, note, roots, crls)
    except (StampError, StampUnavailableError) as problem:
        raise StampRefused(str(problem)) from problem


def order_certificates(response: bytes) -> bytes:
    """The same response with its certificates in DER's order of a set (X.690 11.6); they lie outside of what is signed."""
    try:
        parsed = tsp.TimeStampResp.load(response, strict=True)
        signed = parsed["time_stamp_token"]["content"]
        if not isinstance(signed, cms.SignedData) or not signed["certificates"]:
            return response
        found = [certificate.dump() for certificate in signed["certificates"]]
    except (ValueError, TypeError, KeyError) as problem:  # what asn1crypto raises for bytes that are something else
        raise StampRefused("it is not a time stamp") from problem
    # They only change places, so that no length does: nothing is encoded anew, least of all what is signed.
    return response.replace(b"".join(found), b"".join(sorted(found)), 1)


def crl_addresses(certificates: Sequence[bytes]) -> list[str]:
    """Where the certificates say that their authorities publish whom they revoked, by plain HTTP (RFC 5280 4.2.1.13)."""
    found: list[str] = []
    for der in certificates:
        found += [address for address in _addresses(x509.load_der_x509_certificate(der)) if address not in found]
    return found[:_MAX_CRL_ADDRESSES]


def _addresses(certificate: x509.Certificate) -> Iterator[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, ValueError):
        return
    for point in points:
        for name in point.full_name or ():
            if isinstance(name, x509.UniformResourceIdentifier):
                address = name.value
                if address.startswith("http://") and len(address) <= _MAX_ADDRESS:
                    yield address
                    break  # the others say the same


def load_roots(paths: Sequence[str]) -> tuple[x509.Certificate, ...]:
    """The certificates that stamps must lead to: of these PEM files, or where there are none, the system's store."""
    if not paths:
        return tuple(_system_roots())
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                found += x509.load_pem_x509_certificates(file.read(_MAX_ROOTS_FILE))
        except (OSError, ValueError) as problem:
            raise SettingsError(f"stamp_roots: {path} has no PEM certificate that can be read.") from problem
    return tuple(found)


def _system_roots() -> Iterator[x509.Certificate]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    ders = context.get_ca_certs(binary_form=True)
    for der in ders or _from_folder(ssl.get_default_verify_paths().capath):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some old roots bend a rule of X.509; they are in every store
                yield x509.load_der_x509_certificate(der)
        except ValueError:
            continue


def _from_folder(folder: str | None) -> Iterator[bytes]:
    """Where the system keeps a folder of files instead of one: OpenSSL reads those only when it meets an issuer."""
    if folder is None or not Path(folder).is_dir():
        return
    for path in sorted(Path(folder).glob("*.0")):
        try:
            yield ssl.PEM_cert_to_DER_cert(path.read_text("ascii"))
        except (OSError, ValueError):
            continue
