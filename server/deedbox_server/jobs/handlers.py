"""Which code does which kind of job: a registry that each capability adds to when the box is put together."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from deedbox_server.jobs.work import JobContext

Handler: TypeAlias = Callable[[JobContext], Awaitable[None]]


class Handlers:
    """One handler a kind. A kind without one stays in the queue."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def register(self, kind: str, handler: Handler) -> None:
        """From now on, this does jobs of that kind; ValueError when something else does."""
        if kind in self._handlers:
            raise ValueError(f"{kind} has a handler")
        self._handlers[kind] = handler

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._handlers)

    def __getitem__(self, kind: str) -> Handler:
        return self._handlers[kind]
