"""Who sends: a paired device and the cases its account may send to."""

from __future__ import annotations

from deedbox_server.database import Database
from deedbox_server.errors import Denied
from deedbox_server.evidence.statements import Sender
from deedbox_server.people import Permissions, Principal


class Senders:
    def __init__(self, db: Database, permissions: Permissions) -> None:
        self._db = db
        self._permissions = permissions

    async def of(self, principal: Principal) -> Sender:
        """The sender behind a device's request. Raises `Denied` for anybody else."""
        row = await self._db.fetch_one(
            "SELECT account, name, statement_key, created FROM device WHERE id = {} AND revoked IS NULL",
            principal.device,
        )
        if principal.device is None or row is None:
            raise Denied("Only a paired device can send statements.")
        self._permissions.require(principal, "evidence.send")
        cases = await self._permissions.visible_case_ids(self._db, principal, "evidence.send")
        return Sender(principal.device, row["account"], row["name"], row["statement_key"], row["created"], cases)
