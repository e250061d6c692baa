"""A box with its people's listener on loopback, in a thread of its own, for what drives it from outside: a browser."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from deedbox_server.app.listeners import people_app
from deedbox_server.web.tls import people_config
from kit.open_box import Office, office

Result = TypeVar("Result")


@dataclass
class ServedBox:
    office: Office
    port: int
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def run(self, work: Callable[[Office], Awaitable[Result]]) -> Result:
        """Does something with the box in its own event loop."""

        async def working() -> Result:
            return await work(self.office)

        return asyncio.run_coroutine_threadsafe(working(), self.loop).result()


@contextmanager
def served_box(data: Path, **settings: Any) -> Iterator[ServedBox]:
    ready: Future[tuple[Office, int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with office(data, **settings) as made:
            credential = await made.box.authority.listener("people", ["localhost"])
            server = uvicorn.Server(people_config(people_app(made.box), credential))
            server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
            listening = socket.create_server(("localhost", 0))
            running = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            stop = asyncio.Event()
            ready.set_result((made, listening.getsockname()[1], asyncio.get_running_loop(), stop))
            await stop.wait()
            server.should_exit = True
            await running

    def thread() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    worker = threading.Thread(target=thread)
    worker.start()
    made, port, loop, stop = ready.result()
    try:
        yield ServedBox(made, port, loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        worker.join()
