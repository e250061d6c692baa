"""The relay's two calls (formats/witness.md). What goes wrong here says so in one line and tells nothing of the relay."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException

from deedbox_relay.store import RelayStore
from deedbox_sync.pace import Pace
from deedbox_sync.witness import BURST, MAX_REQUEST, RATE, RETRY_SECONDS, Answer

_TEXT: Final = "text/plain; charset=utf-8"

log = logging.getLogger("deedbox.relay")

AnyRequest = Request[Any, Any, Any]


class Service:
    """One thread owns the store: questions are judged one after another, and the loop waits for no disk."""

    def __init__(self, open_store: Callable[[], RelayStore]) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            self._store = self._thread.submit(open_store).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self.vkey = self._store.identity.vkey
        self.pace = Pace(BURST, RATE)

    async def add_checkpoint(self, data: bytes) -> Answer:
        work = self._thread.submit(self._store.add_checkpoint, data, int(time.time()))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        """Let what was handed over finish, then close."""
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()


def relay_app(service: Service) -> Litestar:
    @post("/add-checkpoint", status_code=200, request_max_body_size=MAX_REQUEST)
    async def add_checkpoint(request: AnyRequest) -> Response[str]:
        if not service.pace.allows(request.client.host if request.client is not None else ""):
            return _said(429, "Too many questions: wait.\n", {"retry-after": str(RETRY_SECONDS)})
        answer = await service.add_checkpoint(await request.body())
        return _said(answer.status, answer.text, {"content-type": answer.media_type})

    @get("/key")
    async def key() -> Response[str]:
        return _said(200, f"{service.vkey}\n")

    return Litestar(
        [add_checkpoint, key],
        exception_handlers={Exception: _failed},
        openapi_config=None,
        logging_config=None,
    )


def _said(status: int, text: str, headers: dict[str, str] | None = None) -> Response[str]:
    # The type as a header: the framework adds an encoding to any text type, and the protocol's own type has none.
    return Response(text, status_code=status, headers={"content-type": _TEXT} | (headers or {}))


def _failed(_request: AnyRequest, error: Exception) -> Response[str]:
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _said(error.status_code, "The request cannot be answered.\n")
    log.error("a question could not be answered: %s", type(error).__qualname__, exc_info=error)
    return _said(503, "The relay cannot answer now.\n", {"retry-after": str(RETRY_SECONDS)})
