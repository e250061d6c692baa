"""Legal holds: who placed them on what and why, until when; while one is there nothing under it is deleted (`people.holds`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, NotFound, OnHold, PreconditionFailed
from deedbox_server.evidence.custody import Custody, Event, new_event
from deedbox_server.evidence.exhibits import actor_of
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.holds import lock, refuse_if_held
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.retention.approval import UNDER_WAY, checked_reason
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import uuid7

__all__ = ["Hold", "Holds", "OnHold"]

PAGE: Final = 100
MAX_PAGE: Final = 500
_KINDS: Final = ("case", "exhibit", "party")


@dataclass(frozen=True)
class Hold:
    """`case` is None for a hold on an account. `lifted` None: it stands."""

    id: UUID
    kind: str
    subject: UUID
    case: UUID | None
    reason: str
    placed: datetime
    placed_by: str
    placed_by_name: str
    lifted: datetime | None
    lifted_by: str | None
    lifted_by_name: str | None
    lifted_reason: str | None
    version: int


_COLUMNS: Final = (
    "id",
    "kind",
    "subject",
    "case_id",
    "reason",
    "placed",
    "placed_by",
    "placed_by_name",
    "lifted",
    "lifted_by",
    "lifted_by_name",
    "lifted_reason",
    "version",
)
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM legal_hold"


class Holds:
    def __init__(
        self,
        db: Database,
        keys: KeyStore,
        custody: Custody,
        permissions: Permissions,
        recorder: Recorder,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._keys = keys
        self._custody = custody
        self._permissions = permissions
        self._recorder = recorder
        self._clock = clock

    async def refuse_if_held(
        self, db: Database, *, case: UUID | None = None, exhibit: UUID | None = None, person: UUID | None = None
    ) -> None:
        """As `people.holds.refuse_if_held`."""
        await refuse_if_held(db, case=case, exhibit=exhibit, person=person)

    # --- in a case

    async def place(self, principal: Principal, case: UUID, kind: str, subject: UUID, reason: str) -> Hold:
        """A hold on the case itself, on one of its exhibits or of its parties. There may be many on one thing.

        NotFound for what is not of this case; Conflict where its disposal has begun: then it is too late.
        """
        await self._permissions.permit(self._db, principal, "hold.place", case=case)
        if kind not in _KINDS:
            raise BadRequest(f"a hold is on one of: {', '.join(_KINDS)}")
        hold = self._new(principal, kind, subject, case, reason)
        event = await self._event(principal, hold, "held")
        async with self._db.transaction():
            await lock(self._db, {case})
            await self._refuse_what_is_not_here(hold)
            await self._refuse_when_under_way(hold)
            await self._insert(hold)
            await self._tell(principal, hold, "hold.place", {"kind": kind, "reason": hold.reason}, event)
        return hold

    async def lift(self, principal: Principal, hold: UUID, reason: str, *, expected: int) -> Hold:
        """Lift a hold of a case, with a reason. Strong; NotFound for one of a case that the principal does not see."""
        found = await self.get(principal, hold, "hold.lift")
        reason = checked_reason(reason)
        event = await self._event(principal, found, "released") if await self._is_there(found) else None
        return await self._lift(principal, found, reason, expected, "hold.lift", event)

    async def get(self, principal: Principal, hold: UUID, operation: str = "hold.read") -> Hold:
        row = await self._db.fetch_one(f"{_SELECT} WHERE id = {{}} AND case_id IS NOT NULL", hold)
        if row is None:
            raise NotFound
        await self._permissions.permit(self._db, principal, operation, case=row["case_id"])
        return _hold(row)

    async def of_case(
        self, principal: Principal, case: UUID, *, standing: bool = True, after: UUID | None = None, limit: int = PAGE
    ) -> list[Hold]:
        """Holds on the case and on what is in it, oldest first; only those that stand, unless told otherwise."""
        await self._permissions.permit(self._db, principal, "hold.read", case=case)
        rows = await self._db.fetch(
            f"{_SELECT} WHERE case_id = {{}} AND id > {{}}{' AND lifted IS NULL' if standing else ''} ORDER BY id LIMIT "
            f"{min(max(limit, 1), MAX_PAGE):d}",
            case,
            after or UUID(int=0),
        )
        return [_hold(row) for row in rows]

    # --- on an account

    async def place_on_account(self, principal: Principal, account: UUID, reason: str) -> Hold:
        """A hold on what names one of the firm's people: their account is not erased while it stands."""
        await self._permissions.permit(self._db, principal, "account.manage")
        hold = self._new(principal, "account", account, None, reason)
        async with self._db.transaction():
            await lock(self._db, set(), account)
            await self._refuse_what_is_not_here(hold)
            await self._insert(hold)
            await self._tell(principal, hold, "account.manage", {"hold": "placed", "reason": hold.reason}, None)
        return hold

    async def lift_from_account(
        self, principal: Principal, account: UUID, hold: UUID, reason: str, *, expected: int
    ) -> Hold:
        await self._permissions.permit(self._db, principal, "account.manage")
        row = await self._db.fetch_one(
            f"{_SELECT} WHERE id = {{}} AND kind = 'account' AND subject = {{}}", hold, account
        )
        if row is None:
            raise NotFound
        return await self._lift(principal, _hold(row), checked_reason(reason), expected, "account.manage", None)

    async def of_account(self, principal: Principal, account: UUID) -> list[Hold]:
        """All there were on an account, oldest first."""
        await self._permissions.permit(self._db, principal, "account.list")
        return [
            _hold(row)
            for row in await self._db.fetch(f"{_SELECT} WHERE kind = 'account' AND subject = {{}} ORDER BY id", account)
        ]

    # ---

    def _new(self, principal: Principal, kind: str, subject: UUID, case: UUID | None, reason: str) -> Hold:
        now, by, name = self._clock(), principal.actor_id, principal.name
        reason = checked_reason(reason)
        return Hold(uuid7.new(), kind, subject, case, reason, now, by, name, None, None, None, None, 1)

    async def _event(self, principal: Principal, hold: Hold, kind: str) -> Event | None:
        """What the exhibit's custody says of it, its salts durable; the reason is not in custody, for bundles to tell."""
        if hold.kind != "exhibit":
            return None
        assert hold.case is not None
        event = new_event(hold.subject, hold.case, kind, actor_of(principal), {"hold": str(hold.id)})
        await self._keys.commit(KeyBatch(salts=[event.salts]))
        return event

    async def _insert(self, hold: Hold) -> None:
        values = [getattr(hold, "case" if name == "case_id" else name) for name in _COLUMNS]
        await self._db.insert_many("legal_hold", _COLUMNS, [values])

    async def _lift(
        self, principal: Principal, found: Hold, reason: str, expected: int, operation: str, event: Event | None
    ) -> Hold:
        async with self._db.transaction():
            rows = await self._db.fetch(
                "UPDATE legal_hold SET lifted = {}, lifted_by = {}, lifted_by_name = {}, lifted_reason = {},"
                " version = version + 1 WHERE id = {} AND version = {} AND lifted IS NULL"
                f" RETURNING {', '.join(_COLUMNS)}",
                self._clock(),
                principal.actor_id,
                principal.name,
                reason,
                found.id,
                expected,
            )
            if not rows and found.lifted is not None:
                raise Conflict("this hold has been lifted")
            if not rows:
                raise PreconditionFailed("this hold has changed since you read it")
            await self._tell(principal, found, operation, {"lifted": str(found.id), "reason": reason}, event)
        return _hold(rows[0])

    async def _tell(
        self, principal: Principal, hold: Hold, operation: str, detail: dict[str, str], event: Event | None
    ) -> None:
        subject = {"subject": str(hold.subject)}
        await self._recorder.changed(principal, operation, case=hold.case, object=hold.id, detail=subject | detail)
        if event is not None:
            await self._custody.append([event])

    async def _refuse_what_is_not_here(self, hold: Hold) -> None:
        places: dict[str, tuple[str, str, tuple[object, ...]]] = {
            "case": ("legal_case", "id = {} AND state <> {}", (hold.case, "disposed")),
            "exhibit": ("exhibit", "id = {} AND case_id = {}", (hold.subject, hold.case)),
            "party": ("case_party", "id = {} AND case_id = {}", (hold.subject, hold.case)),
            "account": ("account", "id = {}", (hold.subject,)),
        }
        table, condition, args = places[hold.kind]
        if hold.kind == "case" and hold.subject != hold.case:
            raise NotFound
        if not await self._db.fetch(f"SELECT id FROM {table} WHERE {condition}", *args):
            raise NotFound

    async def _is_there(self, hold: Hold) -> bool:
        """Whether the exhibit is there to have custody: it cannot be gone while the hold stands, but it may be refiled."""
        if hold.kind != "exhibit":
            return True
        rows = await self._db.fetch("SELECT id FROM exhibit WHERE id = {}", hold.subject)
        return bool(rows)

    async def _refuse_when_under_way(self, hold: Hold) -> None:
        """What is marked is going: its keys may be gone. A hold on the case still holds all that is not marked."""
        marks = ", ".join(["{}"] * len(UNDER_WAY))
        rows: list[dict[str, Any]] = await self._db.fetch(
            f"SELECT whole FROM disposal WHERE case_id = {{}} AND state IN ({marks})", hold.case, *UNDER_WAY
        )
        erasing = hold.kind == "exhibit" and await self._db.fetch(
            "SELECT exhibit.id FROM exhibit JOIN blob ON blob.id = exhibit.blob"
            " WHERE exhibit.id = {} AND blob.state = 'erasing'",
            hold.subject,
        )
        if erasing or any(row["whole"] for row in rows):
            raise Conflict("its disposal has begun: it is too late for a hold")
        if hold.kind == "case" and rows:
            raise Conflict("exhibits of this case are being disposed of at this moment: ask again when that is done")


def _hold(row: dict[str, Any]) -> Hold:
    return Hold(**{("case" if name == "case_id" else name): row[name] for name in _COLUMNS})
