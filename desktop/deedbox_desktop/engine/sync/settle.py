"""What the box's answers about statements do to the journal. Receipts are not believed here, only handed on."""

from collections.abc import Callable, Sequence

from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.errors import BoxRefused, BoxUnintelligible
from deedbox_desktop.engine.journal import statements
from deedbox_desktop.engine.journal.statements import Change
from deedbox_desktop.engine.model import Lane, StatementRow, StatementState
from deedbox_desktop.engine.stops import stop_for
from deedbox_desktop.engine.sync import gaps
from deedbox_sync.transfer import Result
from deedbox_sync.transfer_steps import (
    Action,
    AskReceipt,
    FillGap,
    Finish,
    Hold,
    OfferAgain,
    Prove,
    SendAnew,
    SendBytes,
    Stop,
    Wait,
    action_for,
)

# Every statement of this desk would be refused for the same reason: holding them one by one would only hide it.
_ALL_THE_SAME = frozenset({"bad-signature", "wrong-device"})

TakeReceipts = Callable[[list[tuple[StatementRow, str]]], None]


def settle(desk: Desk, rows: Sequence[StatementRow], results: Sequence[Result], take_receipts: TakeReceipts) -> None:
    """Record each answer up to the first that stops the order; what comes after that one is asked again.

    BoxRefused where the box wants us to wait, TrustLost where it must not go on, BoxUnintelligible for answers about
    something else.
    """
    if len(rows) != len(results) or any(
        row.digest != result.statement for row, result in zip(rows, results, strict=True)
    ):
        raise BoxUnintelligible("The box answered about other statements than it was asked.")
    changes: list[Change] = []
    receipted: list[tuple[StatementRow, str]] = []
    obstacle: tuple[StatementRow, Action] | None = None
    for row, result in zip(rows, results, strict=True):
        action = action_for(result)
        match action:
            case Finish(receipt):
                receipted.append((row, receipt))
                changes.append(Change(row.sequence, StatementState.COMMITTED))
            case AskReceipt():
                changes.append(Change(row.sequence, StatementState.COMMITTED))
            case SendBytes(upload, offset):
                changes.append(Change(row.sequence, StatementState.ACCEPTED, Lane.OFFER, upload, offset))
            case Prove(upload, nonce):
                changes.append(Change(row.sequence, StatementState.ACCEPTED, Lane.OFFER, upload, nonce=nonce))
            case OfferAgain() | SendAnew():
                lane = Lane.NONE if row.lane is Lane.NONE else Lane.OFFER
                changes.append(Change(row.sequence, StatementState.SIGNED, lane))
            case FillGap() | Hold() | Wait() | Stop():
                obstacle = row, action
        if obstacle is not None or isinstance(action, SendAnew):
            break
    if receipted:
        take_receipts(receipted)
    if changes:
        desk.journal.write(lambda db: statements.change(db, changes))
    for change in changes:
        if change.state is StatementState.COMMITTED:
            desk.contents.drop(change.sequence)
    if obstacle is not None:
        _overcome(desk, *obstacle)
    desk.link.wake()


def _overcome(desk: Desk, row: StatementRow, action: Action) -> None:
    match action:
        case FillGap(expected):
            gaps.fill(desk, row, expected)
        case Hold(problem) if problem.slug not in _ALL_THE_SAME:
            gaps.refuse(desk, row, problem)
        case Hold(problem) | Stop(problem):
            raise stop_for(problem)
        case Wait(problem):
            raise BoxRefused(problem, 503)
