"""Open a case, read it, change it, close, reopen and archive it; each change is in the log and in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.cases import case as facts
from deedbox_server.cases import names, plain_text, states, words
from deedbox_server.cases.case import Case, CaseChange, Facts, NewCase
from deedbox_server.cases.conflict_rows import bind
from deedbox_server.cases.matter_numbers import DEFAULT_PATTERN, Pattern, next_number
from deedbox_server.database import Database, UniqueViolation
from deedbox_server.errors import BadRequest, Conflict, PreconditionFailed
from deedbox_server.notary.drafts import EntryDraft, new_salts
from deedbox_server.notary.service import Notary
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.recorder import Recorder
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import uuid7
from deedbox_sync.canonical_json import Json

_TRIES: Final = 5  # to find a number that nobody gives by hand at the same moment
_TAKEN: Final = "A case has this number already."


class Cases:
    """`numbering` is the firm's pattern; `any_number`: a number given by hand need not fit it."""

    def __init__(
        self,
        db: Database,
        keys: KeyStore,
        notary: Notary,
        permissions: Permissions,
        trail: Recorder,
        *,
        numbering: str = DEFAULT_PATTERN,
        any_number: bool = True,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._keys = keys
        self._notary = notary
        self._permissions = permissions
        self._trail = trail
        self._pattern = Pattern(numbering)
        self._any_number = any_number
        self._clock = clock

    async def open(self, principal: Principal, number: str | None, title: str) -> Case:
        """Open a case of which no more is known than number and title."""
        return await self.create(principal, NewCase(title, number=number))

    async def create(self, principal: Principal, new: NewCase) -> Case:
        """Open a case; who opens it is its first member, and its entry is in the log. BadRequest for facts that do not
        do, Conflict where another case, whoever may see it, has the number that was given.
        """
        await self._permissions.permit(self._db, principal, "case.create")
        if new.number is not None and not self._any_number and not self._pattern.fits(new.number.strip()):
            raise BadRequest("This number does not fit the firm's pattern: leave it out to be given the next one.")
        for _ in range(_TRIES):
            try:
                return await self._create(principal, new)
            except UniqueViolation:
                if new.number is not None:
                    raise Conflict(_TAKEN) from None
        raise Conflict("Numbers are being given by hand faster than by the firm's pattern: try again.")

    async def visible(self, principal: Principal) -> list[Case]:
        """The cases that the principal may see, by number: all of them, for desks, which keep them."""
        self._permissions.require(principal, "case.list")
        seen, inside = self._permissions.wall(principal, "case.read"), self._permissions.wall(principal, "party.read")
        rows = await self._db.fetch(
            f"SELECT {facts.COLUMNS}, CASE WHEN {inside.on('legal_case.id')} THEN 1 ELSE 0 END AS inside"
            f" FROM legal_case WHERE {seen.on('legal_case.id')} ORDER BY number",
            *inside.args,
            *seen.args,
        )
        return [facts.read(row, outside=not row["inside"]) for row in rows]

    async def get(self, principal: Principal, case: UUID) -> Case:
        """One case; outsiders get its card."""
        permit = await self._permissions.permit(self._db, principal, "case.read", case=case)
        return await self._read(case, outside=permit.outside)

    async def change(self, principal: Principal, case: UUID, change: CaseChange, expected: int) -> Case:
        """Change facts of an open case. PreconditionFailed unless it has the version expected; CaseClosed; Conflict for a number
        that another case has.
        """
        await self._permissions.permit(self._db, principal, "case.write", case=case)
        if not isinstance(change.number, str) or self._any_number or self._pattern.fits(change.number.strip()):
            try:
                return await self._change(principal, case, change, expected)
            except UniqueViolation:
                raise Conflict(_TAKEN) from None
        raise BadRequest("This number does not fit the firm's pattern.")

    async def step(self, principal: Principal, case: UUID, step: str, reason: str, expected: int) -> Case:
        """Take one of `states.STEPS`, with the reason. Conflict where the case's state does not allow it."""
        await self._permissions.permit(self._db, principal, "case.write", case=case)
        reason = plain_text.text(reason, "A reason", plain_text.MAX_REASON)
        now = self._clock()
        async with self._db.transaction():
            old = await self._read(case)
            if old.version != expected:
                raise PreconditionFailed
            to = states.after(step, old.state)
            stored: dict[str, object] = {
                "state": to,
                "state_reason": reason,
                "closed": None if to == states.OPEN else (old.closed or now),
            }
            await self._store(case, stored, expected, now, old.state)
            await self._trail.changed(
                principal,
                "case.write",
                case=case,
                object=case,
                detail={"from": old.state, "reason": reason, "step": step, "to": to},
            )
            return await self._read(case)

    # --- within

    async def _create(self, principal: Principal, new: NewCase) -> Case:
        now = self._clock()
        opened = new.opened or now.date()
        case = uuid7.new()
        values = {"case": case.bytes, "person": principal.actor_id.encode()}
        salts = new_salts(uuid7.new(), values)
        facts.facts_of(new, new.number if new.number is not None else "0", opened)  # refused before anything is written
        await self._keys.commit(KeyBatch(salts=[salts]))
        async with self._db.transaction():
            number = new.number
            if number is None:
                number = await next_number(self._db, self._pattern, opened, new.client, new.kind)
            checked = facts.facts_of(new, number, opened)
            stored = {
                **checked.stored,
                "id": case,
                "created": now,
                "state": states.OPEN,
                "updated": now,
                "version": 1,
            }
            await self._db.insert_many("legal_case", tuple(stored), [tuple(stored.values())])
            if principal.account is not None:
                await self._db.insert_many(
                    "case_member", ("case_id", "account", "role"), [(case, principal.account, principal.role)]
                )
            await self._label(case, checked.labels)
            if checked.client is not None:
                await names.replace(self._db, case, None, [names.Name(names.CLIENT, checked.client)])
            await words.reindex(self._db, case)
            if new.conflict_check is not None:
                await bind(self._db, principal, new.conflict_check, case)
            await self._notary.stage([EntryDraft("case.opened", salts, values)])
            await self._trail.changed(
                principal, "case.create", case=case, object=case, detail={"facts": _told(checked)}
            )
            return await self._read(case)

    async def _change(self, principal: Principal, case: UUID, change: CaseChange, expected: int) -> Case:
        now = self._clock()
        async with self._db.transaction():
            old = await self._read(case)
            if old.state != states.OPEN:
                raise states.CaseClosed(state=old.state)
            if old.version != expected:
                raise PreconditionFailed
            before, after = facts.changed(old, CaseChange()), facts.changed(old, change)
            await self._store(case, after.stored, expected, now, states.OPEN)
            if after.labels != before.labels:
                await self._db.execute("DELETE FROM case_label WHERE case_id = {}", case)
                await self._label(case, after.labels)
            if after.client != before.client:
                clients = [] if after.client is None else [names.Name(names.CLIENT, after.client)]
                await names.replace(self._db, case, None, clients)
            await words.reindex(self._db, case)
            was, now_is = _told(before), _told(after)
            differ = [name for name in now_is if was[name] != now_is[name]]
            await self._trail.changed(
                principal,
                "case.write",
                case=case,
                object=case,
                detail={
                    "after": {name: now_is[name] for name in differ},
                    "before": {name: was[name] for name in differ},
                },
            )
            return await self._read(case)

    async def _store(self, case: UUID, stored: Mapping[str, object], expected: int, now: datetime, state: str) -> None:
        """Write columns if version and state are still those that were read: else somebody was faster."""
        places = ", ".join(f"{column} = {{}}" for column in stored)
        rows = await self._db.fetch(
            f"UPDATE legal_case SET {places}, updated = {{}}, version = {{}}"
            " WHERE id = {} AND COALESCE(version, 1) = {} AND state = {} RETURNING id",
            *stored.values(),
            now,
            expected + 1,
            case,
            expected,
            state,
        )
        if not rows:
            raise PreconditionFailed

    async def _label(self, case: UUID, labels: tuple[str, ...]) -> None:
        await self._db.insert_many(
            "case_label", ("case_id", "label"), [(case, facts.label_key(label)) for label in labels]
        )

    async def _read(self, case: UUID, *, outside: bool = False) -> Case:
        row = await self._db.fetch_one(f"SELECT {facts.COLUMNS} FROM legal_case WHERE id = {{}}", case)
        assert row is not None, "who may see a case is asked before, and cases are not deleted"
        return facts.read(row, outside=outside)


def _told(checked: Facts) -> dict[str, Json]:
    """Facts as the trail's record has them."""
    return {
        "client": checked.client,
        "court": checked.court,
        "docket": checked.docket,
        "jurisdiction": checked.jurisdiction,
        "kind": checked.kind,
        "labels": list(checked.labels),
        "number": checked.number,
        "opened": None if checked.opened is None else checked.opened.isoformat(),
        "title": checked.title,
    }
