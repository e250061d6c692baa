"""One request at a time for each upload, the newest first: a sender comes again only when its earlier connection is dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deedbox_server.errors import Conflict, DeedboxError

PATIENCE: Final = 300.0  # seconds without a byte; then the connection is taken for dead, and its memory given back


class TakenOver(Conflict):
    """Said to the older of two requests, if anybody still listens there."""

    slug, title = "taken-over", "A newer request for this upload came"


class SenderSilent(DeedboxError):
    slug, status, title = "sender-silent", 408, "No byte came for too long"


class Turn:
    """One request's turn at an upload."""

    def __init__(self, *, wanted: bool) -> None:
        self._given_way = wanted
        self._waiting: asyncio.Timeout | None = None

    def give_way(self) -> None:
        """End `pieces` where it waits for its sender; what is being written meanwhile is written first."""
        self._given_way = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def pieces(self, source: AsyncIterator[bytes], patience: float = PATIENCE) -> AsyncIterator[bytes]:
        """What the sender sends. TakenOver once a newer request wants its turn, SenderSilent after `patience` seconds."""
        while True:
            if self._given_way:
                raise TakenOver
            try:
                async with asyncio.timeout(patience) as self._waiting:
                    piece = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise (TakenOver if self._given_way else SenderSilent) from None
            finally:
                self._waiting = None
            yield piece


class _Line:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.holder: Turn | None = None
        self.wanted = 0


class Turns:
    """Of one event loop. Lines exist while somebody stands in them."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def busy(self, upload: str) -> bool:
        return upload in self._lines

    @asynccontextmanager
    async def take(self, upload: str) -> AsyncIterator[Turn]:
        """Wait for the turn at this upload; whoever has it is asked to give way. Inside, nobody else has it."""
        line = self._lines.setdefault(upload, _Line())
        line.wanted += 1
        if line.holder is not None:
            line.holder.give_way()
        try:
            async with line.lock:
                line.holder = turn = Turn(wanted=line.wanted > 1)
                try:
                    yield turn
                finally:
                    line.holder = None
        finally:
            line.wanted -= 1
            if not line.wanted:
                del self._lines[upload]
