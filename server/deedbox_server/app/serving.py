"""Run a box: two listeners, the sequencer, the workers' dispatcher, until told to stop; then let what runs finish."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import uvicorn

from deedbox_server.app.listeners import device_app, people_app
from deedbox_server.app.parts import Box
from deedbox_server.database import DatabaseError
from deedbox_server.documents.dating_again import date_what_was_read
from deedbox_server.errors import DeedboxError
from deedbox_server.jobs import Runner
from deedbox_server.search.service import rebuild
from deedbox_server.web.tls import Refusals, device_config, load_credential, people_config

DRAIN_SECONDS = 20  # how long open requests may take to end after a signal; uploads then resume at the next start
_REFUSALS_EVERY = 60.0
_DISPOSALS_EVERY = 60.0
_CERTIFICATES_EVERY = 24 * 3600.0

log = logging.getLogger("deedbox.app")


@dataclass(frozen=True)
class Addresses:
    """Where the box listens, once it does."""

    people: tuple[str, int]
    device: tuple[str, int]


async def serve(box: Box, ready: Callable[[Addresses], Awaitable[None]]) -> None:
    """Serve until SIGTERM or SIGINT. `ready` is called once both listeners accept and the log has its first checkpoint."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await box.vault.sweep(await box.uploads.unfinished())
    await box.carrying_out.resume()
    await box.erasures.resume()
    while await box.sequencer.step():
        pass
    people_socket, device_socket = (
        _listen(box.settings.people_host, box.settings.people_port),
        _listen(box.settings.device_host, box.settings.device_port),
    )
    box.whereabouts.device_port = device_socket.getsockname()[1]
    refusals = Refusals()
    hosts = _names(box)
    servers = [
        _Server(people_config(people_app(box), await box.authority.listener("people", hosts), refusals)),
        _Server(device_config(device_app(box), await box.authority.listener("device", hosts), box.authority, refusals)),
    ]
    # Holding the folder's lock, nobody else works on these jobs: what a crash left is taken up at once.
    alone = box.settings.database_url is None
    concurrency = box.settings.worker_count
    runner = Runner(box.jobs, box.handlers, concurrency=concurrency, alone=alone, restrained=box.intake.is_busy)
    async with asyncio.TaskGroup() as group:
        background = [
            group.create_task(box.sequencer.run()),
            group.create_task(box.beacons.run()),
            group.create_task(box.stamps.run()),
            group.create_task(box.witnesses.run()),
            group.create_task(box.trail.run()),
            group.create_task(box.live.run()),
            group.create_task(_report_refusals(box, refusals)),
            group.create_task(_end_disposals(box)),
            group.create_task(_prepare_reading(box)),
            group.create_task(
                _renew_certificates(box, {"people": servers[0].config, "device": servers[1].config}, hosts)
            ),
        ]
        working = group.create_task(runner.run())
        serving = [
            group.create_task(server.serve(sockets=[listening]))
            for server, listening in zip(servers, (people_socket, device_socket), strict=True)
        ]
        while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn has a flag, no event
            await asyncio.sleep(0.01)
        await ready(Addresses(people_socket.getsockname()[:2], device_socket.getsockname()[:2]))
        await stop.wait()
        log.info("stopping: open requests have %d seconds", DRAIN_SECONDS)
        box.deskless.stop()
        box.live.stop()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*serving)
        runner.stop()
        await working
        for task in background:
            task.cancel()
    await box.trail.close()
    with contextlib.suppress(Exception):  # a last group is a courtesy: what pends is durable and comes first next time
        await box.sequencer.step()


async def _end_disposals(box: Box) -> None:
    """What somebody who was reading has kept from its end is ended later."""
    while True:
        await asyncio.sleep(_DISPOSALS_EVERY)
        try:
            await box.carrying_out.resume()
            await box.erasures.resume()
        except (DatabaseError, DeedboxError) as error:
            log.warning("a disposal could not be ended: %s", type(error).__name__)


async def _prepare_reading(box: Box) -> None:
    """Say why nothing can be read, if so; queue again what waited for an administrator; fill an index that is new."""
    if (problem := await box.reading.problem()) is not None:
        log.warning("documents cannot be read on this machine: %s", problem)
    else:
        await box.reading.try_again()
    if box.index.is_new:
        log.info("filling the search index")
        await rebuild(box.database, box.index, box.reading.index_exhibit)
    await date_what_was_read(box.database, box.reading.date_exhibit)


async def _renew_certificates(box: Box, configs: Mapping[str, uvicorn.Config], hosts: Sequence[str]) -> None:
    """A box that runs for a year still shows certificates that hold: handshakes from now on get the next one."""
    while True:
        await asyncio.sleep(_CERTIFICATES_EVERY)
        for name, config in configs.items():
            if config.ssl is not None:
                load_credential(config.ssl, await box.authority.listener(name, hosts))


class _Server(uvicorn.Server):
    """Signals belong to the box, not to one of its two listeners."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
    )
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, which accepted ones do not; without it
    # the second half of each answer waits 40 ms for the caller's acknowledgement of the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setblocking(False)
    return listening


def _names(box: Box) -> list[str]:
    """Names and addresses that the listeners' certificates carry."""
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname().lower(), *box.settings.people_names]
    for host in (box.settings.people_host, box.settings.device_host):
        names += _interfaces() if host in ("0.0.0.0", "::") else [host]  # noqa: S104 - compared, not bound
    return list(dict.fromkeys(names))


def _interfaces() -> list[str]:
    """The addresses of this machine that others use, as far as its own name tells."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, proto=socket.IPPROTO_TCP)
    except OSError:
        return []
    return [str(address[4][0]).split("%", 1)[0] for address in found]


async def _report_refusals(box: Box, refusals: Refusals) -> None:
    """Refused handshakes and strangers' requests go into the log as counts per minute, not one by one."""
    while True:
        await asyncio.sleep(_REFUSALS_EVERY)
        counts = refusals.take()
        if counts:
            await box.notary.publish("refusals", dict(sorted(counts.items())))
