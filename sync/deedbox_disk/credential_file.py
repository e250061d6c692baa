"""A private key for Python's TLS, which takes keys from files only, without one on the disk."""

import os
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


def load_credential(context: ssl.SSLContext, certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> None:
    """What handshakes from now on show; open connections stay. The file is encrypted under a password that is never written,
    and gone at once."""
    password = os.urandom(32).hex()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    with tempfile.TemporaryDirectory(prefix="deedbox-") as folder:
        file = Path(folder) / "credential.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        context.load_cert_chain(file, password=password)
