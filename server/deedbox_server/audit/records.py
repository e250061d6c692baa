"""Custody, statements, devices, identifiers: each record is parsed, chained, and opened against its log entry with its salts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_server.audit.case_records import audit_case_records
from deedbox_server.audit.log import Logged
from deedbox_server.audit.report import Report
from deedbox_server.audit.tombstones import Tombstones
from deedbox_server.audit.trail import ENTRIES, audit_trail
from deedbox_server.database import Database, Row
from deedbox_server.papers import record as paper_record
from deedbox_server.retention import tombstone
from deedbox_server.vault.key_store import KeyStore
from deedbox_sync import case_record, commitment, custody, device_record, dsse, identifier, statement
from deedbox_sync.custody import CustodyRecord
from deedbox_sync.errors import SyncError
from deedbox_sync.statement import CaptureStatement, GapStatement

_STEP = 1_000
_TOLD = (
    "exhibit.",
    "device.",
    "case.disposed",
    "person.erased",
    "id.minted",
    "id.reconciled",
    paper_record.ENTRY_KIND,
    case_record.ENTRY_KIND,
    ENTRIES,
)  # entries that a row here tells in full
_PUBLIC = frozenset({"log.opened", "refusals", "time.beacon", "time.stamp"})  # entries that commit to nothing


class RecordAudit:
    def __init__(self, db: Database, keys: KeyStore, logged: Mapping[UUID, Logged], report: Report) -> None:
        self._db = db
        self._keys = keys
        self._logged = logged
        self._report = report
        self._told: set[UUID] = set()
        self._stones = Tombstones(db, keys, report)

    async def run(self) -> None:
        pending = {row["record"] for row in await self._db.fetch("SELECT record FROM pending_entry")}
        await self._stones.load()
        await self._tombstones(pending)
        await self._custody(pending)
        await self._statements(pending)
        await self._trust(pending)
        await self._identifiers(pending)
        await self._papers(pending)
        await audit_trail(self._db, self._keys, self._opened, pending, self._report)
        await audit_case_records(self._db, self._keys, self._opened, pending, self._report)
        self._untold()

    # --- tombstones

    async def _tombstones(self, pending: set[UUID]) -> None:
        """Those of cases and people are what the log committed to; an exhibit's is bound by the end of its custody."""
        salts = await self._keys.salts([stone.id for stone, _ in self._stones.entries])
        for stone, values in self._stones.entries:
            kind = tombstone.CASE_ENTRY if stone.what == "case" else tombstone.PERSON_ENTRY
            self._opened(f"tombstone {stone.id}", stone.id, kind, values, salts.get(stone.id, {}), pending)
        self._told |= self._stones.erased

    # --- custody

    async def _custody(self, pending: set[UUID]) -> None:
        exhibits = await self._db.fetch("SELECT id, case_id, number, statement, content, size FROM exhibit ORDER BY id")
        exhibits += [
            {"id": stone.object, "case_id": stone.case, "content": stone.content}
            for stone in self._stones.exhibits.values()
        ]
        for start in range(0, len(exhibits), _STEP):
            part = {row["id"]: row for row in exhibits[start : start + _STEP]}
            rows = await self._db.fetch_in(
                "SELECT id, exhibit, number, record FROM custody_event WHERE exhibit IN ", list(part)
            )
            salts = await self._keys.salts([row["id"] for row in rows])
            chains: defaultdict[UUID, list[Row]] = defaultdict(list)
            for row in rows:
                chains[row["exhibit"]].append(row)
            for exhibit, facts in part.items():
                await self._chain(facts, sorted(chains[exhibit], key=lambda row: int(row["number"])), salts, pending)
        self._report.count("exhibits", len(exhibits))

    async def _chain(
        self, exhibit: Row, events: Sequence[Row], salts: Mapping[UUID, Mapping[str, bytes]], pending: set[UUID]
    ) -> None:
        where = f"exhibit {exhibit['id']}"
        if not events:
            self._report.add(where, "has no custody record")
        previous, last_seq = custody.NO_DIGEST, -1
        cases = custody.cases_of([row["record"] for row in events], exhibit["case_id"])
        expected = 1
        for row, case in zip(events, cases, strict=True):
            here = f"{where}, custody {row['number']}"
            self._report.count("custody records")
            try:
                record = custody.parse(row["record"])
            except SyncError as error:
                self._report.add(here, f"does not parse: {error}")
                return
            # In the custody of what is gone, events of a person who was erased are missing; `_untold` finds any others.
            hole = exhibit["id"] in self._stones.exhibits and record.number > expected
            follows = hole or (record.number, record.previous) == (expected, previous)
            if (record.exhibit, record.number) != (exhibit["id"], row["number"]) or not follows:
                self._report.add(here, "does not follow the record before it")
            expected = row["number"] + 1
            if row["number"] == 1 and (record.kind, record.detail.get("content")) != (
                "received",
                exhibit["content"].hex(),
            ):
                self._report.add(here, "does not tell of these bytes' receipt")
            previous = custody.digest(row["record"])
            values = custody.committed_values(record, row["record"], case)
            seq = self._opened(here, row["id"], f"exhibit.{record.kind}", values, salts.get(row["id"], {}), pending)
            if seq is not None and seq <= last_seq:
                self._report.add(here, "stands before its predecessor in the log")
            last_seq = seq if seq is not None else last_seq
            self._ending(here, row["id"], record, exhibit["id"], last=row is events[-1])

    def _ending(self, here: str, id: UUID, record: CustodyRecord, exhibit: UUID, *, last: bool) -> None:
        """The chain of what was disposed of ends with its tombstone, and no other chain does."""
        stone = self._stones.exhibits.get(exhibit)
        if record.kind == "disposed" and (stone is None or stone.id != id or not last):
            self._report.add(here, "tells of a disposal that has no such tombstone")
        elif stone is not None and last and record.detail.get("tombstone") != self._stones.digests[stone.id].hex():
            self._report.add(here, "does not end with its tombstone")

    # --- statements

    async def _statements(self, pending: set[UUID]) -> None:
        devices = {
            row["id"]: row
            for row in await self._db.fetch("SELECT id, statement_key, next_sequence, last_digest FROM device")
        }
        taken = {row["statement"]: row["id"] for row in await self._db.fetch("SELECT id, statement FROM exhibit")}
        taken |= self._stones.statements
        rows = await self._db.fetch(
            "SELECT digest, device, sequence, kind, state, exhibit, record FROM statement ORDER BY device, sequence"
        )
        chains: defaultdict[UUID, list[Row]] = defaultdict(list)
        for row in rows:
            chains[row["device"]].append(row)
        for device, chain in chains.items():
            if device not in devices:
                self._report.add(f"device {device}", "has statements but is not known")
                continue
            await self._journal(devices[device], chain, taken, pending)
        for digest in taken.keys() - {row["digest"] for row in rows}:
            self._report.add(f"exhibit {taken[digest]}", "has no statement")
        self._report.count("statements", len(rows))

    async def _journal(
        self, device: Row, chain: Sequence[Row], taken: Mapping[bytes, UUID], pending: set[UUID]
    ) -> None:
        key = Ed25519PublicKey.from_public_bytes(device["statement_key"])
        expected, previous = 1, statement.NO_DIGEST
        for start in range(0, len(chain), _STEP):
            part = chain[start : start + _STEP]
            envelopes = await self._db.fetch_in(
                "SELECT digest, envelope FROM statement WHERE digest IN ", [row["digest"] for row in part]
            )
            by_digest = {row["digest"]: row["envelope"] for row in envelopes}
            salts = await self._keys.salts([row["record"] for row in part if row["kind"] == "gap"])
            for row in part:
                where = f"device {device['id']}, statement {row['sequence']}"
                if row["digest"] in self._stones.statements and not by_digest[row["digest"]]:
                    # What it said is gone; its digest is still what the next one must name.
                    if row["sequence"] != expected:
                        self._report.add(where, "does not follow the statement before it")
                    expected, previous = row["sequence"] + 1, row["digest"]
                    continue
                parsed = self._statement(where, key, by_digest[row["digest"]], row["digest"])
                if parsed is None:
                    return
                first = parsed.first if isinstance(parsed, GapStatement) else parsed.journal.sequence
                if first != expected or parsed.journal.previous != previous:
                    self._report.add(where, "does not follow the statement before it")
                expected, previous = parsed.journal.sequence + 1, row["digest"]
                if row["kind"] == "gap":
                    values = {"person": f"device:{device['id']}".encode(), "statement": row["digest"]}
                    self._opened(where, row["record"], "device.gap", values, salts.get(row["record"], {}), pending)
                elif row["state"] == "committed" and taken.get(row["digest"]) != row["exhibit"]:
                    self._report.add(where, "is committed but its exhibit is missing")
        if (expected, previous) != (device["next_sequence"], device["last_digest"]):
            self._report.add(f"device {device['id']}", "is not where its statements end")

    def _statement(
        self, where: str, key: Ed25519PublicKey, envelope_bytes: bytes, digest: bytes
    ) -> CaptureStatement | GapStatement | None:
        try:
            envelope = dsse.parse(envelope_bytes)
            dsse.verify(envelope, key)
            parsed = statement.parse_payload(envelope.payload)
        except SyncError as error:
            self._report.add(where, f"does not hold: {error}")
            return None
        if statement.digest(envelope.payload) != digest:
            self._report.add(where, "is stored under another digest")
        return parsed

    # --- devices and cases

    async def _trust(self, pending: set[UUID]) -> None:
        rows = await self._db.fetch("SELECT id, kind, record FROM trust_record ORDER BY id")
        salts = await self._keys.salts([row["id"] for row in rows])
        for row in rows:
            where = f"trust record {row['id']}"
            try:
                record = device_record.parse_device_record(row["record"])
            except SyncError as error:
                self._report.add(where, f"does not parse: {error}")
                continue
            values = {"person": record.by.encode(), "record": device_record.digest(row["record"])}
            self._opened(where, row["id"], row["kind"], values, salts.get(row["id"], {}), pending)
        self._report.count("trust records", len(rows))

    # --- identifiers

    async def _papers(self, pending: set[UUID]) -> None:
        """Each paper's record is what the log committed to, and tells of the PDF that is kept."""
        rows = await self._db.fetch("SELECT id, case_id, kind, content, size, record FROM paper ORDER BY id")
        salts = await self._keys.salts([row["id"] for row in rows])
        for row in rows:
            where = f"paper {row['id']}"
            try:
                record = paper_record.parse(row["record"])
            except SyncError as error:
                self._report.add(where, f"does not parse: {error}")
                continue
            told = (record.paper, record.case, record.kind, record.content, record.size)
            if told != (row["id"], row["case_id"], row["kind"], row["content"], row["size"]):
                self._report.add(where, "is not the paper that its record tells of")
            values = paper_record.committed_values(record, row["record"])
            self._opened(where, row["id"], paper_record.ENTRY_KIND, values, salts.get(row["id"], {}), pending)
        self._report.count("papers", len(rows))

    async def _identifiers(self, pending: set[UUID]) -> None:
        """Each batch is the array that the log committed to, and each record proves its identifier."""
        batches = await self._db.fetch("SELECT id, kind FROM identifier_batch ORDER BY id")
        salts = await self._keys.salts([row["id"] for row in batches])
        for batch in batches:
            where = f"identifiers {batch['id']}"
            rows = await self._db.fetch(
                "SELECT value, record FROM identifier WHERE made_in = {} ORDER BY place", batch["id"]
            )
            for row in rows:
                try:
                    record = identifier.parse(row["record"])
                    identifier.verify_record(record)
                    if identifier.parse_text(record.id) != row["value"]:
                        self._report.add(where, "has a record under another identifier")
                except SyncError as error:
                    self._report.add(where, f"has a record that does not hold: {error}")
            digest = sha256(b"[%s]" % b",".join(row["record"] for row in rows)).digest()
            self._opened(where, batch["id"], batch["kind"], {"record": digest}, salts.get(batch["id"], {}), pending)
            self._report.count("identifiers", len(rows))

    # --- commitments

    def _opened(
        self,
        where: str,
        record: UUID,
        kind: str,
        values: Mapping[str, bytes],
        salts: Mapping[str, bytes],
        pending: set[UUID],
    ) -> int | None:
        """Compare values and salts with what the log committed to; returns the entry's place."""
        logged = self._logged.get(record)
        if logged is None:
            if record not in pending:
                self._report.add(where, "is not in the log")
            return None
        self._told.add(record)
        if logged.kind != kind:
            self._report.add(where, f"is {logged.kind} in the log, not {kind}")
        for name, value in values.items():
            if name not in salts:
                self._report.add(where, f"has no opening for {name} and no tombstone")
            elif logged.commitments.get(name) != commitment.commit(name, salts[name], value):
                self._report.add(where, f"is not what log entry {logged.seq} committed to ({name})")
        return logged.seq

    def _untold(self) -> None:
        for record, logged in self._logged.items():
            expects_record = logged.kind.startswith(_TOLD) and logged.kind != "device.conflict"
            if expects_record and logged.kind not in _PUBLIC and record not in self._told:
                self._report.add(
                    f"log entry {logged.seq}", f"tells of a record ({logged.kind}) that the database does not have"
                )
