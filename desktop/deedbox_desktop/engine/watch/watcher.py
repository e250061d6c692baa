"""Watches all folders: looks, lets the trackers compare, writes what changed, hands out what is whole."""

import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deedbox_desktop.engine.capture.outcome import Job, Kind, Outcome
from deedbox_desktop.engine.journal import files
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.model import FileRow, Folder
from deedbox_desktop.engine.watch.file_system import is_network
from deedbox_desktop.engine.watch.hints import Hints
from deedbox_desktop.engine.watch.rules import IgnoreRules
from deedbox_desktop.engine.watch.scan import FolderUnreachable, scan
from deedbox_desktop.engine.watch.tracker import Moment, Tracker

_AT_LEAST = 0.2  # between two looks, however many hints come
_LOOK_SHARE = 4  # times as long as a look took, so that a huge folder does not keep a processor busy


@dataclass
class _Watched:
    folder: Folder
    tracker: Tracker
    network: bool
    hinted: bool = False
    reached: bool = False


class Watcher:
    """`step` looks once at every folder. It belongs to one thread; `told` and `nudge` may come from any."""

    def __init__(
        self,
        journal: Journal,
        hand_out: Callable[[list[Job]], None],
        rescan_every: float,
        poll_network_every: float,
    ) -> None:
        self._journal = journal
        self._hand_out = hand_out
        self._rescan_every = rescan_every
        self._poll_network_every = poll_network_every
        self._hints: Hints | None = None
        self._watched: dict[int, _Watched] = {}
        self._outcomes: deque[Outcome] = deque()
        self._put: list[FileRow] = []
        self._removed: list[int] = []
        self._jobs: list[Job] = []
        self._next_id = journal.read(files.next_file_id)
        self._nudged = True
        self._due = 0.0
        self._rest_until = 0.0
        self.looked = False  # whether there was a look at everything yet
        self.waiting = 0  # files not captured yet, as of the last look

    def use(self, hints: Hints) -> None:
        """Ask for events from the next look on."""
        self._hints = hints

    def nudge(self) -> None:
        """Something changed: look soon."""
        self._nudged = True

    def told(self, outcomes: list[Outcome]) -> None:
        """What came of files that were handed out."""
        self._outcomes.extend(outcomes)

    def wait(self) -> float:
        """Seconds until the next look is due."""
        now = time.monotonic()
        if self._nudged or self._outcomes:
            return max(0.0, self._rest_until - now)
        return max(self._rest_until, self._due) - now

    def step(self) -> None:
        """Take in outcomes, look everywhere, write and hand out.

        Captures that went well change nothing that a look could tell: while a thousand files a second are captured, the
        folder is not walked for each group of them.
        """
        begun = time.monotonic()
        captured = self._take_in()
        if captured is not None and not self._nudged and begun < self._due:
            self.waiting = max(0, self.waiting - captured)
        else:
            self._look_everywhere(begun)
        self._write()
        now = time.monotonic()
        self._rest_until = now + max(_AT_LEAST, _LOOK_SHARE * (now - begun))

    def _look_everywhere(self, begun: float) -> None:
        self._nudged = False
        self._due = begun + self._rescan_every
        self.waiting, self.looked = sum([self._look(watched) for watched in self._current()]), True

    def _look(self, watched: _Watched) -> int:
        folder = watched.folder
        try:
            found = scan(folder.path)
        except FolderUnreachable as error:
            words = str(error)
            self._journal.write(lambda db: files.set_folder_problem(db, folder.id, words))
            if self._hints is not None:
                self._hints.forget(folder.path)
                watched.hinted = False
            watched.reached = False
            return 0
        if not watched.reached:
            self._journal.write(lambda db: files.set_folder_problem(db, folder.id, None))
            watched.reached = True
        now = Moment(time.time_ns(), time.monotonic(), trusted=not watched.network)
        look = watched.tracker.look(found, now)
        self._put += look.put
        self._jobs += [Job(folder, ready, not watched.network) for ready in look.ready]
        if look.due is not None:
            self._due = min(self._due, look.due)
        if watched.network or (self._hints is not None and not watched.hinted):
            self._due = min(self._due, now.tick + self._poll_network_every)
        return look.waiting

    def _current(self) -> list[_Watched]:
        """The folders as the journal has them now: another process may have added one, or changed how it is watched."""
        current = []
        for folder in self._journal.read(files.folders):
            watched = self._watched.get(folder.id)
            if watched is None:
                watched = self._watched[folder.id] = self._begin(folder)
            elif watched.folder != folder:
                watched.folder = folder
                watched.tracker.rules = IgnoreRules(folder.ignore)
                watched.tracker.quiet_s = folder.quiet_ms / 1000
            if self._hints is not None and not watched.network and not watched.hinted:
                watched.hinted = self._hints.watch(folder.path)
            current.append(watched)
        return current

    def _begin(self, folder: Folder) -> _Watched:
        rows = self._journal.read(lambda db: files.current_files(db, folder.id))
        before = self._journal.read(lambda db: files.superseded_files(db, folder.id))
        tracker = Tracker(folder.id, IgnoreRules(folder.ignore), folder.quiet_ms / 1000, self._new_id, rows, before)
        return _Watched(folder, tracker, is_network(folder.path))

    def _write(self) -> None:
        """Rows first, then jobs: a file is captured only once the journal knows it. If the disk is full, all of it waits."""
        put, removed, jobs = self._put, self._removed, self._jobs
        if put or removed:
            self._journal.write(lambda db: files.put_files(db, put, removed))
        self._put, self._removed, self._jobs = [], [], []
        if jobs:
            self._hand_out(jobs)

    def _take_in(self) -> int | None:
        """How many files are captured now, or None where an outcome asks for another look."""
        now = Moment(time.time_ns(), time.monotonic())
        captured, plain = 0, True
        while self._outcomes:
            outcome = self._outcomes.popleft()
            ready, tracker = outcome.job.ready, self._watched[outcome.job.folder.id].tracker
            captured += 1
            plain = plain and outcome.kind is Kind.CAPTURED
            match outcome.kind:
                case Kind.CAPTURED:
                    assert outcome.kept is not None
                    tracker.captured(ready.row, outcome.kept)
                case Kind.SAME:
                    rows, gone = tracker.same(ready)
                    self._put += rows
                    self._removed += gone
                case Kind.CHANGED:
                    tracker.changed(ready.row, now)
                case Kind.UNREADABLE:
                    self._put += tracker.unreadable(ready.row, outcome.words or "", now)
                case Kind.HELD:
                    self._put += tracker.held(ready.row, outcome.words or "", now)
                case Kind.DEFERRED:
                    self._put += tracker.deferred(ready.row, outcome.words, now)
        return captured if plain else None

    def _new_id(self) -> int:
        number, self._next_id = self._next_id, self._next_id + 1
        return number


def watchable(path: Path) -> bytes:
    """A folder's path as it is kept: absolute, links above it resolved once, so that the same folder is always the same."""
    return os.fsencode(os.path.realpath(path))
