"""A body that is taken passes the HTTP parser by, and nothing else about the connection changes: real uvicorn, real TLS."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deedbox_server.web.bodies import BODY_EXTENSION, Body, BodyProtocol, SenderGone, connections

Handler = Callable[[dict[str, Any], Callable[[], Awaitable[Any]]], Awaitable[bytes]]
LARGE = os.urandom(5_000_003)


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    """Both loops have a TLS of their own."""
    return ("asyncio", {"loop_factory": uvloop.new_event_loop if request.param == "uvloop" else None})


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await self.reader.readexactly(length)

    def cut(self) -> None:
        self.writer.transport.abort()


def put(body: bytes, *headers: bytes) -> bytes:
    lines = [b"PUT / HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


@contextlib.asynccontextmanager
async def connected(handler: Handler, folder: Path) -> AsyncIterator[Client]:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        answer = await handler(scope, receive)
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=connections(BodyProtocol),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        ssl_context_factory=lambda *_: _context(folder),
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    client = Client(*await asyncio.open_connection(*listening.getsockname(), ssl=trusting))
    try:
        yield client
    finally:
        client.cut()
        server.should_exit = True
        await serving


def _context(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = made.sign(key, hashes.SHA256()).public_bytes(encoding)
    (folder / "pem").write_bytes(pem + key.private_bytes(encoding, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    return context


async def taken(scope: dict[str, Any], room: int = 1 << 16) -> bytes:
    """All of a body, in rooms of this size."""
    body: Body = scope["extensions"][BODY_EXTENSION]
    whole, space = bytearray(), bytearray(room)
    while count := await body.fill(memoryview(space)):
        whole += space[:count]
    assert await body.fill(memoryview(space)) == 0
    return bytes(whole)


@pytest.mark.parametrize("length", [0, 1, 1000, 65_536, 300_000, len(LARGE)])
@pytest.mark.parametrize("room", [1, 7_777, 1 << 22])
async def test_a_taken_body_is_what_was_sent(length: int, room: int, tmp_path: Path) -> None:
    async def handler(scope: dict[str, Any], _: object) -> bytes:
        return await taken(scope, room if room > 1 or length <= 1000 else 100_000)

    async with connected(handler, tmp_path) as client:
        for _ in range(2):  # the connection is good for another one
            await asyncio.gather(client.send(put(LARGE[:length])), asyncio.sleep(0))
            assert await client.answer() == LARGE[:length]


async def test_who_does_not_take_it_gets_the_body_as_ever(tmp_path: Path) -> None:
    async def handler(_: object, receive: Callable[[], Awaitable[Any]]) -> bytes:
        whole, more = b"", True
        while more:
            message = await receive()
            whole, more = whole + message["body"], message["more_body"]
        return whole

    async with connected(handler, tmp_path) as client:
        for _ in range(2):
            await client.send(put(LARGE))
            assert await client.answer() == LARGE


async def test_the_rest_of_a_body_that_nobody_wants_is_skipped(tmp_path: Path) -> None:
    async def handler(scope: dict[str, Any], _: object) -> bytes:
        space = memoryview(bytearray(100_000))
        await scope["extensions"][BODY_EXTENSION].fill(space)
        await scope["extensions"][BODY_EXTENSION].fill(space)
        return b"enough"

    async with connected(handler, tmp_path) as client:
        for _ in range(2):
            await client.send(put(LARGE))
            assert await client.answer() == b"enough"


async def test_requests_in_one_row_do_not_run_into_each_other(tmp_path: Path) -> None:
    async def handler(scope: dict[str, Any], _: object) -> bytes:
        return await taken(scope)

    async with connected(handler, tmp_path) as client:
        bodies = [LARGE[:2_000_000], b"", LARGE[:10], LARGE[:300_001], b"x"]
        sending = asyncio.create_task(client.send(b"".join(map(put, bodies))))
        for body in bodies:
            assert await client.answer() == body
        await sending


async def test_what_came_before_a_cut_can_be_had_and_then_the_cut_is_told(tmp_path: Path) -> None:
    got: list[int] = []
    ended = asyncio.Event()

    async def handler(scope: dict[str, Any], _: object) -> bytes:
        try:
            while True:
                got.append(await scope["extensions"][BODY_EXTENSION].fill(memoryview(bytearray(1 << 22))))
        except SenderGone:
            ended.set()
        return b""

    async with connected(handler, tmp_path) as client:
        await client.send(put(LARGE)[:-1_000_000])
        while sum(got) < 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        client.cut()
        await asyncio.wait_for(ended.wait(), 10)
    head = len(put(LARGE)) - len(LARGE)
    assert 0 < sum(got) <= len(put(LARGE)) - 1_000_000 - head


async def test_a_handler_that_gives_up_a_fill_and_asks_again_loses_nothing(tmp_path: Path) -> None:
    async def handler(scope: dict[str, Any], _: object) -> bytes:
        body: Body = scope["extensions"][BODY_EXTENSION]
        space = bytearray(1 << 20)
        first = bytes(space[: await body.fill(memoryview(space))])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await body.fill(memoryview(bytearray(100_000)))
        return first + await taken(scope)

    async with connected(handler, tmp_path) as client:
        whole = put(LARGE[:200_000])
        for part in (whole[:1000], whole[1000:2000], whole[2000:3000]):
            await client.send(part)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)
        await client.send(whole[3000:])
        assert await client.answer() == LARGE[:200_000]


async def test_a_body_of_unknown_length_is_not_offered(tmp_path: Path) -> None:
    async def handler(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]]) -> bytes:
        assert BODY_EXTENSION not in (scope.get("extensions") or {})
        return bytes((await receive())["body"])

    async with connected(handler, tmp_path) as client:
        await client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert await client.answer() == b"abc"


async def test_a_sender_that_waits_to_be_asked_is_asked(tmp_path: Path) -> None:
    async def handler(scope: dict[str, Any], _: object) -> bytes:
        return await taken(scope)

    async with connected(handler, tmp_path) as client:
        whole = put(b"abc", b"Expect: 100-continue")
        await client.send(whole[:-3])
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(whole[-3:])
        assert await client.answer() == b"abc"
