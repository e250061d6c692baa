"""A time-stamp authority of our own: certificates made here, responses by `openssl ts`, no network (RFC 3161)."""

from __future__ import annotations

import itertools
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIG = """\
[tsa]
default_tsa = local
[local]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamper.pem
signer_key = {folder}/stamper.key
{chain}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class LocalTsa:
    """Stamps bytes with the current time; `root` is the PEM to pin.

    `crl_url` is written into the stamper's certificate, as where its issuer publishes whom it revoked. With `intermediate`
    there is a certificate between stamper and root, and responses have both, in whatever order openssl likes. `began`
    and `days` are those of all its certificates: a stamp from outside of them proves nothing.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "Local time-stamp authority",
        *,
        crl_url: str | None = None,
        intermediate: bool = False,
        began: datetime | None = None,
        days: int = 1_000,
    ) -> None:
        self._folder = folder
        self._began = began or datetime.now(UTC) - timedelta(hours=1)
        self._ends = self._began + timedelta(days=days)
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()  # openssl counts serial numbers in a file
        self._revoked: list[x509.RevokedCertificate] = []
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._certify(f"{name} root", self._root_key, self._root_key, None)
        self._issuer_key, self._issuer = self._root_key, self._root
        if intermediate:
            self._issuer_key = ec.generate_private_key(ec.SECP256R1())
            self._issuer = self._certify(f"{name} intermediate", self._issuer_key, self._root_key, self._root)
        key = ec.generate_private_key(ec.SECP256R1())
        self._stamper = self._certify(name, key, self._issuer_key, self._issuer, crl_url, authority=False)
        self._write("root.pem", self._root.public_bytes(Encoding.PEM))
        self._write("chain.pem", self._issuer.public_bytes(Encoding.PEM))
        self._write("stamper.pem", self._stamper.public_bytes(Encoding.PEM))
        self._write("stamper.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._write("serial", b"01\n")
        chain = f"certs = {folder}/chain.pem" if intermediate else ""
        self._write("tsa.cnf", _CONFIG.format(folder=folder, chain=chain).encode())

    @property
    def root(self) -> str:
        return self._root.public_bytes(Encoding.PEM).decode()

    @property
    def root_file(self) -> Path:
        return self._folder / "root.pem"

    def token(self, data: bytes) -> bytes:
        """A response over these bytes."""
        with self._turn:
            self._write("data", data)
            self._run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "request.tsq")
        return self.reply((self._folder / "request.tsq").read_bytes())

    def reply(self, request: bytes) -> bytes:
        """The response to a request as it came."""
        with self._turn:
            self._write("query.tsq", request)
            arguments = ("-queryfile", "query.tsq", "-section", "local", "-out", "reply.tsr")
            self._run("ts", "-reply", "-config", "tsa.cnf", *arguments)
            return (self._folder / "reply.tsr").read_bytes()

    def revoke(self, reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise, when: datetime | None = None) -> None:
        """From now on its CRLs say that the stamper's certificate does not hold."""
        entry = x509.RevokedCertificateBuilder().serial_number(self._stamper.serial_number)
        entry = entry.revocation_date(when or datetime.now(UTC)).add_extension(x509.CRLReason(reason), critical=False)
        self._revoked.append(entry.build())

    def crl(self) -> bytes:
        """A fresh CRL of the stamper's issuer, as DER."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._issuer.subject)
        builder = builder.last_update(now - timedelta(minutes=1)).next_update(now + timedelta(days=7))
        for entry in self._revoked:
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._issuer_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _certify(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer_key: ec.EllipticCurvePrivateKey,
        issuer: x509.Certificate | None,
        crl_url: str | None = None,
        *,
        authority: bool = True,
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
        builder = builder.issuer_name(subject if issuer is None else issuer.subject).serial_number(next(self._numbers))
        builder = builder.not_valid_before(self._began).not_valid_after(self._ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(_usage(authority), critical=True)
        if not authority:
            stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(stamping, critical=True)
        if crl_url is not None:
            where = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([where]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    def _write(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)

    def _run(self, *arguments: str) -> None:
        result = subprocess.run(["openssl", *arguments], cwd=self._folder, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
