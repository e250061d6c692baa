"""Each device's journal as the box has it: numbers without holes, each statement naming the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import JournalConflict, JournalGap, NotFound
from deedbox_server.evidence.statements import Checked, refusal
from deedbox_sync.statement import GapStatement
from deedbox_sync.transfer import Result
from deedbox_sync.transfer_steps import JournalHead, Place

OFFERED, COMMITTED = "offered", "committed"


@dataclass(frozen=True)
class Known:
    """A statement that the box has taken before."""

    digest: bytes
    state: str
    upload: str | None
    record: UUID | None
    content: bytes
    size: int


@dataclass(frozen=True)
class NewStatement:
    """A statement to be noted; `record` is that of the log entry which takes it in, once there is one."""

    checked: Checked
    state: str
    upload: str | None = None
    exhibit: UUID | None = None
    record: UUID | None = None


@dataclass(frozen=True)
class Plan:
    """What a run of statements would do: which are new, which are known, which are refused, in their order."""

    before: JournalHead
    after: JournalHead
    outcomes: tuple[Checked | Known | Result, ...]
    conflicts: tuple[Checked, ...]

    @property
    def new(self) -> list[Checked]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, Checked)]


class Journals:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def head(self, device: UUID, *, lock: bool = False) -> JournalHead:
        suffix = " FOR UPDATE" if lock and self._db.dialect == "postgres" else ""
        row = await self._db.fetch_one(f"SELECT next_sequence, last_digest FROM device WHERE id = {{}}{suffix}", device)
        if row is None:
            raise NotFound("This device is not paired with the box.")
        return JournalHead(row["next_sequence"], row["last_digest"])

    async def plan(self, device: UUID, arriving: Sequence[Checked | Result]) -> Plan:
        """Decide about statements that arrive in one request, in their order. Changes nothing."""
        before = head = await self.head(device)
        known = await self._known(device, [item for item in arriving if isinstance(item, Checked)])
        outcomes: list[Checked | Known | Result] = []
        conflicts = []
        for item in arriving:
            if isinstance(item, Result):
                outcomes.append(item)
                continue
            held = known.get(item.sequence)
            match _place(head, item, held):
                case Place.NEXT:
                    head = head.after(item.sequence, item.digest)
                    outcomes.append(item)
                case Place.KNOWN if held is not None:
                    outcomes.append(held)
                case Place.GAP:
                    outcomes.append(refusal(item.digest, JournalGap(head.next_sequence)))
                case _:
                    conflicts.append(item)
                    error = JournalConflict(f"Journal number {item.sequence} is taken by another statement.")
                    outcomes.append(refusal(item.digest, error))
        return Plan(before, head, tuple(outcomes), tuple(conflicts))

    async def advance(self, device: UUID, plan: Plan) -> None:
        """Take the plan's new statements' numbers, in the caller's transaction; the head must still be the plan's."""
        if await self.head(device, lock=True) != plan.before:
            raise JournalGap(plan.before.next_sequence)
        await self._db.execute(
            "UPDATE device SET next_sequence = {}, last_digest = {} WHERE id = {}",
            plan.after.next_sequence,
            plan.after.last_digest,
            device,
        )

    async def add(self, device: UUID, statements: Sequence[NewStatement]) -> None:
        """Insert rows in the caller's transaction."""
        received = datetime.now(UTC)
        rows = []
        for new in statements:
            item = new.checked
            if isinstance(item.statement, GapStatement):
                kind, case, size, content = "gap", None, 0, b""
            else:
                kind, case = "capture", item.statement.case
                size, content = item.statement.file.size, item.statement.content
            rows.append(
                (
                    item.digest,
                    device,
                    item.sequence,
                    kind,
                    item.envelope,
                    case,
                    size,
                    content,
                    new.state,
                    new.upload,
                    new.exhibit,
                    new.record,
                    received,
                )
            )
        await self._db.insert_many("statement", _COLUMNS, rows)

    async def find(self, device: UUID, digests: Sequence[bytes]) -> dict[bytes, Known]:
        """Statements of this device by digest."""
        rows = await self._db.fetch_in(f"{_SELECT} WHERE device = {{}} AND digest IN ", digests, device)
        return {row["digest"]: _known(row) for row in rows}

    async def _known(self, device: UUID, items: Sequence[Checked]) -> dict[int, Known]:
        sequences = [item.sequence for item in items]
        rows = await self._db.fetch_in(f"{_SELECT} WHERE device = {{}} AND sequence IN ", sequences, device)
        return {row["sequence"]: _known(row) for row in rows}


_COLUMNS = (
    "digest",
    "device",
    "sequence",
    "kind",
    "envelope",
    "case_id",
    "size",
    "content",
    "state",
    "upload",
    "exhibit",
    "record",
    "received",
)
_SELECT = "SELECT digest, sequence, state, upload, record, content, size FROM statement"


def _known(row: dict[str, Any]) -> Known:
    return Known(row["digest"], row["state"], row["upload"], row["record"], row["content"], row["size"])


def _place(head: JournalHead, item: Checked, held: Known | None) -> Place:
    statement = item.statement
    if isinstance(statement, GapStatement) and held is None:
        return head.place_gap(statement.first, statement.last, statement.journal.previous)
    return head.place(item.sequence, item.previous, item.digest, held.digest if held else None)
