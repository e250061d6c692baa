"""A time-stamp authority behind real HTTP on loopback, with its CRL, and with the ways in which one can fail.

A server is `honest`, `absent` (drops the connection), `slow` (answers after half a minute), `ill` (status 503), `garbage`,
`refusing` (a response that says no), `other-bytes` (stamps something else), `other-nonce` (answers yesterday's request) or
`other-root` (an authority of the same name that nobody knows).
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal

import rfc3161_client
from cryptography import x509

from kit.loopback_http import Asked, LoopbackServer, Told
from local_tsa import LocalTsa

Behaviour = Literal[
    "honest", "absent", "slow", "ill", "garbage", "refusing", "other-bytes", "other-nonce", "other-root"
]

SLOW = 30.0  # seconds
# TimeStampResp { status { status rejection(2) } }
_REFUSAL = bytes.fromhex("30053003020102")


class TsaServer:
    """`stamps` counts the requests for stamps, `lists` those for the CRL."""

    def __init__(self, folder: Path, name: str = "Local time-stamp authority", **certificates: object) -> None:
        folder.mkdir(parents=True)
        self._folder, self._name = folder, name
        self.behaviour: Behaviour = "honest"
        self.crl_missing = False
        self.stamps = 0
        self.lists = 0
        self.before_answer: Callable[[], None] = lambda: None
        self._ended = threading.Event()
        self._server = LoopbackServer(self._answer)
        self.url = f"{self._server.url}/tsa"
        crl_url = f"{self._server.url}/authority.crl"
        self.tsa = LocalTsa(folder, name, crl_url=crl_url, **certificates)  # type: ignore[arg-type]

    @property
    def root(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.tsa.root.encode())

    def close(self) -> None:
        self._ended.set()
        self._server.close()

    def __enter__(self) -> TsaServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _answer(self, asked: Asked) -> Told | None:
        if asked.method == "GET" and asked.path == "/authority.crl":
            self.lists += 1
            return (
                Told(404, "text/plain", b"") if self.crl_missing else Told(200, "application/pkix-crl", self.tsa.crl())
            )
        if (asked.method, asked.path, asked.content_type) != ("POST", "/tsa", "application/timestamp-query"):
            return Told(400, "text/plain", b"not a request for a time stamp")
        self.stamps += 1
        self.before_answer()
        match self.behaviour:
            case "absent":
                return None
            case "slow":
                self._ended.wait(SLOW)
            case "ill":
                return Told(503, "text/plain", b"out of order")
            case "garbage":
                return _reply(b"<html>Welcome to the hotel's network</html>")
            case "refusing":
                return _reply(_REFUSAL)
            case "other-bytes":
                return _reply(self.tsa.reply(asked.content.replace(_digest(asked.content), bytes(32))))
            case "other-nonce":
                return _reply(self._yesterday(asked.content))
            case "other-root":
                folder = self._folder / f"stranger-{self.stamps}"
                folder.mkdir()
                return _reply(LocalTsa(folder, self._name).reply(asked.content))
        return _reply(self.tsa.reply(asked.content))

    def _yesterday(self, request: bytes) -> bytes:
        """A response over the right bytes to a request with another nonce."""
        query = self._folder / "yesterday.tsq"
        command = ["openssl", "ts", "-query", "-digest", _digest(request).hex(), "-sha256", "-cert", "-out", str(query)]
        subprocess.run(command, check=True, capture_output=True)
        return self.tsa.reply(query.read_bytes())


def _digest(request: bytes) -> bytes:
    return bytes(rfc3161_client._rust.parse_timestamp_request(request).message_imprint.message)


def _reply(content: bytes) -> Told:
    return Told(200, "application/timestamp-reply", content)
