"""One thread of the engine: steps while there is work, waits while there is none, and knows what each failure asks for."""

import threading
from collections.abc import Callable

from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxRefused, BoxUnintelligible, BoxUnreachable, Interrupted, TrustLost
from deedbox_desktop.engine.link import Backoff
from deedbox_desktop.engine.state_folder import DISK_FULL
from deedbox_desktop.engine.stops import stop_for
from deedbox_desktop.engine.sync.log_line import LogUnsettled
from deedbox_disk.errors import DiskError, OutOfSpace
from deedbox_sync.transfer_steps import Stop, action_for_problem

_IDLE = 5.0  # news wake a loop at once; this is for what nobody tells

_WAIT_WORDS = {
    "disk-full": "The box's disk is full. Sending goes on when there is room.",
    "log-suspended": "The box signs nothing until its administrator has acted.",
    "unavailable": "The box is busy. Trying again.",
}


class Loop(threading.Thread):
    """Runs `step` until the link ends. True from `step` means: there may be more to do at once.

    What a person should know goes to `trouble` under this loop's name. An error that nobody foresaw goes to `failed`.
    """

    def __init__(
        self, name: str, desk: Desk, step: Callable[[], bool], failed: Callable[[BaseException], None]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._desk = desk
        self._step = step
        self._failed = failed
        self._backoff = Backoff(desk.link.pace.first_wait, desk.link.pace.longest_wait)
        self._words: str | None = None

    def run(self) -> None:
        try:
            while True:
                self._once()
        except Interrupted:
            return
        except BaseException as error:  # a bug: the engine must not go on with a thread missing
            self._failed(error)

    def _once(self) -> None:
        link = self._desk.link
        link.check()
        turn = link.turn()
        try:
            busy = self._step()
        except TrustLost as error:
            self._desk.halt(error)
        except (BoxRefused, LogUnsettled) as error:
            self._wait(self._words_for(error))
        except (BoxUnreachable, BoxUnintelligible) as error:
            link.lost()
            self._wait(str(error))
        except OutOfSpace:
            self._wait(DISK_FULL)
        except DiskError as error:
            self._wait(f"{error}")
        else:
            self._say(None)
            self._backoff.reset()
            if not busy:
                link.sleep(_IDLE, turn)

    def _words_for(self, error: BoxRefused | LogUnsettled) -> str:
        if isinstance(error, LogUnsettled):
            return str(error)
        if isinstance(action_for_problem(error.problem), Stop):
            self._desk.halt(stop_for(error.problem))
        return _WAIT_WORDS.get(error.problem.slug) or str(error)

    def _wait(self, words: str) -> None:
        self._desk.link.check()  # connections that are cut to end the engine are nobody's trouble
        self._say(words)
        self._desk.link.sleep(self._backoff.next())

    def _say(self, words: str | None) -> None:
        if words == self._words:
            return
        try:
            self._desk.trouble(self.name, words)
            self._words = words
        except DiskError:  # no room to say that there is no room: it is said again when it changes
            return
