"""HTTP/1.1 over one TLS connection a thread, kept alive. No redirects, no proxies, no cookies, bounded answers."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from deedbox_desktop.engine.errors import BoxError, BoxRefused, BoxUnintelligible, BoxUnreachable
from deedbox_sync import timestamp
from deedbox_sync.transfer import Problem

CONNECT_S: Final = 10  # a box in the office answers in milliseconds, one behind a tunnel in a second
ANSWER_S: Final = 120  # a full batch behind somebody else's gigabytes; receipts wait ten of them by themselves
IDLE_S: Final = 3  # servers close what has been idle for five: we do it first, and never race with them
MOST_PROBLEM: Final = 64 << 10

_PROBLEM_PREFIX: Final = "urn:deedbox:problem:"
# The connection broke, not the box: what was asked may be asked again.
_BROKEN: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError, http.client.CannotSendRequest)


@dataclass(frozen=True)
class Body:
    """Bytes as they are made: `pieces` come to `length` in all, and can be had only once."""

    length: int
    pieces: Iterator[memoryview]


class _Connection:
    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self.http = http.client.HTTPSConnection(host, port, timeout=CONNECT_S, context=context)
        self.used = 0.0
        self.certificate: bytes | None = None

    @property
    def fresh(self) -> bool:
        return self.http.sock is None

    def settle(self) -> None:
        """Let go of a connection that the other side may be about to close."""
        if not self.fresh and time.monotonic() - self.used > IDLE_S:
            self.http.close()

    def connect(self) -> None:
        if self.fresh:
            self.http.timeout = CONNECT_S
            self.http.connect()
            self.http.sock.settimeout(ANSWER_S)
            self.certificate = self.http.sock.getpeercert(binary_form=True)


class HttpsPeer:
    """Requests to one address. Thread-safe: each thread has its own connection."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.path.strip("/"):
            raise BoxUnintelligible(f"{url} is not an address of the form https://host:port.")
        self._host, self._port = parts.hostname, parts.port or 443
        self._context = context
        self._local = threading.local()
        self._all: list[_Connection] = []

    def use(self, context: ssl.SSLContext) -> None:
        """Show another certificate from now on; each thread connects anew before its next request."""
        self._context = context

    def request(
        self, method: str, path: str, body: bytes | Body = b"", *, kind: str = "application/json", limit: int
    ) -> bytes:
        """The body of a 2xx answer of at most `limit` bytes. BoxError for all else; what a Body's pieces raise passes."""
        connection = self._connection()
        connection.settle()
        again = not connection.fresh and isinstance(body, bytes)
        try:
            return self._ask(connection, method, path, body, kind, limit)
        except _BROKEN as error:
            connection.http.close()
            if not again:
                raise _unreachable(error) from error
        except (OSError, http.client.HTTPException) as error:
            connection.http.close()
            raise _unreachable(error) from error
        except BoxRefused:
            raise
        except BaseException:
            connection.http.close()
            raise
        try:  # a kept connection had been closed by the other side: once more on a new one
            return self._ask(connection, method, path, body, kind, limit)
        except (OSError, http.client.HTTPException) as error:
            connection.http.close()
            raise _unreachable(error) from error

    def peer_certificate(self) -> bytes:
        """What the connection of this thread's last request showed, DER."""
        found = self._connection().certificate
        if not found:
            raise BoxUnreachable("There was no connection to the box.")
        return found

    def cut(self) -> None:
        """Break every thread's connection now: who waits on one gets BoxUnreachable."""
        for connection in list(self._all):
            link = connection.http.sock
            if link is not None:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every thread's connection; nobody may be using one. What is asked afterwards is asked on a new one."""
        for connection in self._all:
            connection.http.close()

    def _connection(self) -> _Connection:
        known = getattr(self._local, "connection", None)
        if isinstance(known, _Connection) and self._local.context is self._context:
            return known
        if known is not None:
            known.http.close()
        self._local.connection = made = _Connection(self._host, self._port, self._context)
        self._local.context = self._context
        self._all.append(made)
        return made

    def _ask(self, connection: _Connection, method: str, path: str, body: bytes | Body, kind: str, limit: int) -> bytes:
        connection.connect()
        link = connection.http
        length = len(body) if isinstance(body, bytes) else body.length
        link.putrequest(method, path, skip_accept_encoding=True)
        if body or method != "GET":
            link.putheader("Content-Type", kind)
            link.putheader("Content-Length", str(length))
        link.endheaders(body if isinstance(body, bytes) and body else None)
        whole = isinstance(body, bytes) or _send(link, body)
        with link.getresponse() as answer:
            good = 200 <= answer.status < 300
            most = limit if good else MOST_PROBLEM
            data = answer.read(most + 1)
            if answer.length and len(data) <= most:
                raise ConnectionError("the answer ended early")
            if not whole or not answer.isclosed():
                link.close()
            connection.used = time.monotonic()
            if not good:
                raise _refusal(answer.status, answer.headers.get_content_type(), data)
        if len(data) > limit:
            raise BoxUnintelligible("The box's answer is longer than any answer should be.")
        return data


def _send(link: http.client.HTTPSConnection, body: Body) -> bool:
    """All pieces. False if the box broke off: it may have said why, which the caller reads."""
    sent = 0
    for piece in body.pieces:
        try:
            link.sock.sendall(piece)
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            link.sock.settimeout(CONNECT_S)
            return False
        sent += len(piece)
    if sent != body.length:
        raise ConnectionError("the body ended early")
    return True


def _refusal(status: int, kind: str, data: bytes) -> BoxError:
    if kind != "application/problem+json":
        return BoxUnintelligible(f"The box answered with status {status} and no explanation.")
    try:
        said = json.loads(data)
        slug = str(said["type"]).removeprefix(_PROBLEM_PREFIX)
        detail = said.get("detail") or said.get("title") or ""
        expected, offset = said.get("expected"), said.get("offset")
        time = timestamp.parse(str(said["time"])) if "time" in said else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return BoxUnintelligible(f"The box answered with status {status} and an explanation that cannot be read.")
    problem = Problem(slug[:64], str(detail)[:1000], expected if type(expected) is int else None)
    return BoxRefused(problem, status, offset if type(offset) is int else None, time)


def _unreachable(error: Exception) -> BoxUnreachable:
    if isinstance(error, TimeoutError):
        return BoxUnreachable("The box does not answer.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return BoxUnreachable("What answers at the box's address does not have the box's certificate.")
    if isinstance(error, ssl.SSLError):
        return BoxUnreachable(f"The secure connection to the box failed ({error.reason or error}).")
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return BoxUnreachable(f"The box cannot be reached ({words}).")
