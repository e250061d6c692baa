"""Who decides whom this box asks to cosign its log, and whose logs it cosigns: each change with its record, or not at all."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.notary.witnesses import AskedWitness, Witnesses
from deedbox_server.notary.witnessing import LogUnderWatch, Witnessing
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder

MANAGE: Final = "witness.manage"


class WitnessChanges:
    def __init__(
        self, db: Database, permissions: Permissions, recorder: Recorder, witnesses: Witnesses, witnessing: Witnessing
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._recorder = recorder
        self._witnesses = witnesses
        self._witnessing = witnessing

    async def ask(self, principal: Principal, vkey: str, url: str, ca: str | None = None) -> AskedWitness:
        """As `Witnesses.add`."""
        await self._permissions.permit(self._db, principal, MANAGE)
        async with self._db.transaction():
            made = await self._witnesses.add(vkey, url, ca)
            detail = {"url": made.url, "what": "witness asked", "witness": made.name}
            await self._recorder.changed(principal, MANAGE, object=made.id, detail=detail)
        return made

    async def ask_no_more(self, principal: Principal, witness: UUID) -> None:
        """As `Witnesses.remove`."""
        await self._permissions.permit(self._db, principal, MANAGE)
        async with self._db.transaction():
            await self._witnesses.remove(witness)
            await self._recorder.changed(principal, MANAGE, object=witness, detail={"what": "witness removed"})

    async def watch(self, principal: Principal, vkey: str) -> LogUnderWatch:
        """As `Witnessing.watch`."""
        await self._permissions.permit(self._db, principal, MANAGE)
        async with self._db.transaction():
            made = await self._witnessing.watch(vkey)
            detail = {"log": made.origin, "what": "log watched"}
            await self._recorder.changed(principal, MANAGE, object=made.id, detail=detail)
        return made

    async def unwatch(self, principal: Principal, log: UUID) -> None:
        """As `Witnessing.unwatch`."""
        await self._permissions.permit(self._db, principal, MANAGE)
        async with self._db.transaction():
            await self._witnessing.unwatch(log)
            await self._recorder.changed(principal, MANAGE, object=log, detail={"what": "log no longer watched"})
