"""The desk's engine: one folder of state, some threads, a few commands. A window or a command line drives it."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from deedbox_desktop.engine.box.client import HttpsBox
from deedbox_desktop.engine.box.https import HttpsPeer
from deedbox_desktop.engine.box.interface import Box
from deedbox_desktop.engine.box.tls import device_context
from deedbox_desktop.engine.bytes_in_motion import Crew
from deedbox_desktop.engine.capture.large import LargeCapture
from deedbox_desktop.engine.capture.outcome import Job, Outcome
from deedbox_desktop.engine.capture.scene import this_scene
from deedbox_desktop.engine.capture.signer import Signer
from deedbox_desktop.engine.capture.small import SmallCapture
from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxUnreachable, NotPaired
from deedbox_desktop.engine.journal import facts, receipts, statements
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.keys import DeskKeys
from deedbox_desktop.engine.link import Link, Pace
from deedbox_desktop.engine.model import BoxFacts, StatementState
from deedbox_desktop.engine.renewal import Renewer
from deedbox_desktop.engine.spool import Spool
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_desktop.engine.sync.deliveries import Deliveries
from deedbox_desktop.engine.sync.greeter import Greeter
from deedbox_desktop.engine.sync.loop import Loop
from deedbox_desktop.engine.sync.namer import Namer
from deedbox_desktop.engine.sync.outbox import Outbox
from deedbox_desktop.engine.sync.receipts import LogKeeper, Receipts
from deedbox_desktop.engine.sync.sources import spill
from deedbox_desktop.engine.transfers import Transfer, Transfers
from deedbox_desktop.engine.watch.hints import Hints
from deedbox_desktop.engine.watch.watcher import Watcher
from deedbox_disk.errors import DiskError

GROUP_FILES = (
    128  # captured by one commit: large enough to share its fsync, small enough to keep the box busy meanwhile
)
GROUP_BYTES = 4 << 20
BYTE_WORKERS = 2  # one file's last fsync at the box goes on beside the next one's bytes
INLINE_BYTES = 256 << 10  # until the box has said what it takes in a batch
FIRST_HELLO_S = 2.0  # how long capture waits to learn whether the box is in reach

_OPEN = (StatementState.SIGNED, StatementState.ACCEPTED, StatementState.COMMITTED)


@dataclass(frozen=True)
class Progress:
    """Where the engine stands, in a few numbers. `looked`: every folder was looked at once since the start. `reached` is None
    until it is known whether the box is in reach. `nameless`: captures whose identifiers are still to be made, or told to the
    box that is in reach."""

    looked: bool
    waiting: int
    under_way: int
    receipted: int
    held: int
    nameless: int
    reached: bool | None
    stopped: str | None
    transfers: tuple[Transfer, ...]

    @property
    def settled(self) -> bool:
        """Everything seen so far is captured, and all that was captured has its identifier and is receipted or held."""
        return self.captured and not self.under_way and not self.nameless

    @property
    def captured(self) -> bool:
        """Everything seen so far is captured."""
        return self.looked and not self.waiting


def connect(box: BoxFacts, keys: DeskKeys, state: StateFolder) -> HttpsPeer:
    """The device listener as this desk reaches it."""
    return HttpsPeer(box.device_url, device_context(box.ca, box.certificate, keys.tls_key, state.root))


class Engine:
    """Everything at work from `start` to `close`. NotPaired without a box. `box` stands in for the network in tests."""

    def __init__(
        self,
        state: StateFolder,
        keys: DeskKeys,
        journal: Journal,
        *,
        pace: Pace | None = None,
        box: Box | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        found = journal.read(facts.box)
        if found is None:
            raise NotPaired
        self._state, self._keys, self._journal = state, keys, journal
        self._peer: HttpsPeer | None = None
        self._renewer: Renewer | None = None
        link = Link(pace or Pace(), journal.read(facts.greeting), on_change)
        stop = journal.read(facts.stopped)
        if stop is not None:
            link.halt(stop)
        spool = Spool(state.spool, keys.spool)
        signer = Signer(found, keys.statement_key)
        if box is None:
            self._peer = connect(found, keys, state)
            box = HttpsBox(self._peer, found.ca)
            self._renewer = Renewer(found, keys, self._show)
        self.desk = Desk(found, journal, spool, signer, this_scene(found), box, link)
        self.transfers = Transfers()
        self._failure: BaseException | None = None
        self._large: deque[Job] = deque()
        self._small: deque[Job] = deque()
        keeper = LogKeeper(self.desk)
        self._receipts = Receipts(self.desk, keeper)
        self._outbox = Outbox(self.desk, self._receipts.take)
        self._deliveries = Deliveries(self.desk, self._receipts.take, self.transfers)
        self._greeter = Greeter(self.desk, keeper)
        self._namer = Namer(self.desk, keys.statement, lambda: bool(self._small or self._large))
        self._small_capture = SmallCapture(self.desk, self._large.append)
        self._large_capture = LargeCapture(self.desk, self.transfers)
        self._watcher = Watcher(journal, self._hand_out, link.pace.rescan_every, link.pace.poll_network_every)
        self._hints: Hints | None = None
        self._threads: list[Loop] = []
        self._crews: list[Crew] = []

    def start(self) -> None:
        """Recover what a crash left, and begin."""
        self._journal.write(statements.offer_again)
        self._journal.write(facts.clear_troubles)
        self.desk.spool.sweep(self._journal.read(receipts.spool_files))
        self._hints = Hints(self.nudge)
        self._watcher.use(self._hints)
        self._run("box", self._greet)
        self._run("folders", self._watch)
        self._run("capture", self._capture_small)
        self._run("statements", self._outbox.step)
        self._run("receipts", self._receipts.step)
        self._run("identifiers", self._namer.step)
        for number in range(BYTE_WORKERS):
            crew = Crew(f"bytes {number + 1}")
            self._crews.append(crew)
            self._run(f"bytes {number + 1}", partial(self._move_bytes, crew))

    def close(self) -> None:
        """Let everybody come to an end, at once: what is under way is done again next time. What is only in memory is spooled."""
        self.desk.link.end()
        if self._peer is not None:
            self._peer.cut()
        for thread in self._threads:
            thread.join()
        for crew in self._crews:
            crew.dismiss()
        with suppress(DiskError):  # their originals are still there
            spill(self.desk)
        if self._hints is not None:
            self._hints.close()
        if self._peer is not None:
            self._peer.close()

    def nudge(self) -> None:
        """Look at the folders soon."""
        self._watcher.nudge()
        self.desk.link.wake()

    def progress(self) -> Progress:
        """Raises what a thread failed of."""
        if self._failure is not None:
            raise self._failure
        link = self.desk.link
        # Read before the journal: a file is in one of the two, never in none.
        looked, waiting = self._watcher.looked, self._watcher.waiting
        counts = self._journal.read(statements.open_counts)
        return Progress(
            looked=looked,
            waiting=waiting,
            under_way=sum(counts.get(state, 0) for state in _OPEN),
            receipted=self._receipts.verified,
            held=counts.get(StatementState.HELD, 0) + counts.get(StatementState.REFUSED, 0),
            nameless=self._namer.left(),
            reached=link.online if link.tried else None,
            stopped=link.stop.words if link.stop else None,
            transfers=tuple(self.transfers.now()),
        )

    # --- steps of the threads

    def _greet(self) -> bool:
        try:
            busy = self._greeter.step()
        except BoxUnreachable:  # maybe for want of a certificate: a handshake that is refused does not say why
            if self._renewer is not None:
                self._renewer.step(self.desk.link.greeting, met=False)
            raise
        if self._renewer is not None:
            self._renewer.step(self.desk.link.greeting, met=True)
        return busy

    def _watch(self) -> bool:
        link = self.desk.link
        turn = link.turn()
        wait = self._watcher.wait()
        if wait > 0:
            link.sleep(wait, turn)
        else:
            self._watcher.step()
            link.wake()
        return True

    def _capture_small(self) -> bool:
        link = self.desk.link
        if not link.online:
            spill(self.desk)
        if not self._small:
            return False
        self._await_first_hello()
        if link.online and not self.desk.contents.room():
            return False
        group: list[Job] = []
        size = 0
        while self._small and len(group) < GROUP_FILES and size < GROUP_BYTES:
            group.append(self._small.popleft())
            size += group[-1].ready.row.size
        self._tell(self._small_capture.capture(group, self._inline_limit()))
        return True

    def _move_bytes(self, crew: Crew) -> bool:
        """What the box waits for goes before what it does not know of yet."""
        if self._deliveries.step(crew):
            return True
        try:
            job = self._large.popleft()
        except IndexError:
            return False
        self._await_first_hello()
        self._tell([self._large_capture.capture(job, crew)])
        return True

    # --- what the steps need

    def _run(self, name: str, step: Callable[[], bool]) -> None:
        thread = Loop(name, self.desk, step, self._failed)
        self._threads.append(thread)
        thread.start()

    def _failed(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self.desk.link.end()

    def _hand_out(self, jobs: list[Job]) -> None:
        limit = self._inline_limit()
        for job in jobs:
            (self._small if job.ready.row.size <= limit else self._large).append(job)

    def _tell(self, outcomes: list[Outcome]) -> None:
        self._watcher.told(outcomes)
        self.desk.link.wake()

    def _inline_limit(self) -> int:
        greeting = self.desk.link.greeting
        return greeting.inline_bytes if greeting is not None else INLINE_BYTES

    def _await_first_hello(self) -> None:
        link, until = self.desk.link, time.monotonic() + FIRST_HELLO_S
        while not link.tried and (left := until - time.monotonic()) > 0:
            link.sleep(left, link.turn())

    def _show(self, renewed: BoxFacts) -> None:
        """Keep a renewed certificate, and show it from the next connection on."""
        self._journal.write(lambda db: facts.put_box(db, renewed))
        if self._peer is not None:
            context = device_context(renewed.ca, renewed.certificate, self._keys.tls_key, self._state.root)
            self._peer.use(context)
