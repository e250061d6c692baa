"""Tombstones: what may be missing, because the log says that it was disposed of or erased; and nothing else may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from deedbox_server.audit.report import Report
from deedbox_server.database import Database, Row
from deedbox_server.retention import tombstone
from deedbox_server.retention.approval import UNDER_WAY
from deedbox_server.retention.tombstone import Erased, Tombstone
from deedbox_server.vault.key_store import KeyStore
from deedbox_sync.errors import FormatError


class Tombstones:
    """Read once, by `load`. That the log commits to them is for whoever walks the records to see: `digests` are what an exhibit's
    last custody record must name, `entries` those that have log entries of their own."""

    def __init__(self, db: Database, keys: KeyStore, report: Report) -> None:
        self._db = db
        self._keys = keys
        self._report = report
        self.exhibits: dict[UUID, Tombstone] = {}
        self.cases: set[UUID] = set()
        self.digests: dict[UUID, bytes] = {}
        self.entries: list[tuple[Tombstone, Mapping[str, bytes]]] = []
        self.statements: dict[bytes, UUID] = {}
        self.erased: set[UUID] = set()

    async def load(self) -> None:
        erased: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for row in await self._db.fetch("SELECT record, tombstone FROM erased_record"):
            erased[row["tombstone"]].append(row["record"])
        for row in await self._db.fetch("SELECT * FROM tombstone ORDER BY id"):
            self._take(row, erased.pop(row["id"], []))
        for stone, records in erased.items():
            self._report.add(f"tombstone {stone}", f"is gone, and {len(records)} records are said to be erased by it")
        self._report.count("tombstones", len(self.digests))
        await self._still_here()

    def _take(self, row: Row, records: list[UUID]) -> None:
        where = f"tombstone {row['id']}"
        try:
            stone = tombstone.parse(row["record"])
        except FormatError as error:
            self._report.add(where, f"does not parse: {error}")
            return
        told = (stone.id, stone.what, stone.object, stone.case, stone.number, stone.statement, stone.content)
        if told != tuple(row[name] for name in ("id", "what", "object", "case_id", "number", "statement", "content")):
            self._report.add(where, "is not what its record tells of")
        if Erased.of(records) != stone.erased:
            self._report.add(where, "does not account for the records that are said to be erased by it")
            return
        self.erased.update(records)
        self.digests[stone.id] = tombstone.digest(row["record"])
        if stone.what == "exhibit":
            self.exhibits[stone.object] = stone
            if stone.statement is not None:
                self.statements[stone.statement] = stone.object
            return
        self.entries.append((stone, tombstone.committed_values(stone, row["record"])))
        if stone.what == "case":
            self.cases.add(stone.object)

    async def _still_here(self) -> None:
        """What has a tombstone is not there, and what is disposed of has one. Salts stay while a disposal is under way."""
        disposed = {row["id"] for row in await self._db.fetch("SELECT id FROM legal_case WHERE state = 'disposed'")}
        for case in disposed - self.cases:
            self._report.add(f"case {case}", "is said to be disposed of and has no tombstone")
        for case in self.cases - disposed:
            self._report.add(f"case {case}", "has a tombstone and is said to be there")
        exhibits = sorted(self.exhibits)
        for row in await self._db.fetch_in("SELECT id FROM exhibit WHERE id IN ", exhibits):
            self._report.add(f"exhibit {row['id']}", "has a tombstone and is still there")
        marks = ", ".join(["{}"] * len(UNDER_WAY))
        for table in ("disposal", "erasure"):
            if await self._db.fetch(f"SELECT id FROM {table} WHERE state IN ({marks}) LIMIT 1", *UNDER_WAY):
                return
        for record in await self._keys.salts(sorted(self.erased)):
            self._report.add(f"record {record}", "was erased and has its salts still")
