"""Calls to others' servers end in time, take no more than they were promised, and go nowhere else."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from deedbox_server.notary import outside as outside_module
from deedbox_server.notary.outside import Outside, OutsideError
from kit.loopback_http import Asked, LoopbackServer, Told

pytestmark = pytest.mark.anyio


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside.open()
    yield made
    await made.close()


async def told(outside: Outside, server: LoopbackServer, seconds: float = 5.0, limit: int = 1000) -> bytes:
    try:
        return await outside.post(server.url, b"question", "text/plain", seconds=seconds, limit=limit)
    finally:
        server.close()


async def test_what_was_asked_arrives_and_the_answer_comes_back(outside: Outside) -> None:
    server = LoopbackServer(lambda asked: Told(200, "text/plain", asked.method.encode() + b" " + asked.content))
    assert await told(outside, server) == b"POST question"


@pytest.mark.parametrize("status", [204, 301, 404, 500])
async def test_anything_but_a_200_is_no_answer(outside: Outside, status: int) -> None:
    with pytest.raises(OutsideError, match=f"status {status}"):
        await told(outside, LoopbackServer(lambda _: Told(status, "text/plain", b"")))


async def test_an_answer_that_is_too_large_is_cut_off(outside: Outside) -> None:
    with pytest.raises(OutsideError, match="more than 1,000 bytes"):
        await told(outside, LoopbackServer(lambda _: Told(200, "text/plain", bytes(1001))))


async def test_an_answer_that_is_too_late_is_not_waited_for(outside: Outside) -> None:
    def late(_: Asked) -> Told:
        time.sleep(3)
        return Told(200, "text/plain", b"")

    server = LoopbackServer(late)
    began = time.monotonic()
    with pytest.raises(OutsideError, match=r"not answer within 0\.3 seconds"):
        await outside.get(server.url, seconds=0.3, limit=1000)
    assert time.monotonic() - began < 2
    await asyncio.to_thread(server.close)


async def test_a_connection_that_is_dropped_and_a_port_where_nobody_is_are_told_alike(outside: Outside) -> None:
    with pytest.raises(OutsideError, match="could not be reached"):
        await told(outside, LoopbackServer(lambda _: None))
    server = LoopbackServer(lambda _: None)
    server.close()
    with pytest.raises(OutsideError, match="could not be reached"):
        await outside.get(server.url, seconds=5, limit=1000)


async def test_a_resolver_that_sits_there_is_not_waited_for(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has a network but no way out: each look-up may take half a minute, in a thread nobody joins."""

    def sit(*_: object, **__: object) -> None:
        time.sleep(3)
        raise socket.gaierror

    monkeypatch.setattr(outside_module, "_NAME_SECONDS", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", sit)
    began = time.monotonic()
    with pytest.raises(OutsideError):
        await outside.get("https://somewhere.example/", seconds=10, limit=1000)
    assert time.monotonic() - began < 2


async def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    made = Outside.open()
    assert await told(made, LoopbackServer(lambda _: Told(200, "text/plain", b"direct"))) == b"direct"
    await made.close()
