"""Live events over real HTTPS: lines as an EventSource reads them, and a box that stops does not wait for who listens."""

import asyncio
import contextlib
import socket
import ssl

import httpx
import pytest
import uvicorn

from deedbox_server.app.listeners import people_app
from deedbox_server.web.refusals import Refusals
from deedbox_server.web.tls import people_config
from kit.open_box import Office

pytestmark = pytest.mark.anyio

PATIENCE = 120  # seconds; a machine under load


async def test_a_stream_tells_and_ends_with_the_box(desk_and_box: Office) -> None:
    box = desk_and_box.box
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    await desk_and_box.settle()
    listening = socket.create_server(("localhost", 0))
    port = listening.getsockname()[1]
    config = people_config(people_app(box), await box.authority.listener("people", ["localhost"]), Refusals())
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(server.serve(sockets=[listening]))
    looking = asyncio.create_task(box.live.run())
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with asyncio.timeout(PATIENCE):
        while not server.started:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        asked = "GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nLast-Event-ID: 0\r\n"
        writer.write(f"{asked}Authorization: Bearer {key.text}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200")
        assert "content-type: text/event-stream" in head
        assert "content-encoding" not in head
        assert b"retry: 3000" in await reader.readuntil(b"\n\n")
        async with box.database.transaction():
            await box.trail.changed(desk_and_box.principal, "party.write", case=desk_and_box.case.id)
        await desk_and_box.settle()
        heard = b""
        while b"party.write" not in heard:
            heard += await reader.readuntil(b"\n\n")
        assert b"event: case.changed" in heard
        box.live.stop()
        server.should_exit = True
        await running  # no longer than the stream takes to end
        writer.close()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_an_id_that_is_none_and_a_stranger_are_refused(desk_and_box: Office) -> None:
    box = desk_and_box.box
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        headers = {"Authorization": f"Bearer {key.text}", "Last-Event-ID": "-1"}
        assert (await client.get("/api/v1/events/stream", headers=headers)).status_code == 400
        assert (await client.get("/api/v1/events/stream")).status_code == 401
