"""A time-stamp authority whose keys come from names: its responses (RFC 3161) are the same bytes at each run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
ENDED = datetime(2031, 1, 1, tzinfo=UTC)
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


def _key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(sha256(name.encode()).digest()) % (_ORDER - 1) + 1, ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Authority:
    """Its certificate is issued by its root, or by a certificate between them. `purpose` False: not for time stamps."""

    name: str
    began: datetime = BEGAN
    ended: datetime = ENDED
    intermediate: bool = False
    purpose: bool = True

    @property
    def root_pem(self) -> str:
        return self._root.public_bytes(Encoding.PEM).decode()

    @cached_property
    def _root(self) -> x509.Certificate:
        return self._certificate("root", "root", 1, ca=True)

    @cached_property
    def _chain(self) -> list[x509.Certificate]:
        """From the authority's own certificate up to, and without, the root."""
        if not self.intermediate:
            return [self._certificate("", "root", 2, ca=False)]
        return [self._certificate("", "between", 3, ca=False), self._certificate("between", "root", 2, ca=True)]

    def _title(self, part: str) -> str:
        return f"{self.name} {part}".strip()

    def _certificate(self, part: str, issuer: str, serial: int, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(self._title(part)))
            .issuer_name(_name(self._title(issuer)))
            .public_key(_key(self._title(part)).public_key())
            .serial_number(serial)
            .not_valid_before(self.began)
            .not_valid_after(self.ended)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca and self.purpose:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return builder.sign(_key(self._title(issuer)), SHA256(), ecdsa_deterministic=True)

    def token(
        self, data: bytes, time: datetime, *, digest: str = "sha256", status: str = "granted", tenths: int = 0
    ) -> bytes:
        """The response over `data`, its certificates in DER's order of a set; `tenths` of a second stand after the time."""
        imprint = {"hash_algorithm": {"algorithm": digest}, "hashed_message": hashlib.new(digest, data).digest()}
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.2.3.4.1",
                "message_imprint": imprint,
                "serial_number": 1,
                "gen_time": time.replace(microsecond=tenths * 100_000),
            }
        ).dump()
        signed = cms.CMSAttributes(self._attributes(info))
        signature = _key(self.name).sign(signed.dump(), ec.ECDSA(SHA256(), deterministic_signing=True))
        own = asn1_x509.Certificate.load(self._chain[0].public_bytes(Encoding.DER))
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    "issuer_and_serial_number",
                    {"issuer": own.issuer, "serial_number": own.serial_number},
                ),
                "digest_algorithm": {"algorithm": "sha256"},
                "signed_attrs": signed,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                "signature": signature,
            }
        )
        ders = sorted(one.public_bytes(Encoding.DER) for one in (*self._chain, self._root))
        content = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(info)},
                "certificates": [asn1_x509.Certificate.load(der) for der in ders],
                "signer_infos": [signer],
            }
        )
        token = cms.ContentInfo({"content_type": "signed_data", "content": content})
        return bytes(tsp.TimeStampResp({"status": {"status": status}, "time_stamp_token": token}).dump())

    def _attributes(self, info: bytes) -> Sequence[cms.CMSAttribute]:
        own = self._chain[0].public_bytes(Encoding.DER)
        certificate = tsp.SigningCertificateV2({"certs": [{"cert_hash": sha256(own).digest()}]})
        return [
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [sha256(info).digest()]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [certificate]}),
        ]

    def crls(
        self,
        made: datetime,
        revoked: datetime | None = None,
        reason: x509.ReasonFlags | None = None,
        *,
        signer: str | None = None,
    ) -> tuple[bytes, ...]:
        """A CRL of each issuer, the root's last; the authority's own certificate is on the first where `revoked` says when.

        `signer` names another authority whose root signs in this one's name.
        """
        issuers = ["between", "root"] if self.intermediate else ["root"]
        made_ones = []
        for place, issuer in enumerate(issuers):
            builder = (
                x509.CertificateRevocationListBuilder()
                .issuer_name(_name(self._title(issuer)))
                .last_update(made)
                .next_update(made + timedelta(days=30))
            )
            if revoked is not None and place == 0:
                entry = x509.RevokedCertificateBuilder().serial_number(self._chain[0].serial_number)
                entry = entry.revocation_date(revoked)
                if reason is not None:
                    entry = entry.add_extension(x509.CRLReason(reason), critical=False)
                builder = builder.add_revoked_certificate(entry.build())
            key = _key(self._title(issuer) if signer is None else f"{signer} root")
            made_ones.append(builder.sign(key, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER))
        return tuple(made_ones)
