"""Run the service until told to stop; then let open requests finish."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn

from deedbox_disk import durable
from deedbox_fallback.beacons import Beacons
from deedbox_fallback.box_access import box_access
from deedbox_fallback.box_watch import BoxWatch
from deedbox_fallback.certificates import Listener, authority
from deedbox_fallback.errors import SetupError
from deedbox_fallback.limits import MAX_CONNECTIONS
from deedbox_fallback.outgoing import box_client, outside_client
from deedbox_fallback.store import Store
from deedbox_fallback.web import Service, fallback_app
from deedbox_fallback.worker import Worker
from deedbox_sync.beacon import Chain

_DRAIN_SECONDS: Final = 10
_KEEP_ALIVE_SECONDS: Final = 75
_CERTIFICATE_EVERY: Final = 24 * 3600.0

log = logging.getLogger("deedbox.fallback")


@dataclass(frozen=True)
class Serving:
    """How to serve: `hosts` are further names that callers use for this machine; `ready_file` gets the address once known."""

    host: str
    port: int
    hosts: Sequence[str]
    beacon_endpoints: Sequence[str]
    beacon_chain: Chain
    ready_file: Path | None = None


async def serve(open_store: Callable[[], Store], serving: Serving) -> None:
    """Until SIGTERM or SIGINT."""
    worker = Worker(open_store)
    try:
        own, access = await worker.do(authority), await worker.do(box_access)
        if own is None:
            raise SetupError("This service was not made completely: remove its folder and run `deedbox-fallback init`.")
        if access is None:
            raise SetupError("Say which box this stands in for: `deedbox-fallback set-box`.")
        await worker.do(Store.try_all_again)
        listener = Listener(own, [*_NAMES, socket.gethostname().lower(), *_bound(serving.host), *serving.hosts])
        listener.renew(datetime.now(UTC))
        async with box_client(access.authority_pem) as to_box, outside_client() as to_outside:
            beacons = Beacons(to_outside, serving.beacon_chain, serving.beacon_endpoints)
            service = Service(worker, beacons, BoxWatch(to_box, access, worker))
            await _run(service, listener, serving)
    finally:
        worker.close()


_NAMES: Final = ("localhost", "127.0.0.1", "::1")


async def _run(service: Service, listener: Listener, serving: Serving) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    listening = socket.create_server((serving.host, serving.port), family=family, backlog=128)
    config = uvicorn.Config(
        fallback_app(service),
        ws="none",
        ssl_context_factory=lambda _config, _default: listener.context,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        background = [
            group.create_task(service.beacons.run()),
            group.create_task(service.box.run()),
            group.create_task(_renew(listener)),
        ]
        running = group.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
            await asyncio.sleep(0.01)
        address = listening.getsockname()[:2]
        if serving.ready_file is not None:
            durable.write_file(serving.ready_file, json.dumps({"address": address, "pid": os.getpid()}).encode())
        log.info("serving on port %d", address[1])
        await stop.wait()
        server.should_exit = True
        await running
        for task in background:
            task.cancel()


async def _renew(listener: Listener) -> None:
    while True:
        await asyncio.sleep(_CERTIFICATE_EVERY)
        listener.renew(datetime.now(UTC))


class _Server(uvicorn.Server):
    """Signals belong to the service, which has more to end than its listener."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _bound(host: str) -> list[str]:
    """The address as a name, where it is one that somebody can call."""
    return [] if host in ("", "0.0.0.0", "::") else [host]  # noqa: S104 - compared, not bound
