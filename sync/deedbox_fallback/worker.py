"""The one thread that owns the store: jobs run one after another, each a transaction of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from deedbox_fallback.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Closes the store with itself."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            self._store = self._thread.submit(open_store).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self.key, self.namespace = self._store.key, self._store.namespace

    async def do(self, job: Callable[Concatenate[Store, P], T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the job returns. A caller that is cancelled meanwhile does not undo it."""
        work = self._thread.submit(job, self._store, *arguments, **named)
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        """Let what was handed over finish, then close."""
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()
