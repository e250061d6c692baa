"""RFC 3161 time-stamp tokens over checkpoints, where the extra `time` (rfc3161-client) is installed.

Certificates must have been valid at the stamp's own time; revocation is not looked at, there is no network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse


class StampError(Exception):
    """The token does not prove a time. `broken`: it is not even about this checkpoint, or no token."""

    def __init__(self, what: str, *, broken: bool) -> None:
        super().__init__(what)
        self.broken = broken


class StampUnavailableError(Exception):
    """It was not looked at: nothing is pinned, or the extra is missing."""


#: Object identifiers of the digests a token may be over (NIST CSOR).
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


def verify_stamp(token: bytes, note: bytes, roots: Sequence[x509.Certificate]) -> tuple[datetime, str]:
    """Time and authority of a token over the exact bytes of a signed note; its certificate leads to one of `roots`."""
    try:
        import rfc3161_client  # noqa: PLC0415  # an extra: the verifier works without it
    except ImportError as problem:
        raise StampUnavailableError("the extra deedbox[time] is not installed") from problem
    try:
        response = rfc3161_client.decode_timestamp_response(token)
        imprint = response.tst_info.message_imprint
        digest = _DIGESTS.get(imprint.hash_algorithm.dotted_string)
    except ValueError as problem:
        raise StampError("is not a time-stamp response", broken=True) from problem
    if digest is None or hashlib.new(digest, note).digest() != imprint.message:
        raise StampError("is over other bytes than the checkpoint beside it", broken=True)
    if not roots:
        raise StampUnavailableError("no authority is pinned")
    try:
        rfc3161_client.VerifierBuilder(roots=list(roots)).build().verify_message(response, note)
        return response.tst_info.gen_time.astimezone(UTC), _authority(response)
    except (rfc3161_client.VerificationError, ValueError) as problem:
        raise StampError(f"not by a pinned authority ({problem})", broken=False) from problem


def _authority(response: TimeStampResponse) -> str:
    """The name of the certificate that signed; the verification has shown that there is one."""
    signer = next(iter(response.signed_data.signer_infos))
    for der in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.serial_number == signer.serial_number and certificate.issuer == signer.issuer:
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return str(names[0].value) if names else certificate.subject.rfc4514_string()
    return "a time-stamp authority"
