"""Writing the trail: a change in its own transaction; views and refusals gathered and written in groups each second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, DatabaseError
from deedbox_server.errors import DeedboxError, Unavailable
from deedbox_server.notary.service import Notary
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import NOTHING
from deedbox_server.trail.gathered import About, Gathered, Gathering, Who, who
from deedbox_sync import audit_record, uuid7
from deedbox_sync.audit_record import AuditRecord
from deedbox_sync.canonical_json import Json

EVERY: Final = 1.0  # seconds between writings: what a crash takes of views of lists and of refusals
WAKE_AT: Final = 2_000  # views that are written without waiting for the second to end
_GROUP: Final = 1_000  # records in one transaction
_COLUMNS: Final = ("id", "time", "outcome", "operation", "actor", "case_id", "object", "record")
# Tables with `case_id` whose rows are named in paths without their case.
_OF_CASES: Final = (
    "exhibit",
    "paper",
    "item",
    "legal_hold",
    "disposal",
    "conflict_check",
    "download_link",
    "case_party",
    "case_event",
    "case_artifact",
)

log = logging.getLogger("deedbox.trail")


class Trail:
    """The box's `Recorder`, and what remembers views and refusals. Of one event loop."""

    def __init__(self, db: Database, notary: Notary, clock: Clock = system_clock) -> None:
        self._db = db
        self._notary = notary
        self._clock = clock
        self._gathering = Gathering()
        self._many = asyncio.Event()
        self._writing = asyncio.Lock()
        self._of_cases = list(_OF_CASES)

    def lies_in_cases(self, table: str) -> None:
        """Rows of this table, which has `id` and `case_id`, are named in paths without their case: look it up there."""
        self._of_cases.append(table)

    # --- changes

    async def changed(
        self,
        principal: Principal,
        operation: str,
        *,
        case: UUID | None = None,
        object: UUID | None = None,
        detail: Mapping[str, Json] = NOTHING,
    ) -> UUID:
        """As `Recorder.changed` promises."""
        assert self._db.in_transaction, "a record without the change it tells of would be a lie"
        # The time is the box's clock, whatever clock a test sets: it stands beside that of the log entry.
        record = _new(who(principal), "changed", About(operation, case, object), detail, datetime.now(UTC))
        return (await self._write([record]))[0]

    # --- views and refusals

    def viewed(
        self, principal: Principal, operation: str, *, case: UUID | None = None, object: UUID | None = None
    ) -> None:
        """That this was shown: one record for a person, operation, object and quarter hour. Unavailable while so much waits to
        be written that this could not be kept; then it may not be shown."""
        self._refuse_when_full()
        self._gathering.view(principal, About(operation, case, object), self._clock())
        self._note()

    def listed(
        self, principal: Principal, operation: str, *, case: UUID | None = None, ids: Iterable[UUID | str] = ()
    ) -> None:
        """That these rows of a list were shown; as `viewed`, but one record for all that one second brings together."""
        self._refuse_when_full()
        self._gathering.list(principal, About(operation, case, None), ids, self._clock())
        self._note()

    def refused(
        self,
        principal: Principal,
        operation: str,
        *,
        case: UUID | None = None,
        object: UUID | None = None,
        reason: str,
        why: str = "",
    ) -> None:
        """That one whom the box knows was refused, with the problem's slug and detail. Never fails: too many of them become
        counts."""
        about = About(operation, case, object)
        self._gathering.refuse(principal, about, reason, why[: audit_record.MAX_WHY], self._clock())
        self._note()

    async def flush(self, *, all_counts: bool = False) -> None:
        """Write what was gathered; durable on return. Raises, and keeps it all, where that cannot be done."""
        async with self._writing:
            gathered = self._gathering.take(self._clock(), all_counts=all_counts)
            self._many.clear()
            if not (gathered.views or gathered.lists or gathered.refusals):
                return
            try:
                async with self._db.transaction():
                    await self._write(await self._records(gathered))
            except BaseException:
                self._gathering.put_back(gathered)
                raise

    async def run(self) -> None:
        """Write each second, and sooner where many wait, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._many.wait()
            try:
                await self.flush()
            except (DatabaseError, DeedboxError) as error:
                log.error("the trail cannot be written: %s", type(error).__name__)
                await asyncio.sleep(EVERY)

    async def close(self) -> None:
        """Write the last of it."""
        try:
            await self.flush(all_counts=True)
        except (DatabaseError, DeedboxError) as error:
            log.error("the end of the trail could not be written: %s", type(error).__name__)

    # --- writing

    def _refuse_when_full(self) -> None:
        if self._gathering.is_full:
            raise Unavailable("the record of who sees what cannot be written: nothing is shown until it can")

    def _note(self) -> None:
        if self._gathering.held >= WAKE_AT:
            self._many.set()

    async def _records(self, gathered: Gathered) -> list[AuditRecord]:
        cases = await self._cases_of(gathered)

        def placed(about: About) -> About:
            known = about.case is not None or about.object is None
            return about if known else about._replace(case=cases.get(about.object))  # type: ignore[arg-type] # not None: known

        records = [_new(actor, "viewed", placed(about), {}, time) for actor, about, time in gathered.views]
        for (actor, about), (time, ids) in gathered.lists.items():
            apart: dict[UUID | None, list[str]] = {}
            for one in ids:
                apart.setdefault(about.case or cases.get(one), []).append(str(one))
            for case, listed in apart.items():
                for start in range(0, len(listed), audit_record.MAX_IDS):
                    part = listed[start : start + audit_record.MAX_IDS]
                    detail: dict[str, Json] = {"count": len(part), "ids": part}
                    records.append(_new(actor, "viewed", about._replace(case=case), detail, time))
        for refusal, count in gathered.refusals.items():
            why: dict[str, Json] = {"count": count.times, "reason": refusal.reason, "why": refusal.why}
            records.append(_new(refusal.who, "refused", placed(refusal.about), why, count.first))
        return sorted(records, key=lambda record: record.time)

    async def _cases_of(self, gathered: Gathered) -> dict[UUID, UUID]:
        """The cases of what was named without one, where it lies in one."""
        abouts = [about for _, about, _ in gathered.views] + [refusal.about for refusal in gathered.refusals]
        lacking = {about.object for about in abouts if about.case is None and about.object is not None}
        for (_, about), (_, ids) in gathered.lists.items():
            if about.case is None:
                lacking.update(ids)
        found: dict[UUID, UUID] = {}
        for table in self._of_cases:
            if wanted := sorted(lacking - found.keys()):
                rows = await self._db.fetch_in(f"SELECT id, case_id FROM {table} WHERE id IN ", wanted)
                found |= {row["id"]: row["case_id"] for row in rows}
        return found

    async def _write(self, records: Sequence[AuditRecord]) -> list[UUID]:
        """Records and staged entries, in the caller's transaction. Fresh ids each time: a try that was cut short may have
        left salts under the ids it used."""
        ids = sorted(uuid7.new() for _ in records)  # of one moment: in the order of the records
        for start in range(0, len(records), _GROUP):
            rows, events = [], []
            for row_id, record in zip(ids[start : start + _GROUP], records[start : start + _GROUP], strict=True):
                data = audit_record.encode(record)
                found_by = (record.time, record.outcome, record.operation, record.actor, record.case, record.object)
                rows.append((row_id, *found_by, data))
                events.append((f"audit.{record.outcome}", row_id, audit_record.committed_values(record, data)))
            await self._db.insert_many("audit_record", _COLUMNS, rows)
            await self._notary.stage(await self._notary.salted(events))
        return ids


def _new(actor: Who, outcome: str, about: About, detail: Mapping[str, Json], time: datetime) -> AuditRecord:
    return audit_record.new(
        actor.actor,
        actor.name,
        actor.via,
        device=actor.device,
        address=actor.address,
        outcome=outcome,
        operation=about.operation,
        case=about.case,
        object=about.object,
        detail=detail,
        time=time,
    )
