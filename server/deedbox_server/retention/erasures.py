"""Erasure of a person: asked for by one, approved by another, done in one transaction, with a certificate of what went and what
was kept and why (formats/erasure.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed
from deedbox_server.notary.service import Notary
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.erasing import Erasers, Person
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.retention import approval, rows, tombstone
from deedbox_server.retention.approval import BURIED, DONE, MARKED, UNDER_WAY, WAITING, WITHDRAWN, checked_reason
from deedbox_server.retention.erasers import WITH_ACCOUNT
from deedbox_server.retention.erasures_list import ErasuresList, Line
from deedbox_server.retention.tombstone import Decision, Erased, Tombstone
from deedbox_server.vault.key_store import KeyStore
from deedbox_sync import canonical_json, timestamp, uuid7
from deedbox_sync.canonical_json import Fields, Json

OPERATION: Final = "person.erase"
PAGE: Final = 100
MAX_PAGE: Final = 500
MAX_PARTIES: Final = 1_000  # of one person: a frequent opponent, not a list of strangers
_MAX_COVERS: Final = 1 << 20

_TOUCHED: Final = tuple(
    sorted(
        {table for table, _ in WITH_ACCOUNT}
        | {"account", "audit_record", "custody_event", "device"}
        | set(rows.TOUCHED)
    )
)


@dataclass(frozen=True)
class Erasure:
    """A request, as it stands. `certificate` once it is done; `complete` once backups have expired and desks confirmed."""

    id: UUID
    person: Person
    reason: str
    state: str
    asked: Decision
    not_before: datetime | None
    approved: Decision | None
    certificate: Tombstone | None
    unconfirmed: tuple[UUID, ...]
    complete: bool
    version: int


class Erasures:
    """`wait` takes the second person's place where the firm has one administrator; `backups` is after what time all backups of
    today have expired."""

    def __init__(
        self,
        db: Database,
        keys: KeyStore,
        notary: Notary,
        permissions: Permissions,
        recorder: Recorder,
        erasers: Erasers,
        erasures: ErasuresList,
        *,
        wait: timedelta,
        backups: timedelta,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._keys = keys
        self._notary = notary
        self._permissions = permissions
        self._recorder = recorder
        self._erasers = erasers
        self._erasures = erasures
        self._wait = wait
        self._backups = backups
        self._clock = clock
        self._at_work = asyncio.Lock()

    async def ask(self, principal: Principal, account: UUID | None, parties: Sequence[UUID], reason: str) -> Erasure:
        """Ask for a person to be erased. NotFound for a party of a case that the principal does not see, as for none."""
        await self._permissions.permit(self._db, principal, OPERATION)
        if principal.account is None or principal.account == account:
            raise Denied("somebody else must ask for your own account to be erased")
        reason, person = checked_reason(reason), Person(account, tuple(sorted(set(parties))))
        if account is None and not person.parties:
            raise BadRequest("name an account, parties, or both")
        if len(person.parties) > MAX_PARTIES:
            raise BadRequest(f"one request names at most {MAX_PARTIES} parties")
        request = uuid7.new()
        async with self._db.transaction():
            await self._refuse_unknown(principal, person)
            await self._db.insert_many(
                "erasure",
                ("id", "reason", "covers", "state", "asked", "asked_by", "asked_by_name", "version"),
                [
                    (
                        *(request, reason, _encode(person), approval.ASKED, self._clock()),
                        *(principal.actor_id, principal.name, 1),
                    )
                ],
            )
            detail: dict[str, Json] = {"account": _text(account), "parties": len(person.parties), "reason": reason}
            await self._recorder.changed(principal, OPERATION, object=request, detail=detail)
        return await self._found(request)

    async def get(self, principal: Principal, erasure: UUID) -> Erasure:
        await self._permissions.permit(self._db, principal, OPERATION)
        return await self._found(erasure)

    async def page(self, principal: Principal, *, after: UUID | None = None, limit: int = PAGE) -> list[Erasure]:
        """Requests, oldest first."""
        await self._permissions.permit(self._db, principal, OPERATION)
        found = await self._db.fetch(
            f"SELECT id FROM erasure WHERE id > {{}} ORDER BY id LIMIT {min(max(limit, 1), MAX_PAGE):d}",
            after or UUID(int=0),
        )
        return [await self._found(row["id"]) for row in found]

    async def withdraw(self, principal: Principal, erasure: UUID, *, expected: int) -> Erasure:
        found = await self.get(principal, erasure)
        async with self._db.transaction():
            await self._set(found, expected, WITHDRAWN, "ended", self._clock())
            await self._recorder.changed(principal, OPERATION, object=erasure, detail={"state": WITHDRAWN})
        return await self._found(erasure)

    async def approve(self, principal: Principal, erasure: UUID, *, expected: int) -> Erasure:
        """Approve what another asked for, and erase; or wait and confirm, as with a disposal. What a hold is over is kept, and
        the certificate says so."""
        await self._permissions.permit(self._db, principal, OPERATION)
        async with self._db.transaction():
            found = await self._found(erasure)
            roles = self._permissions.rules[OPERATION].roles
            another = await approval.could_another_approve(self._db, principal, roles)
            request = approval.Request(found.state, found.asked, found.not_before)
            until = approval.decide(request, principal, self._clock(), another_could=another, wait=self._wait)
            if until is None and found.person.account == principal.account:
                raise Denied("somebody else must approve that your own account is erased")
            told: dict[str, Json] = {"state": MARKED}
            if until is not None:
                await self._set(found, expected, WAITING, "not_before", until)
                told = {"not_before": timestamp.encode(until), "state": WAITING}
            else:
                await self._set(found, expected, MARKED, "approved", self._clock())
                await self._db.execute(
                    "UPDATE erasure SET approved_by = {}, approved_by_name = {}, approved_via = {} WHERE id = {}",
                    *(principal.actor_id, principal.name, principal.via, erasure),
                )
                await self._bury(await self._row(erasure))
            await self._recorder.changed(principal, OPERATION, object=erasure, detail=told)
        if until is None:
            await self.carry_out(erasure)
        return await self._found(erasure)

    async def apply_again(
        self,
        accounts: Sequence[UUID],
        parties: Sequence[UUID],
        reason: str,
        approved_by: str,
        approved_by_name: str,
        approved: datetime,
    ) -> None:
        """After a restore: erase again what was approved before. Holds of the restored copy keep what they are over."""
        request = uuid7.new()
        person = Person(accounts[0] if accounts else None, tuple(sorted(parties)))
        async with self._db.transaction():
            await self._db.insert_many(
                "erasure",
                (
                    *("id", "reason", "covers", "state", "asked", "asked_by", "asked_by_name"),
                    *("approved", "approved_by", "approved_by_name", "approved_via", "version"),
                ),
                [
                    (
                        *(request, reason, _encode(person), MARKED, self._clock(), "box", "Deedbox"),
                        *(approved, approved_by, approved_by_name, "restore", 1),
                    )
                ],
            )
            await self._bury(await self._row(request))
        await self.carry_out(request)

    async def confirm_desk(self, principal: Principal, erasure: UUID, device: UUID) -> Erasure:
        """That what this desk had of the person is gone too. NotFound for one that need not say so."""
        await self._permissions.permit(self._db, principal, OPERATION)
        async with self._db.transaction():
            gone = await self._db.fetch(
                "UPDATE erasure_desk SET confirmed = {} WHERE erasure = {} AND device = {} AND confirmed IS NULL RETURNING id",
                *(self._clock(), erasure, device),
            )
            if not gone:
                raise NotFound
            detail: dict[str, Json] = {"confirmed": str(device)}
            await self._recorder.changed(principal, OPERATION, object=erasure, detail=detail)
        return await self._found(erasure)

    async def resume(self) -> None:
        """Carry out to its end whatever a crash has left under way."""
        marks = ", ".join(["{}"] * len(UNDER_WAY))
        for row in await self._db.fetch(f"SELECT id FROM erasure WHERE state IN ({marks}) ORDER BY id", *UNDER_WAY):
            await self.carry_out(row["id"])

    async def carry_out(self, erasure: UUID) -> None:
        """From the step it is at to the end: rows are gone, now salts, files, and the line in the list."""
        async with self._at_work:
            row = await self._row(erasure)
            if row["state"] != BURIED:
                return
            stone = tombstone.parse(row["certificate"])
            gone = await self._db.fetch("SELECT record FROM erased_record WHERE tombstone = {}", stone.id)
            await self._keys.forget_salts([one["record"] for one in gone])
            if not (await self._db.purge(_TOUCHED) and await self._keys.purge()):
                return  # somebody reads what was deleted: the box goes on from here by itself
            person = _parse(row["covers"])
            accounts = () if person.account is None else (person.account,)
            await self._erasures.append(
                Line(
                    erasure,
                    "person",
                    None,
                    (*accounts, *person.parties),
                    (stone.id,),
                    stone.approved.id,
                    stone.approved.time,
                )
            )
            await self._db.execute(
                "UPDATE erasure SET state = {}, ended = {}, version = version + 1 WHERE id = {} AND state = {}",
                *(DONE, self._clock(), erasure, BURIED),
            )

    async def _bury(self, row: Row) -> None:
        """In the transaction of the approval: erasers look for holds themselves. No key goes before this has committed."""
        person, now = _parse(row["covers"]), self._clock()
        desks = await self._db.fetch("SELECT id FROM device WHERE account = {} ORDER BY id", person.account)
        gone = await self._erasers.erase(self._db, person)
        await rows.forget_answers(self._db)
        stone = Tombstone(
            id=uuid7.new(),
            what="person",
            object=row["id"],
            case=None,
            asked=Decision(row["asked_by"], row["asked_by_name"], row["asked"]),
            approved=Decision(row["approved_by"], row["approved_by_name"], row["approved"], row["approved_via"]),
            reason=row["reason"],
            rule=None,
            request=row["id"],
            time=now,
            erased=Erased.of(gone.records),
            kept=gone.kept,
            desks=tuple(one["id"] for one in desks),
            backups_until=now + self._backups,
        )
        data = tombstone.encode(stone)
        await self._notary.record(tombstone.PERSON_ENTRY, stone.id, tombstone.committed_values(stone, data))
        await self._db.insert_many(
            "tombstone", ("id", "what", "object", "time", "record"), [(stone.id, stone.what, stone.object, now, data)]
        )
        pairs = [(record, stone.id) for record in sorted(set(gone.records))]
        await self._db.insert_many("erased_record", ("record", "tombstone"), pairs)
        await self._db.insert_many("erasure_desk", ("erasure", "device"), [(row["id"], one) for one in stone.desks])
        await self._db.execute(
            "UPDATE erasure SET state = {}, certificate = {}, expiry = {}, version = version + 1 WHERE id = {}",
            *(BURIED, data, stone.backups_until, row["id"]),
        )

    async def _refuse_unknown(self, principal: Principal, person: Person) -> None:
        wall = self._permissions.wall(principal)
        for party in person.parties:
            rows = await self._db.fetch(
                f"SELECT id FROM case_party WHERE id = {{}} AND {wall.on('case_party.case_id')}", party, *wall.args
            )
            if not rows:
                raise NotFound
        if person.account is not None and not await self._db.fetch(
            "SELECT id FROM account WHERE id = {}", person.account
        ):
            raise NotFound

    async def _set(self, found: Erasure, expected: int, state: str, column: str, time: datetime) -> None:
        if found.state not in approval.OPEN:
            raise Conflict("this request has been decided")
        changed = await self._db.fetch(
            f"UPDATE erasure SET state = {{}}, {column} = {{}}, version = version + 1"
            " WHERE id = {} AND version = {} AND state = {} RETURNING id",
            *(state, time, found.id, expected, found.state),
        )
        if not changed:
            raise PreconditionFailed("this request has changed since you read it")

    async def _row(self, erasure: UUID) -> Row:
        row = await self._db.fetch_one("SELECT * FROM erasure WHERE id = {}", erasure)
        if row is None:
            raise NotFound
        return row

    async def _found(self, erasure: UUID) -> Erasure:
        row = await self._row(erasure)
        open_desks = await self._db.fetch(
            "SELECT device FROM erasure_desk WHERE erasure = {} AND confirmed IS NULL ORDER BY device", erasure
        )
        approved = None
        if row["approved"] is not None:
            approved = Decision(row["approved_by"], row["approved_by_name"], row["approved"], row["approved_via"])
        expired = row["expiry"] is not None and row["expiry"] <= self._clock()
        return Erasure(
            id=row["id"],
            person=_parse(row["covers"]),
            reason=row["reason"],
            state=row["state"],
            asked=Decision(row["asked_by"], row["asked_by_name"], row["asked"]),
            not_before=row["not_before"],
            approved=approved,
            certificate=None if row["certificate"] is None else tombstone.parse(row["certificate"]),
            unconfirmed=tuple(one["device"] for one in open_desks),
            complete=row["state"] == DONE and expired and not open_desks,
            version=row["version"],
        )


def _encode(person: Person) -> bytes:
    return canonical_json.encode(
        {"account": _text(person.account), "parties": [str(party) for party in person.parties]}
    )


def _parse(data: bytes) -> Person:
    fields = Fields(canonical_json.parse_object(data, limit=_MAX_COVERS, where="person"), "person")
    person = Person(fields.optional_uuid("account"), tuple(UUID(text) for text in fields.texts("parties")))
    fields.done()
    return person


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
