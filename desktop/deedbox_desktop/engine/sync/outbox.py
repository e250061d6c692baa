"""The one lane that carries statements, in journal order. While a request is in flight, the next ones are captured and signed."""

from itertools import takewhile

from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.journal import statements
from deedbox_desktop.engine.journal.statements import Change
from deedbox_desktop.engine.model import Lane, StatementRow, StatementState
from deedbox_desktop.engine.sync.settle import TakeReceipts, settle
from deedbox_desktop.engine.sync.sources import BytesLost, small_content
from deedbox_sync.transfer import BatchItem, Closing, Result

MOST_ITEMS = 500  # one commit of the box; more would only make the first receipt come later
MOST_BYTES = 16 << 20
ITEM_OVERHEAD = 12  # two length words


class Outbox:
    """`step` sends one request. False when there is nothing to send now."""

    def __init__(self, desk: Desk, take_receipts: TakeReceipts) -> None:
        self._desk = desk
        self._take_receipts = take_receipts

    def step(self) -> bool:
        if not self._desk.link.online:
            return False
        rows = self._desk.journal.read(lambda db: statements.with_state(db, StatementState.SIGNED, MOST_ITEMS))
        if not rows:
            return False
        lane = _lane(rows[0])
        run = list(takewhile(lambda row: _lane(row) is lane, rows))
        send = {Lane.INLINE: self._batch, Lane.UPLOAD: self._close_uploads, Lane.OFFER: self._offer}[lane]
        sent, results = send(run)
        if sent:
            settle(self._desk, sent, results, self._take_receipts)
        return True

    def _batch(self, run: list[StatementRow]) -> tuple[list[StatementRow], list[Result]]:
        """As many as fit. One whose bytes are lost is offered without them: its number is taken, and the chain goes on."""
        greeting = self._desk.link.greeting
        room = min(MOST_BYTES, greeting.batch_bytes if greeting else MOST_BYTES)
        items: list[BatchItem] = []
        for row in run[: greeting.batch_items if greeting else None]:
            room -= len(row.envelope) + row.size + ITEM_OVERHEAD
            if room < 0 and items:
                break
            try:
                items.append(BatchItem(row.envelope, small_content(self._desk, row)))
            except BytesLost:
                if not items:
                    self._offer_instead(row)
                break
        sent = run[: len(items)]
        return sent, self._desk.box.batch(items) if items else []

    def _offer_instead(self, row: StatementRow) -> None:
        change = Change(row.sequence, StatementState.SIGNED, Lane.OFFER)
        self._desk.journal.write(lambda db: statements.change(db, [change]))

    def _close_uploads(self, run: list[StatementRow]) -> tuple[list[StatementRow], list[Result]]:
        closings = [Closing(row.envelope, row.upload or "") for row in run]
        return run, self._desk.box.statements(closings)

    def _offer(self, run: list[StatementRow]) -> tuple[list[StatementRow], list[Result]]:
        return run, self._desk.box.offers([row.envelope for row in run])


def _lane(row: StatementRow) -> Lane:
    return Lane.OFFER if row.lane is Lane.NONE else row.lane
