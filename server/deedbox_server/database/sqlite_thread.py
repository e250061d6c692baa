"""A thread that owns one SQLite connection and does what it is asked, in order."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import apsw

T = TypeVar("T")
_Task = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[apsw.Connection], Any]]


class TaskQueue:
    """Work for one thread or several; whichever is free takes the next."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """The result of `work` in a thread. Cancelling the caller does not stop work that was handed over, only the
        waiting.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._tasks.put((loop, future, work))
        return await future

    def stop_one(self) -> None:
        """After all that is waiting now, one thread ends."""
        self._tasks.put(None)

    def take(self) -> _Task | None:
        return self._tasks.get()


class ConnectionThread:
    """Serves a queue over its own connection until told to stop; a daemon, so that a forgotten close does not hang
    the exit.

    Dying in the middle loses nothing: SQLite rolls back what was not committed when the file is next opened.
    """

    def __init__(self, name: str, tasks: TaskQueue, connection: apsw.Connection) -> None:
        self._tasks = tasks
        self._connection = connection
        self._thread = threading.Thread(name=name, target=self._serve, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, after `stop_one`."""
        self._thread.join()

    def _serve(self) -> None:
        while (task := self._tasks.take()) is not None:
            loop, future, work = task
            result: Any = None
            failure: BaseException | None = None
            try:
                result = work(self._connection)
            except BaseException as error:
                failure = error
            try:
                loop.call_soon_threadsafe(_settle, future, result, failure)
            except RuntimeError:
                continue  # the loop is closed: nobody is waiting
            finally:
                del task, future, work, result, failure
        self._connection.close()


def _settle(future: "asyncio.Future[Any]", result: Any, failure: BaseException | None) -> None:
    if future.done():
        return  # the caller was cancelled
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)
