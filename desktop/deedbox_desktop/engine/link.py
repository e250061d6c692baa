"""Whether the box is in reach, as all threads of the engine share it; and the one flag that ends them all."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from deedbox_desktop.engine.errors import Interrupted
from deedbox_desktop.engine.model import Greeting, Stop


@dataclass(frozen=True)
class Pace:
    """How long things take their time; tests are in more of a hurry. Seconds."""

    hello_every: float = 30.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    rescan_every: float = 10.0
    poll_network_every: float = 5.0
    stream_patience: float = 20.0  # how long a large file on its way waits for the box before it goes to the spool
    receipt_wait: int = 10


class Backoff:
    """Waits that double, each between half and all of its length, so that desks do not come back all at once."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def next(self) -> float:
        wait, self._next = self._next, min(self._longest, self._next * 2)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 # spreads load, guards nothing


class Link:
    """Online means: the box was greeted, its log checked, and nothing has failed since. Thread-safe."""

    def __init__(self, pace: Pace, greeting: Greeting | None, on_change: Callable[[], None]) -> None:
        self.pace = pace
        self.greeting = greeting
        self.stop: Stop | None = None
        self.greeting_due = True
        self._on_change = on_change
        self._changed = threading.Condition()
        self._online = False
        self._tried = False
        self._ending = False
        self._turn = 0

    @property
    def online(self) -> bool:
        return self._online

    @property
    def tried(self) -> bool:
        """Whether it is known that the box is in reach, or that it is not."""
        return self._tried

    @property
    def ending(self) -> bool:
        return self._ending

    def found(self, greeting: Greeting) -> None:
        self._set(online=True, greeting=greeting)

    def lost(self) -> None:
        self._set(online=False)

    def halt(self, stop: Stop) -> None:
        """Trust is lost: offline until a person clears it."""
        self.stop = self.stop or stop
        self._set(online=False)

    def greet_soon(self) -> None:
        """Something that a hello tells may have changed at the box."""
        self.greeting_due = True
        self.wake()

    def end(self) -> None:
        """Everybody who waits gets Interrupted."""
        self._ending = True
        self.wake()

    def wake(self) -> None:
        """There is something new to do."""
        with self._changed:
            self._turn += 1
            self._changed.notify_all()
        self._on_change()

    def check(self) -> None:
        if self._ending:
            raise Interrupted("The engine is ending.")

    def turn(self) -> int:
        """To be read before looking for work, and given to `sleep`: news in between is then not slept through."""
        return self._turn

    def sleep(self, seconds: float, turn: int | None = None) -> None:
        """Wait so long, or, with `turn`, until there are news; Interrupted at the end."""
        until = time.monotonic() + seconds
        with self._changed:
            while not self._ending and (turn is None or self._turn == turn):
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
        self.check()

    def wait_online(self, seconds: float) -> bool:
        """Whether the box is in reach, now or within so many seconds."""
        until = time.monotonic() + seconds
        with self._changed:
            while not self._online and not self._ending and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
        self.check()
        return self._online

    def _set(self, *, online: bool, greeting: Greeting | None = None) -> None:
        with self._changed:
            self._online = online and self.stop is None
            self._tried = True
            if greeting is not None:
                self.greeting = greeting
        self.wake()
