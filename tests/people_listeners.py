"""Both listeners of a box's people on loopback: real uvicorn, real TLS, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives import serialization
from litestar import Litestar, get
from litestar.di import NamedDependency, Provide

from deedbox_server.people import Credential, Principal
from deedbox_server.web.identity import provide_device, provide_person
from deedbox_server.web.keys import KeyController
from deedbox_server.web.pairing import PairingController
from deedbox_server.web.people import PeopleController
from deedbox_server.web.problems import EXCEPTION_HANDLERS
from deedbox_server.web.refusals import Refusals
from deedbox_server.web.tls import device_config, people_config
from people_box import PeopleBox

HOSTS = ["localhost", "127.0.0.1"]
REFUSED = "refused"


@get("/device/v1/whoami")
async def whoami(principal: NamedDependency[Principal]) -> dict[str, str]:
    return {"actor": principal.actor_id, "via": principal.via}


def people_app(box: PeopleBox, *handlers: Any) -> Litestar:
    return _app(box, provide_person, KeyController, PairingController, PeopleController, *handlers)


def device_app(box: PeopleBox, *handlers: Any) -> Litestar:
    return _app(box, provide_device, whoami, *handlers)


def _app(box: PeopleBox, identity: Any, *handlers: Any) -> Litestar:
    services = {
        "accounts": box.accounts,
        "outside_tokens": box.outside_tokens,
        "rate_limits": box.rate_limits,
        "signed_calls": box.signed_calls,
        "api_keys": box.api_keys,
        "database": box.db,
        "devices": box.devices,
        "pairing": box.pairing,
        "permissions": box.permissions,
        "sessions": box.sessions,
        "trail": box.trail,
    }

    def given(value: object) -> Provide:
        return Provide(lambda: value, sync_to_thread=False)

    return Litestar(
        list(handlers),
        dependencies={name: given(value) for name, value in services.items()} | {"principal": Provide(identity)},
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Connection:
    """A kept-alive HTTP/1.1 connection of the standard library, driven from a thread."""

    raw: http.client.HTTPSConnection

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        return await asyncio.to_thread(self._ask, method, path, body, headers)

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Reply:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self.raw.request(method, path, data, headers)
        answer = self.raw.getresponse()
        text = answer.read()
        return Reply(answer.status, json.loads(text) if text else None, {k.lower(): v for k, v in answer.getheaders()})

    @property
    def local_port(self) -> int:
        return int(self.raw.sock.getsockname()[1])


@dataclass
class Listeners:
    box: PeopleBox
    folder: Path
    people_port: int
    device_port: int
    refusals: Refusals
    servers: list[uvicorn.Server] = field(default_factory=list)

    def client_context(self, pem: str | None = None, key: Any = None) -> ssl.SSLContext:
        """As a desk's: our CA only, and a certificate to show if given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.box.authority.pem)
        if pem is not None:
            file = self.folder / "client.pem"
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            file.write_text(pem + private.decode())
            context.load_cert_chain(file)
        return context

    @contextlib.contextmanager
    def connection(self, port: int, context: ssl.SSLContext) -> Any:
        raw = http.client.HTTPSConnection("localhost", port, context=context, timeout=10)
        try:
            yield Connection(raw)
        finally:
            raw.close()

    async def raw_handshake(self, port: int, context: ssl.SSLContext | None, send: bytes = b"") -> str:
        """What a bare TLS client meets: the version over which it got an answer, or REFUSED.

        Which alert says so is not looked at: asyncio and uvloop close without sending one.
        """
        return await asyncio.to_thread(self._raw_handshake, port, context, send)

    def _raw_handshake(self, port: int, context: ssl.SSLContext | None, send: bytes) -> str:
        with socket.create_connection(("localhost", port), timeout=10) as plain:
            if context is None:
                plain.sendall(send)
                return plain.recv(100).hex()
            try:
                with context.wrap_socket(plain, server_hostname="localhost") as secure:
                    secure.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    version = str(secure.version())
                    # In TLS 1.3 a client learns only now that its certificate was refused.
                    return version if secure.recv(1) else REFUSED
            except (ssl.SSLError, ConnectionError):
                return REFUSED


@contextlib.asynccontextmanager
async def listening(box: PeopleBox, folder: Path, *device_handlers: Any) -> AsyncIterator[Listeners]:
    refusals = Refusals()
    credentials: list[Credential] = [await box.authority.listener(name, HOSTS) for name in ("people", "device")]
    configs = [
        people_config(people_app(box), credentials[0], refusals),
        device_config(device_app(box, *device_handlers), credentials[1], box.authority, refusals),
    ]
    sockets = [socket.create_server(("localhost", 0)) for _ in configs]
    servers = [uvicorn.Server(config) for config in configs]
    for server in servers:
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    running = [asyncio.create_task(s.serve(sockets=[sock])) for s, sock in zip(servers, sockets, strict=True)]
    while not all(server.started for server in servers):
        await asyncio.sleep(0.01)
    ports = [sock.getsockname()[1] for sock in sockets]
    try:
        yield Listeners(box, folder, ports[0], ports[1], refusals, servers)
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)
