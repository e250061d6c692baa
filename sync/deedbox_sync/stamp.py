"""RFC 3161 time-stamp responses over checkpoints (`formats/time.md`, Time stamp). They need the extra `time` (rfc3161-client).

Certificates must have been valid at the stamp's own time. There is no network: revocation is judged by the CRLs that are given.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

_NAMELESS = "a time-stamp authority"
_MAX_CERTIFICATES = 32  # in a token; three are usual
# Object identifiers of the digests a token may be over (NIST CSOR).
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
# Whoever had the key may have set any time: such a revocation spoils also the stamps made before it (RFC 3161 4, 1 and 2).
_KEY_LOST = frozenset(
    (
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.ca_compromise,
        x509.ReasonFlags.aa_compromise,
    )
)


# What the parsers raise, some of it only when a part is asked for.
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)


class StampError(Exception):
    """The token does not prove a time. `broken`: it is not even about this checkpoint, or no token."""

    def __init__(self, what: str, *, broken: bool) -> None:
        super().__init__(what)
        self.broken = broken


class StampRevokedError(StampError):
    """A certificate of the chain was revoked in a way that spoils the stamp (`formats/time.md`, Revocation data)."""

    def __init__(self, what: str) -> None:
        super().__init__(what, broken=False)


class StampUnavailableError(Exception):
    """It was not looked at: nothing is pinned, or the extra is missing."""


@dataclass(frozen=True)
class Stamp:
    """What an authority says: it had seen the bytes at `time`, rounded up to a second.

    Times are in UTC, `certificates` DER from its own to the root. `expires` is when the first of them ends; `unrevoked` when the
    oldest of the CRLs was made that clear all but the root, None where one of them is cleared by none.
    """

    time: datetime
    authority: str
    expires: datetime
    certificates: tuple[bytes, ...]
    unrevoked: datetime | None = None


def verify_stamp(token: bytes, note: bytes, roots: Sequence[x509.Certificate], crls: Sequence[bytes] = ()) -> Stamp:
    """The stamp of a token over the exact bytes of a signed note, whose certificate leads to one of `roots`.

    `crls` are DER; one counts that its certificate's issuer signed, others are ignored. The token's certificates are in
    DER's order of a set.
    """
    try:
        import rfc3161_client  # noqa: PLC0415  # an extra: the verifier works without it
    except ImportError as problem:
        raise StampUnavailableError("the extra deedbox[time] is not installed") from problem
    try:
        response = rfc3161_client.decode_timestamp_response(token)
        imprint = response.tst_info.message_imprint
        digest = _DIGESTS.get(imprint.hash_algorithm.dotted_string)
        time = response.tst_info.gen_time.astimezone(UTC)  # in whole seconds, its fraction cut off
        told = time + timedelta(seconds=_has_fraction(token, time))
    except (ValueError, OverflowError) as problem:
        raise StampError("is not a time-stamp response", broken=True) from problem
    if digest is None or hashlib.new(digest, note).digest() != imprint.message:
        raise StampError("is over other bytes than the checkpoint beside it", broken=True)
    if not roots:
        raise StampUnavailableError("no authority is pinned")
    try:
        rfc3161_client.VerifierBuilder(roots=list(roots)).build().verify_message(response, note)
        chain = _chain(response, roots, time)
    except (rfc3161_client.VerificationError, *_UNREADABLE) as problem:
        raise StampError("not by a pinned authority", broken=False) from problem  # the library's words help nobody
    return Stamp(
        time=told,
        authority=_name(chain[0]),
        expires=min(certificate.not_valid_after_utc for certificate in chain),
        certificates=tuple(certificate.public_bytes(Encoding.DER) for certificate in chain),
        unrevoked=_check_revocation(chain, crls, time),
    )


def _has_fraction(token: bytes, time: datetime) -> bool:
    """Whether genTime tells a part of a second, which rfc3161_client does not give.

    The same digits with a fraction anywhere in the token count: then a second too late is told, which claims less.
    """
    digits = time.strftime("%Y%m%d%H%M%S").encode()
    return re.search(rb"\x18." + digits + rb"\.", token, re.DOTALL) is not None


def _chain(response: TimeStampResponse, roots: Sequence[x509.Certificate], time: datetime) -> list[x509.Certificate]:
    """The shortest way from the certificate that signed to a root; ValueError where there is none."""
    if len(response.signed_data.certificates) > _MAX_CERTIFICATES:
        raise ValueError(f"more than {_MAX_CERTIFICATES} certificates")
    others = [x509.load_der_x509_certificate(der) for der in sorted(response.signed_data.certificates)]
    signer = next(iter(response.signed_data.signer_infos))
    named = (signer.issuer, signer.serial_number)
    ways = [[one] for one in others if (one.issuer, one.serial_number) == named]
    seen = [way[0] for way in ways]
    for way in ways:  # which grows: each certificate is come to once
        if way[-1] in roots:
            return way
        for issuer in (*roots, *others):
            if issuer not in seen and _issued(way[-1], issuer, time):
                seen.append(issuer)
                ways.append([*way, issuer])
    raise ValueError("no chain of certificates")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, time: datetime) -> bool:
    if not issuer.not_valid_before_utc <= time <= issuer.not_valid_after_utc:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _check_revocation(chain: Sequence[x509.Certificate], crls: Sequence[bytes], time: datetime) -> datetime | None:
    """`Stamp.unrevoked`; StampRevokedError where a CRL that counts revokes one of the chain in a way that spoils the stamp."""
    cleared: list[datetime | None] = []
    lists = [one for one in map(_crl, crls) if one is not None]
    for certificate, issuer in itertools.pairwise(chain):
        newest: datetime | None = None
        for crl in lists:
            try:
                if not _counts(crl, issuer):
                    continue
                revoked = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
                spoilt = revoked is not None and (revoked.revocation_date_utc <= time or _reason(revoked) in _KEY_LOST)
                made = crl.last_update_utc
            except _UNREADABLE:
                continue
            if spoilt:
                raise StampRevokedError(f"its certificate was revoked ({_name(certificate)})")
            newest = max(newest or made, made)
        cleared.append(newest)
    dates = [date for date in cleared if date is not None]
    return min(dates) if dates and len(dates) == len(cleared) else None


def _crl(der: bytes) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_der_x509_crl(der)
    except _UNREADABLE:
        return None


def _counts(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """The certificate's issuer signed it."""
    if crl.issuer != issuer.subject:
        return False
    return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # for other kinds a TypeError


def _reason(revoked: x509.RevokedCertificate) -> x509.ReasonFlags:
    try:
        return revoked.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return x509.ReasonFlags.unspecified


def _name(certificate: x509.Certificate) -> str:
    try:
        names = [one.value for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        return str(names[0] if names else certificate.subject.rfc4514_string()) or _NAMELESS
    except ValueError:  # a name that does not parse
        return _NAMELESS
