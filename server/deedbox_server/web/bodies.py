"""Large request bodies without copies: what TLS decrypts is put straight to where the handler wants it.

On the usual way a body is copied six times and handed over in pieces of 64 KiB, each in a task switch of its own. A handler
that takes its request's `Body` gets the rest of it past the HTTP parser, which has nothing to say about bytes whose
number it has announced; whoever does not take it gets the body as ever. Below is uvicorn's own protocol, so that everything
else about a connection stays as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

BODY_EXTENSION: Final = "deedbox.body"  # in the ASGI scope of requests that announce how long their body is

_SCRATCH_BYTES: Final = 256 << 10  # as much as one turn of TLS gives; one for all connections of a listener


class SenderGone(ConnectionResetError):
    """The connection ended before the body did. Nobody is left to be answered."""


class Body:
    """One request's body; `fill` takes it. Used by one task."""

    def __init__(self, protocol: BodyProtocol, length: int) -> None:
        self.length = length
        self.left = length  # bytes that have not arrived yet
        self.cycle: RequestResponseCycle | None = None  # the request that it is the body of
        self._protocol = protocol
        self._room: memoryview | None = None
        self._filled = 0
        self._wake: asyncio.Future[None] | None = None

    async def fill(self, room: memoryview) -> int:
        """Put the next bytes into `room`, as many as fit; 0 at the end of the body.

        Fewer come at the end, before a cut, and of what was there already. SenderGone once the sender is.
        """
        cycle = self.cycle
        assert cycle is not None
        if cycle.waiting_for_100_continue:
            cycle.waiting_for_100_continue = False
            cycle.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if cycle.body:  # came with the headers
            count = min(len(cycle.body), len(room))
            room[:count] = cycle.body[:count]
            del cycle.body[:count]
            return count
        if not self.left:
            return 0
        count = 0 if cycle.disconnected else await self._receive(room[: self.left])
        if not count:
            raise SenderGone
        return count

    async def whole(self) -> bytearray:
        """All of a body that may be held in memory; the caller has looked at its length, and takes it in no other way."""
        data = bytearray(self.length)
        at = 0
        with memoryview(data) as view:
            while at < self.length:
                at += await self.fill(view[at:])
        return data

    async def _receive(self, room: memoryview) -> int:
        self._room, self._filled = room, 0
        self._wake = asyncio.get_running_loop().create_future()
        self._protocol.take(self)
        try:
            await self._wake
        except BaseException:
            assert self.cycle is not None
            self.cycle.body[:0] = room[: self._filled]  # for whoever asks next
            raise
        finally:
            self._room = None  # nobody writes there any more
        return self._filled

    # --- what the protocol calls

    def room(self) -> memoryview | None:
        """Where the next bytes go; None while nobody asks for any."""
        return None if self._room is None or self._filled == len(self._room) else self._room[self._filled :]

    def put(self, count: int) -> None:
        """So many bytes were written into `room()`."""
        self._filled += count
        self.left -= count
        if self.room() is None:
            self.wake()

    def wake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class BodyProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, where a body that is taken passes the parser by."""

    _body: Body | None = None  # of the message that the parser is at
    _passing: Body | None = None  # the same, from when it is taken until all of it has come

    def on_headers_complete(self) -> None:
        length = dict(self.headers).get(b"content-length", b"")  # the parser takes one plain number and nothing else
        self._body = Body(self, int(length)) if length.isdigit() else None
        if self._body is not None:
            extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
            extensions[BODY_EXTENSION] = self._body
        super().on_headers_complete()
        if self._body is not None:
            self._body.cycle = self.cycle

    def on_body(self, body: bytes) -> None:
        if self._body is not None:
            self._body.left -= len(body)
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._passing is not None:
            self._passing.wake()

    def take(self, body: Body) -> None:
        """From here on this body's bytes go where it wants them."""
        self._passing = body
        self.flow.resume_reading()

    def wanted(self) -> memoryview | None:
        """Where the next bytes of the connection are wanted."""
        return None if self._passing is None else self._passing.room()

    def put(self, count: int) -> None:
        """So many bytes were written to where they were wanted."""
        body = self._passing
        assert body is not None
        body.put(count)
        if not body.left:
            self._passed()
        elif body.room() is None:
            self.flow.pause_reading()

    def data_received(self, data: bytes) -> None:
        if (body := self._passing) is None:
            super().data_received(data)
            return
        self._unset_keepalive_if_required()
        rest = data[body.left :]
        if not self.cycle.response_complete:  # else nobody will ask for them: they are skipped
            self.cycle.body += data[: body.left]
            self.flow.pause_reading()
        body.left -= len(data) - len(rest)
        if not body.left:
            self._passed()
            if rest:
                self.data_received(rest)

    def _passed(self) -> None:
        """All of the body has come: the parser, which did not see it, makes way for one that begins with the next message."""
        self._passing = None
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.on_message_complete()


class Connection(asyncio.BufferedProtocol):
    """What TLS speaks to: reads into one buffer for all connections, or to where a body is wanted."""

    def __init__(self, http: BodyProtocol, scratch: memoryview) -> None:
        self._http = http
        self._scratch = scratch

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._scratch if (wanted := self._http.wanted()) is None else wanted

    def buffer_updated(self, nbytes: int) -> None:
        if self._http.wanted() is None:
            self._http.data_received(self._scratch[:nbytes])  # type: ignore[arg-type] # copied by whoever keeps any of it
        else:
            self._http.put(nbytes)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._http.connection_made(transport)  # type: ignore[arg-type] # a server's transport is one

    def connection_lost(self, exc: Exception | None) -> None:
        self._http.connection_lost(exc)

    def eof_received(self) -> None:
        self._http.eof_received()

    def pause_writing(self) -> None:
        self._http.pause_writing()

    def resume_writing(self) -> None:
        self._http.resume_writing()


def connections(protocol: type[BodyProtocol]) -> Callable[..., Connection]:
    """The factory that uvicorn calls for each connection of one listener."""
    scratch = memoryview(bytearray(_SCRATCH_BYTES))

    def made(**given: Any) -> Connection:
        return Connection(protocol(**given), scratch)

    return made
