"""Words on a terminal: plain, aligned, one progress line that redraws only where it can (formats of LOOK: shapes and words)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

_COLOURS = {"verified": "32", "attention": "33", "refused": "31", "faded": "90", "brass": "33"}


class Teller:
    """Writes for people to standard output, or, with `quiet`, to standard error, so that a last line can be for programs."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._out = sys.stderr if quiet else sys.stdout
        self._tty = self._out.isatty()
        self._colour = self._tty and "NO_COLOR" not in os.environ
        self._began = time.monotonic()
        self._live = False

    def step(self, text: str) -> None:
        """A step that begins."""
        self._line(f"{self._paint('○', 'faded')} {text}")

    def done(self, text: str) -> None:
        """A step that ended well."""
        self._line(f"{self._paint('●', 'brass')} {text}")

    def proven(self, text: str) -> None:
        """Something that was verified here, just now."""
        self._line(f"{self._paint('✓', 'verified')} {text}")

    def attention(self, text: str) -> None:
        self._line(f"{self._paint('△', 'attention')} {text}")

    def refused(self, text: str) -> None:
        self._line(f"{self._paint('✕', 'refused')} {text}")

    def say(self, text: str = "") -> None:
        self._line(text)

    def progress(self, text: str) -> None:
        """Where something long stands. Redraws its line on a terminal; elsewhere says nothing, the end is said by `done`."""
        if self._tty:
            self._out.write(f"\r\x1b[K  {text}")
            self._out.flush()
            self._live = True

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def _line(self, text: str) -> None:
        if self._live:
            self._out.write("\r\x1b[K")
            self._live = False
        self._out.write(text + "\n")
        self._out.flush()

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour else text


def wait_until(what: str, holds: Callable[[], bool], *, seconds: float, every: float = 0.2) -> None:
    """Poll until it holds. Raises `TimeoutError` with `what` in words."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} seconds")
        time.sleep(every)
