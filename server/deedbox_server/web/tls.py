"""The two listeners: TLS 1.3 and nothing older, our own authority for devices, and every refused handshake counted.

Neither uvicorn nor asyncio tells of a handshake that failed, so the TLS object itself does: `SSLContext.sslobject_class`
is Python's own place for that and works under asyncio and uvloop alike. There is no resumption (`num_tickets = 0`), so
that each connection shows its certificate anew; what it showed goes with each of its requests.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deedbox_server.people.authority import Authority, Credential, pem_text
from deedbox_server.web.bodies import BodyProtocol, connections
from deedbox_server.web.refusals import Refusals
from deedbox_sync.device_record import serial_text

__all__ = ["Refusals", "device_config", "device_context", "load_credential", "people_config", "people_context"]

PEER_EXTENSION: Final = "deedbox.peer"  # in the ASGI scope: the serial of the certificate that TLS verified, or None
REFUSALS_EXTENSION: Final = "deedbox.refusals"

KEEP_ALIVE_SECONDS: Final = 75  # a desk that waits for receipts asks again within ten
DRAIN_SECONDS: Final = 20  # open requests at the end; uploads go on at the next start


def people_config(app: Any, credential: Credential, refusals: Refusals | None = None) -> uvicorn.Config:
    """The people's listener: no client certificates."""
    refusals = refusals or Refusals()
    return _config(app, people_context(credential, refusals), refusals)


def device_config(app: Any, credential: Credential, authority: Authority, refusals: Refusals) -> uvicorn.Config:
    """The devices' listener: who has no certificate of this box's authority does not get as far as a request."""
    return _config(app, device_context(credential, authority.pem, refusals), refusals)


def people_context(credential: Credential, refusals: Refusals) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = _watched(refusals)
    load_credential(context, credential)
    return context


def device_context(credential: Credential, authority_pem: str, refusals: Refusals) -> ssl.SSLContext:
    """Believes this one CA, and only certificates for clients (OpenSSL checks the purpose by itself)."""
    context = people_context(credential, refusals)
    context.load_verify_locations(cadata=authority_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_credential(context: ssl.SSLContext, credential: Credential) -> None:
    """What handshakes from now on show; open connections stay. Python takes keys from files only: the file is encrypted
    under a password that is never written, and gone at once."""
    password = os.urandom(32).hex()
    key = credential.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    with tempfile.TemporaryDirectory(prefix="deedbox-") as folder:
        file = Path(folder) / "credential.pem"
        file.write_bytes(pem_text(credential.certificate).encode() + key)
        context.load_cert_chain(file, password=password)


def _config(app: Any, context: ssl.SSLContext, refusals: Refusals) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=connections(_protocol(refusals)),  # type: ignore[arg-type] # uvicorn only ever calls it
        ws="none",
        ssl_context_factory=lambda _config, _default: context,
        proxy_headers=False,  # nobody stands between: a forwarded address would be whatever the sender likes
        server_header=False,
        access_log=False,  # what was asked for is in the custody of the evidence, not in a log file
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _watched(refusals: Refusals) -> type[ssl.SSLObject]:
    class Watched(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise  # not refused: not done
            except ssl.SSLError as error:
                refusals.handshake(error)
                raise

    return Watched


def _protocol(refusals: Refusals) -> type[BodyProtocol]:
    class Protocol(BodyProtocol):
        """Puts what TLS verified into the scope of each request of the connection."""

        _peer: str | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._peer = _verified_serial(transport.get_extra_info("ssl_object"))

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope["extensions"] = {PEER_EXTENSION: {"serial": self._peer}, REFUSALS_EXTENSION: {"to": refusals}}

    return Protocol


def _verified_serial(connection: ssl.SSLObject | None) -> str | None:
    """None without a certificate. Python gives the peer's only where the handshake verified it (CERT_REQUIRED)."""
    if connection is None or connection.context.verify_mode != ssl.CERT_REQUIRED:
        return None
    der = connection.getpeercert(binary_form=True)
    return None if der is None else serial_text(x509.load_der_x509_certificate(der).serial_number)
