"""A TLS server that does, request by request, what a test tells it; its CA, and a client's certificate under it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deedbox_desktop.engine.box.https import HttpsPeer
from deedbox_desktop.engine.box.tls import device_context

Answer = Callable[["Wire"], None]


@dataclass
class Wire:
    """One connection as the server has it: reads requests whole or in part, sends raw bytes."""

    link: ssl.SSLSocket
    held: bytes = b""

    def comes(self) -> bool:
        """Whether another request begins before the connection ends."""
        self.held = self.held or self.link.recv(65536)
        return bool(self.held)

    def head(self) -> bytes:
        while b"\r\n\r\n" not in self.held:
            data = self.link.recv(65536)
            if not data:
                raise ConnectionResetError
            self.held += data
        head, self.held = self.held.split(b"\r\n\r\n", 1)
        return head

    def request(self) -> tuple[bytes, bytes]:
        head = self.head()
        length = next(
            (int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.lower().startswith(b"content-length")), 0
        )
        while len(self.held) < length:
            self.held += self.link.recv(65536)
        body, self.held = self.held[:length], self.held[length:]
        return head.split(b"\r\n")[0], body

    def send(self, body: bytes, status: str = "200 OK", kind: str = "application/json", more: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.link.sendall(head.encode() + body)


@dataclass
class Site:
    """A CA, a server under it that does what a test asks, and a client's certificate."""

    folder: Path
    answers: list[Answer] = field(default_factory=list)
    connections: int = 0
    versions: list[str | None] = field(default_factory=list)
    peers: list[HttpsPeer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ca_key, self.ca = authority("Box CA")
        self.client_key = Ed25519PrivateKey.generate()
        self.client = issue(self.ca_key, self.ca, self.client_key, ExtendedKeyUsageOID.CLIENT_AUTH)
        self.serve(self.ca_key, self.ca)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def serve(
        self,
        ca_key: EllipticCurvePrivateKey,
        ca: x509.Certificate,
        *,
        tls12: bool = False,
        since: datetime | None = None,
        days: int = 1,
    ) -> None:
        key = generate_private_key(SECP256R1())
        certificate = issue(ca_key, ca, key, ExtendedKeyUsageOID.SERVER_AUTH, since, days)
        pem = self.folder / f"{uuid4()}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.context.load_verify_locations(cadata=self.ca.public_bytes(Encoding.PEM).decode())
        self.context.verify_mode = ssl.CERT_REQUIRED
        if tls12:
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2

    def peer(self) -> HttpsPeer:
        ca = self.ca.public_bytes(Encoding.PEM).decode()
        client = self.client.public_bytes(Encoding.PEM).decode()
        made = HttpsPeer(self.url, device_context(ca, client, self.client_key, self.folder))
        self.peers.append(made)
        return made

    def close(self) -> None:
        self.listener.close()
        for peer in self.peers:
            peer.close()

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._converse, args=(plain,), daemon=True).start()

    def _converse(self, plain: socket.socket) -> None:
        try:
            with self.context.wrap_socket(plain, server_side=True) as link:
                self.versions.append(link.version())
                wire = Wire(link)
                while wire.comes() and self.answers:
                    self.answers.pop(0)(wire)
        except OSError:
            plain.close()


def authority(name: str, since: datetime | None = None) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    key = generate_private_key(SECP256R1())
    return key, certificate(name, key.public_key(), name, key, ca=True, days=3650, since=since)


def issue(
    ca_key: EllipticCurvePrivateKey,
    ca: x509.Certificate,
    key: EllipticCurvePrivateKey | Ed25519PrivateKey,
    usage: x509.ObjectIdentifier,
    since: datetime | None = None,
    days: int = 1,
) -> x509.Certificate:
    issuer = str(ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    return certificate("leaf", key.public_key(), issuer, ca_key, usage=usage, since=since, days=days)


def certificate(
    subject: str,
    public: EllipticCurvePublicKey | Ed25519PublicKey,
    issuer: str,
    key: EllipticCurvePrivateKey,
    *,
    ca: bool = False,
    usage: x509.ObjectIdentifier | None = None,
    uri: str | None = None,
    days: int = 1,
    since: datetime | None = None,
) -> x509.Certificate:
    now = since or datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, 0 if ca else None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if uri is not None:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256())
