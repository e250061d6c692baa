"""A desk with its box in memory, on a temporary folder, in a hurry; and the questions that tests ask of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deedbox_desktop.engine.engine import Engine, Progress
from deedbox_desktop.engine.journal import facts, files
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.keys import DeskKeys
from deedbox_desktop.engine.link import Pace
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_desktop.engine.status import DeskStatus, FileStatus, read_status
from deedbox_desktop.engine.watch.watcher import watchable
from unit.desk.box_simulator import CASE, BoxSimulator

KEYS = DeskKeys(b"j" * 32, b"s" * 32, b"k" * 32, b"t" * 32)
HURRY = Pace(
    hello_every=0.2,
    first_wait=0.01,
    longest_wait=0.05,
    rescan_every=0.2,
    poll_network_every=0.1,
    stream_patience=0.3,
    receipt_wait=0,
)
PATIENCE_S = 20.0


@dataclass
class DeskBench:
    """`start` and `stop` may be called again and again: the journal stays."""

    state: StateFolder
    folder: Path
    box: BoxSimulator
    engine: Engine | None = None
    journal: Journal | None = None

    @contextmanager
    def open_journal(self) -> Iterator[Journal]:
        if self.journal is not None:
            yield self.journal
            return
        journal = Journal(self.state.journal, KEYS.journal)
        try:
            yield journal
        finally:
            journal.close()

    def start(self) -> Engine:
        self.journal = Journal(self.state.journal, KEYS.journal)
        self.engine = Engine(self.state, KEYS, self.journal, pace=HURRY, box=self.box)
        self.engine.start()
        return self.engine

    def stop(self) -> None:
        if self.engine is not None:
            self.engine.close()
        if self.journal is not None:
            self.journal.close()
        self.engine = self.journal = None

    @contextmanager
    def running(self) -> Iterator[Engine]:
        engine = self.start()
        try:
            yield engine
        finally:
            self.stop()

    def run_until(self, holds: Callable[[Progress], bool]) -> None:
        """Run, or go on running, until this is so."""
        if self.engine is None:
            with self.running():
                self.wait(holds)
        else:
            self.wait(holds)

    def settle(self) -> None:
        self.run_until(lambda progress: progress.settled)

    def wait(self, holds: Callable[[Progress], bool]) -> None:
        assert self.engine is not None
        until = time.monotonic() + PATIENCE_S
        while not holds(progress := self.engine.progress()):
            assert time.monotonic() < until, f"not within {PATIENCE_S} seconds: {progress} {self.status().troubles}"
            time.sleep(0.01)

    def status(self) -> DeskStatus:
        with self.open_journal() as journal:
            return journal.read(read_status)

    def file(self, name: str) -> FileStatus:
        """The newest row of a path."""
        return next(one for one in self.status().files if one.path == name and not one.superseded)

    def exhibits_of(self, name: str) -> list[bytes]:
        """The contents of the box's exhibits under a name, in journal order."""
        found = [
            (known.sequence, self.box.exhibits[digest])
            for digest, known in self.box.known.items()
            if digest in self.box.exhibits and known.said.file.name == name  # type: ignore[union-attr] # exhibits are captures
        ]
        return [content for _, content in sorted(found)]


def make_bench(root: Path, *, inline_bytes: int = 4096, quiet_ms: int = 0) -> DeskBench:
    state = StateFolder(root / "state")
    state.make()
    folder = root / "watched"
    folder.mkdir()
    box = BoxSimulator(KEYS.statement_key.public_key(), inline_bytes=inline_bytes)
    bench = DeskBench(state, folder, box)
    with bench.open_journal() as journal:
        journal.write(lambda db: facts.put_box(db, box.facts()))
        journal.write(lambda db: files.add_folder(db, watchable(folder), CASE, (), quiet_ms))
    return bench
