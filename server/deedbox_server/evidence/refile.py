"""Refile: an exhibit that was filed under the wrong case goes to the right one, and nothing about it is moved silently (EV-15).

Its keys are wrapped by the new case's key (formats/keys.md), it gets a number there, and its old number stays taken. Custody
tells of both cases; the log has an entry for each, so that both walls are told. Statement and receipt stay what they are.
Killed anywhere, the same call again ends well; refiling back is how it is undone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict
from deedbox_server.evidence.custody import Custody, Event, ExhibitMoved, new_event
from deedbox_server.evidence.exhibits import Exhibit, Exhibits, actor_of
from deedbox_server.evidence.moving import Follower, Move
from deedbox_server.evidence.refiled_rows import RefiledRows
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.holds import lock, refuse_if_held
from deedbox_server.people.recorder import Recorder
from deedbox_server.vault import StoredBlob, Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import uuid7

OPERATION: Final = "evidence.refile"
MAX_REASON: Final = 500  # characters; a sentence or two, kept in custody for good
MAX_TOGETHER: Final = 500  # exhibits in one move: one transaction, and one that its reader can still check
_TRIES: Final = 3  # where another exhibit began to share bytes meanwhile


@dataclass(frozen=True)
class Refiled:
    """Where the exhibits are now. `moved` is false where they were there already."""

    exhibits: tuple[Exhibit, ...]
    moved: bool


@dataclass(frozen=True)
class LeftNumber:
    """A number that stays taken because its exhibit left. Where it is now, only whoever may see it there is told."""

    number: int
    time: datetime
    exhibit: UUID | None
    now_in: UUID | None
    now_number: int | None


@dataclass(frozen=True)
class _Plan:
    """What is moved, looked at before the transaction, which looks again. `copies` are the new blobs, by the shared ones."""

    move: Move
    rows: tuple[Row, ...]
    blobs: frozenset[UUID]
    copies: dict[UUID, StoredBlob]


class _SharedMeanwhile(Exception):
    """Another exhibit of the old case has begun to use bytes that were about to move."""


class Refiling:
    """One move at a time: they are rare, and the key store holds one prepared move of a blob."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        keys: KeyStore,
        custody: Custody,
        exhibits: Exhibits,
        permissions: Permissions,
        recorder: Recorder,
    ) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._custody = custody
        self._exhibits = exhibits
        self._permissions = permissions
        self._recorder = recorder
        self._rows = RefiledRows(db)
        self._lock = asyncio.Lock()
        self.followers: list[Follower] = []

    async def refile(
        self, principal: Principal, exhibit: UUID, target: UUID, reason: str | None, *, with_newer: bool = False
    ) -> Refiled:
        """Move an exhibit, and those that supersede it if `with_newer`. Needs `evidence.refile` in both cases.

        NotFound for an exhibit or a case that the principal does not see; OnHold while a hold is over the old case; Conflict
        where the new one is not open. An exhibit that is there already stays as it is.
        """
        reason = _reason(reason)
        async with self._lock:
            found = await self._exhibits.get(principal, exhibit, OPERATION)
            await self._permissions.permit(self._db, principal, OPERATION, case=target)
            if found.case == target:
                move = Move((exhibit,), target, target)
                await self._vault.settle_moves()
                await self._tell("after", move)
                return Refiled((found,), moved=False)
            wanted = [exhibit, *(await self._newer(exhibit, found.case) if with_newer else ())]
            move = Move(tuple(wanted), found.case, target)
            for _ in range(_TRIES):
                try:
                    await self._attempt(principal, move, reason)
                except _SharedMeanwhile:
                    continue
                return Refiled(tuple([await self._exhibits.get(principal, one, OPERATION) for one in wanted]), True)
        raise Conflict("The bytes of this exhibit are being sent again: try once more in a moment.")

    async def left(
        self, principal: Principal, case: UUID, *, after: int = 0, limit: int = MAX_TOGETHER
    ) -> list[LeftNumber]:
        """The numbers of a case whose exhibits were refiled elsewhere, ascending, after the number `after`."""
        await self._permissions.permit(self._db, principal, "evidence.read", case=case)
        wall = self._permissions.wall(principal, "evidence.read")
        rows = await self._db.fetch(
            "SELECT refiled_exhibit.number, refiled_exhibit.time, exhibit.id AS exhibit, exhibit.case_id AS now_in,"
            " exhibit.number AS now_number FROM refiled_exhibit LEFT JOIN exhibit ON exhibit.id = refiled_exhibit.exhibit"
            f" AND {wall.on('exhibit.case_id')} WHERE refiled_exhibit.case_id = {{}} AND refiled_exhibit.number > {{}}"
            f" AND returned IS NULL ORDER BY refiled_exhibit.number LIMIT {limit:d}",
            *wall.args,
            case,
            after,
        )
        return [LeftNumber(**row) for row in rows]

    async def _newer(self, exhibit: UUID, case: UUID) -> list[UUID]:
        """What supersedes it in its case, and what supersedes that."""
        newer: list[UUID] = []
        last = [exhibit]
        while last:
            rows = await self._db.fetch_in(
                "SELECT id FROM exhibit WHERE case_id = {} AND supersedes IN ", last, case, suffix=" ORDER BY id"
            )
            last = [row["id"] for row in rows if row["id"] not in newer]
            newer += last
            if len(newer) >= MAX_TOGETHER:
                raise BadRequest(f"At most {MAX_TOGETHER} exhibits move together: refile them one by one.")
        return newer

    async def _attempt(self, principal: Principal, move: Move, reason: str | None) -> None:
        plan = await self._prepare(move)
        events = [self._event(principal, one, move, reason) for one in move.exhibits]
        try:
            await self._keys.commit(KeyBatch(salts=[event.salts for event in events]))
            await self._tell("before", move)
            async with self._db.transaction():
                await self._move(principal, plan, events, reason)
        except BaseException:
            await self._forget(plan.copies.values())
            raise
        finally:
            await self._vault.settle_moves()
            await self._tell("after", move)

    async def _forget(self, copies: Iterable[StoredBlob]) -> None:
        for copy in copies:
            with contextlib.suppress(Conflict):  # stored after all: the connection went while the commit was answered
                await self._vault.forget(copy.blob)

    async def _prepare(self, move: Move) -> _Plan:
        """The keys are made ready, and bytes that stay behind with another exhibit are copied."""
        rows = await self._rows.of(move.exhibits)
        shared = await self._rows.shared(move.exhibits, [row["blob"] for row in rows])
        derived = await self._rows.derived_blobs(move.exhibits)
        blobs = frozenset({row["blob"] for row in rows} - shared | derived)
        copies = {blob: await self._copy(blob, move.target) for blob in sorted(shared)}
        await self._vault.prepare_move(blobs, move.target)
        return _Plan(move, tuple(rows), blobs, copies)

    async def _copy(self, blob: UUID, case: UUID) -> StoredBlob:
        """The same bytes under a key of the other case; without its rows it is nothing, and swept."""
        writer = await self._vault.resume(case, uuid7.new())
        try:
            with closing(await self._vault.open(blob)) as reader:
                async for piece in reader.read(0, reader.size):
                    await writer.write(piece)
            return await writer.finish()
        finally:
            await writer.abandon()

    async def _move(self, principal: Principal, plan: _Plan, events: Sequence[Event], reason: str | None) -> None:
        move = plan.move
        await lock(self._db, {move.origin, move.target})
        await refuse_if_held(self._db, case=move.origin)
        await self._rows.refuse_unless_open(move.target)
        found = {row["id"]: row for row in await self._rows.of(move.exhibits, locking=True)}
        planned = {row["id"]: row["blob"] for row in plan.rows}
        if {one: row["blob"] for one, row in found.items()} != planned:
            raise ExhibitMoved
        if any(row["case_id"] != move.origin for row in found.values()):
            raise ExhibitMoved
        await self._vault.move_rows(plan.blobs, move.target)
        if await self._rows.shared(move.exhibits, list(set(planned.values()) - plan.copies.keys())):
            raise _SharedMeanwhile
        if await self._rows.derived_blobs(move.exhibits) - plan.blobs:
            raise ExhibitMoved
        await self._insert_copies(plan)
        now = datetime.now(UTC)
        numbers = await self._rows.numbers(move)
        await self._rows.leave(found, move, principal.actor_id, now)
        await self._rows.arrive(
            [
                (numbers[one], plan.copies[row["blob"]].blob if row["blob"] in plan.copies else row["blob"], one)
                for one, row in found.items()
            ],
            move.target,
            now,
        )
        await self._rows.take_along(move, now)
        await self._tell("within", move)
        told = [
            replace(
                event,
                detail={
                    **event.detail,
                    "from_number": found[event.exhibit]["number"],
                    "to_number": numbers[event.exhibit],
                },
            )
            for event in events
        ]
        await self._custody.append(told)
        for one in move.exhibits:
            left = {"number": found[one]["number"], "reason": reason}
            await self._recorder.changed(principal, OPERATION, case=move.origin, object=one, detail=left)

    async def _insert_copies(self, plan: _Plan) -> None:
        for table, rows in zip(("blob", "blob_part"), self._vault.record_rows(plan.copies.values()), strict=True):
            await self._db.insert_many(table, rows.columns, rows.rows)

    def _event(self, principal: Principal, exhibit: UUID, move: Move, reason: str | None) -> Event:
        """Numbers are added within the transaction that finds them."""
        detail = {"from": str(move.origin), "reason": reason, "to": str(move.target)}
        return new_event(exhibit, move.target, "refiled", actor_of(principal), detail)

    async def _tell(self, when: str, move: Move) -> None:
        for follower in self.followers:
            await getattr(follower, when)(move)


def _reason(reason: str | None) -> str | None:
    reason = (reason or "").strip()
    if len(reason) > MAX_REASON:
        raise BadRequest(f"A reason has at most {MAX_REASON} characters.")
    return reason or None
