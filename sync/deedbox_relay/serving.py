"""Run the relay until told to stop; then let open requests finish."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from deedbox_disk import durable
from deedbox_relay.errors import SetupError
from deedbox_relay.store import RelayStore
from deedbox_relay.web import Service, relay_app

_DRAIN_SECONDS: Final = 10
_KEEP_ALIVE_SECONDS: Final = 75  # askers come once a minute: their connection is still there
_MAX_CONNECTIONS: Final = 512

log = logging.getLogger("deedbox.relay")


@dataclass(frozen=True)
class Serving:
    """How to serve: `certificate` and `private_key` are PEM files for TLS 1.3, None where a proxy in front speaks TLS.
    `ready_file` gets the address once known."""

    host: str
    port: int
    certificate: Path | None
    private_key: Path | None
    ready_file: Path | None = None


async def serve(open_store: Callable[[], RelayStore], serving: Serving) -> None:
    """Until SIGTERM or SIGINT."""
    context = None if serving.certificate is None else _context(serving.certificate, serving.private_key)
    service = Service(open_store)
    try:
        await _run(service, context, serving)
    finally:
        service.close()


async def _run(service: Service, context: ssl.SSLContext | None, serving: Serving) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    listening = socket.create_server((serving.host, serving.port), family=family, backlog=128)
    config = uvicorn.Config(
        relay_app(service),
        ws="none",
        ssl_context_factory=None if context is None else lambda _config, _default: context,
        # Behind a proxy on this machine its word counts for who asks; without one a forwarded address is anybody's word.
        proxy_headers=context is None,
        forwarded_allow_ips="127.0.0.1,::1",
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
        await asyncio.sleep(0.01)
    address = listening.getsockname()[:2]
    if serving.ready_file is not None:
        durable.write_file(serving.ready_file, json.dumps({"address": address, "pid": os.getpid()}).encode())
    log.info("serving on port %d as %s", address[1], service.vkey)
    await stop.wait()
    server.should_exit = True
    await running


def _context(certificate: Path, private_key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certificate, private_key)
    except ssl.SSLError as error:
        raise SetupError(f"{certificate} and its private key do not fit, or are not PEM.") from error
    return context


class _Server(uvicorn.Server):
    """Signals belong to the program."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield
