"""One request at a time for each upload, the newest first: a sender comes again only when its earlier connection is dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deedbox_server.errors import Conflict, DeedboxError, Unavailable

PATIENCE: Final = 300.0  # seconds without a byte; then the connection is taken for dead, and its memory given back


class TakenOver(Conflict):
    """Said to the older of two requests, if anybody still listens there."""

    slug, title = "taken-over", "A newer request for this upload came"


class SenderSilent(DeedboxError):
    slug, status, title = "sender-silent", 408, "No byte came for too long"


class BoxStops(Unavailable):
    title = "The box is stopping: go on when it is back"


class Turn:
    """One request's turn at an upload. One that has to end from its start has its reason from its start."""

    def __init__(self, ended: type[DeedboxError] | None = None) -> None:
        self._ended = ended
        self._waiting: asyncio.Timeout | None = None

    def end(self, reason: type[DeedboxError]) -> None:
        """End `pieces` where it waits for its sender; what is being written meanwhile is written first."""
        self._ended = self._ended or reason
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def pieces(self, source: AsyncIterator[bytes], patience: float = PATIENCE) -> AsyncIterator[bytes]:
        """What the sender sends, until this turn is ended; SenderSilent after `patience` seconds without a byte."""
        while True:
            if self._ended is not None:
                raise self._ended
            try:
                async with asyncio.timeout(patience) as self._waiting:
                    piece = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise (self._ended or SenderSilent) from None
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
        self._stopping = False

    def stop(self) -> None:
        """The process is about to end: every sender is told so, at once, while what it sent can still be made durable."""
        self._stopping = True
        for line in self._lines.values():
            if line.holder is not None:
                line.holder.end(BoxStops)

    def busy(self, upload: str) -> bool:
        return upload in self._lines

    @asynccontextmanager
    async def take(self, upload: str) -> AsyncIterator[Turn]:
        """Wait for the turn at this upload; whoever has it is asked to give way. Inside, nobody else has it."""
        line = self._lines.setdefault(upload, _Line())
        line.wanted += 1
        if line.holder is not None:
            line.holder.end(TakenOver)
        try:
            async with line.lock:
                line.holder = turn = Turn(self._reason_to_end(line))
                try:
                    yield turn
                finally:
                    line.holder = None
        finally:
            line.wanted -= 1
            if not line.wanted:
                del self._lines[upload]

    def _reason_to_end(self, line: _Line) -> type[DeedboxError] | None:
        if self._stopping:
            return BoxStops
        return TakenOver if line.wanted > 1 else None  # whoever waits behind is newer
