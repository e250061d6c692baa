"""Receipts for people and their programs: what a desk gets by statement, they get by exhibit."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Unavailable
from deedbox_server.evidence.exhibits import Exhibits
from deedbox_server.notary.service import Notary
from deedbox_server.people import Principal

WAIT: Final = 10.0  # seconds for the log to take an exhibit in


class Receipts:
    def __init__(self, db: Database, notary: Notary, exhibits: Exhibits) -> None:
        self._db = db
        self._notary = notary
        self._exhibits = exhibits

    async def of(self, principal: Principal, exhibit: UUID, wait: float = WAIT) -> str:
        """The receipt, with statement and content opened. NotFound as for the exhibit; Unavailable when the log is too slow.

        It is no read of the evidence and leaves no custody event: it tells nothing that its sender did not know.
        """
        found = await self._exhibits.get(principal, exhibit)
        row = await self._db.fetch_one("SELECT record FROM statement WHERE digest = {}", found.statement)
        assert row is not None, "an exhibit has its statement"
        opened = {row["record"]: {"statement": found.statement, "content": found.content}}
        receipts = await self._notary.receipts(opened, wait)
        if not receipts:
            raise Unavailable("The log has not taken this exhibit in yet: ask again in a moment.")
        return receipts[row["record"]]
