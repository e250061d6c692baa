"""TLS 1.3 to our box and to no other: its own CA is the only one believed, and the desk shows its certificate."""

import os
import secrets
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from deedbox_desktop.engine.errors import KeysLocked

_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for


def device_context(ca: str, certificate: str, key: Ed25519PrivateKey, scratch: Path) -> ssl.SSLContext:
    """The context for the device listener.

    The name in the certificate is not compared: the CA signs servers for this one box only, so whatever server it signed is
    the box, by whatever address it is reached. OpenSSL takes a key from a file only: it is written to `scratch` encrypted
    under a password that is never stored, and removed at once.
    """
    context = authority_context(ca)
    password = secrets.token_urlsafe(32)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    path = scratch / f"tls-{os.urandom(8).hex()}.pem"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate.encode() + sealed)
        context.load_cert_chain(path, password=password)
    except ssl.SSLError as error:
        raise KeysLocked("This desk's certificate and its key do not belong together. Pair again.") from error
    finally:
        path.unlink(missing_ok=True)
    return context


def authority_context(ca: str) -> ssl.SSLContext:
    """Believes servers signed by this CA alone. Used as it is for the people's listener, where a renewal goes."""
    context = _context()
    context.load_verify_locations(cadata=ca)
    return context


def stranger_context() -> ssl.SSLContext:
    """Believes anybody: only for pairing, which proves by itself who is at the other end."""
    context = _context()
    context.verify_mode = ssl.CERT_NONE
    return context


def _context() -> ssl.SSLContext:
    """Dates are left to whoever knows the box's clock (`box.client`): by a laptop's whose battery died, no certificate is
    valid. Nothing is lost by it: a listener keeps its key, so whoever had stolen that could show the newest certificate too.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_flags |= _NO_CHECK_TIME
    return context
