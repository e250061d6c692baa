"""Finding the box again and again: greet it, check that it is ours and its log goes on, and only then say that it is there."""

import time
from datetime import UTC, datetime
from uuid import UUID

from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxError, BoxUnintelligible, TrustLost
from deedbox_desktop.engine.journal import facts, identifiers, statements
from deedbox_desktop.engine.journal.statements import Head
from deedbox_desktop.engine.model import CaseFacts, Greeting
from deedbox_desktop.engine.sync import gaps
from deedbox_desktop.engine.sync.receipts import LogKeeper
from deedbox_disk.errors import DiskError
from deedbox_sync import timestamp
from deedbox_sync.errors import FormatError
from deedbox_sync.hello import Hello
from deedbox_sync.statement import NO_DIGEST


class Greeter:
    """`step` greets when it is time to. False when it is not."""

    def __init__(self, desk: Desk, keeper: LogKeeper) -> None:
        self._desk = desk
        self._keeper = keeper
        self._next = 0.0

    def step(self) -> bool:
        link = self._desk.link
        if link.stop is not None and not self._cleared():
            return False
        if link.online and not link.greeting_due and time.monotonic() < self._next:
            return False
        link.greeting_due = False
        try:
            greeting = self._greet()
        except (BoxError, DiskError):
            link.lost()
            raise
        self._next = time.monotonic() + link.pace.hello_every
        if self._desk.journal.read(facts.retry_asked):
            gaps.sign_held_again(self._desk)
            self._desk.journal.write(statements.offer_held)
            self._desk.journal.write(identifiers.ask_again)
            self._desk.journal.write(facts.retry_done)
        link.found(greeting)
        self._desk.free_spool()
        return True

    def _cleared(self) -> bool:
        """Whether a person has cleared the stop meanwhile, maybe from another process."""
        if self._desk.journal.read(facts.stopped) is not None:
            return False
        self._desk.link.stop = None
        self._keeper.reload()
        return True

    def _greet(self) -> Greeting:
        desk = self._desk
        asked = datetime.now(UTC)
        hello = desk.box.hello()
        now = datetime.now(UTC)
        if hello.device != str(desk.facts.device):
            raise TrustLost("wrong-device", "The box takes this desk for another one. It has to be paired again.")
        if (hello.origin, hello.vkey) != (desk.facts.origin, desk.facts.vkey):
            raise TrustLost(
                "log-key",
                "The box shows another log or another key than this desk was paired with. If it was restored, pair again.",
            )
        self._keeper.extend({hello.checkpoint})
        self._compare_journals(hello)
        greeting = _greeting(hello, asked + (now - asked) / 2, desk.link.greeting)
        desk.journal.write(lambda db: facts.put_greeting(db, greeting))
        return greeting

    def _compare_journals(self, hello: Hello) -> None:
        """The box must not have more of this desk's chain than the desk itself, nor end it otherwise."""
        journal = self._desk.journal
        head = journal.read(statements.head)
        if hello.next_sequence > head.sequence + 1:
            if not journal.read(facts.may_adopt):
                raise TrustLost(
                    "journal-behind",
                    f"The box has statements of this desk up to number {hello.next_sequence - 1}; this desk's journal ends with"
                    f" {head.sequence}. Was the desk restored from a copy, or is there a second one?",
                )
            gaps.adopt(self._desk, hello.next_sequence - 1, hello.last_digest)
        elif _contradicts(hello, head):
            raise TrustLost(
                "journal-conflict",
                "The box holds another statement under a number that this desk used. Is there a copy of this desk?",
            )


def _contradicts(hello: Hello, head: Head) -> bool:
    """Where the box has all of the chain, it must end with the same statement."""
    return hello.next_sequence == head.sequence + 1 and hello.last_digest != (head.digest or NO_DIGEST)


def _greeting(hello: Hello, at: datetime, before: Greeting | None) -> Greeting:
    """A box that has no beacon just now leaves the one that it told before: still the newest that is known."""
    try:
        box_time = timestamp.parse(hello.box_time)
        cases = tuple(CaseFacts(UUID(case.id), case.number, case.title) for case in hello.cases)
    except (FormatError, ValueError) as error:
        raise BoxUnintelligible("The box's greeting cannot be understood.") from error
    return Greeting(
        seen=at,
        box_name=hello.box_name,
        box_offset_ms=round((at - box_time).total_seconds() * 1000),
        backup_configured=hello.backup_configured,
        backed_up_to=hello.backed_up_to,
        batch_bytes=hello.batch_bytes,
        batch_items=hello.batch_items,
        inline_bytes=hello.inline_bytes,
        cases=cases,
        beacon=hello.beacon or (before.beacon if before is not None else None),
        alarms=hello.alarms,
    )
