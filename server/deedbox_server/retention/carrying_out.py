"""A disposal that was approved, step by step to its end (formats/erasure.md): mark, keys, bury, sweep.

Key store and database are two stores. Each step can be done again, and each begins only when the one before is durable: a box
that was killed anywhere goes on from the step that its request is at. Nothing here asks for permission, and holds are looked at
by whoever marks: from the mark on there is no way back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.cases.forgetting import forget_unused_words
from deedbox_server.database import Database, Row
from deedbox_server.errors import Conflict
from deedbox_server.evidence.custody import Custody, Event, new_event
from deedbox_server.notary.service import Notary
from deedbox_server.papers import record as paper_record
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.holds import lock
from deedbox_server.retention import coverage, rows, tombstone
from deedbox_server.retention.approval import BURIED, DONE, MARKED, UNDER_WAY
from deedbox_server.retention.coverage import Coverage, CoveredExhibit
from deedbox_server.retention.erasures_list import ErasuresList, Line
from deedbox_server.retention.tombstone import Decision, Erased, Tombstone
from deedbox_server.search.index import SearchIndex
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import uuid7
from deedbox_sync.custody import Actor

_log = logging.getLogger(__name__)
_STEP: Final = 500  # exhibits in one statement

_OF_EXHIBITS: Final = (
    "SELECT blob FROM exhibit WHERE id IN ",
    "SELECT blob FROM derived WHERE exhibit IN ",
)


@dataclass(frozen=True)
class _Approved:
    """What the tombstones of one request tell alike."""

    id: UUID
    case: UUID
    whole: bool
    covers: Coverage
    reason: str
    rule: str | None
    asked: Decision
    approved: Decision


class CarryingOut:
    def __init__(
        self,
        db: Database,
        vault: Vault,
        keys: KeyStore,
        notary: Notary,
        custody: Custody,
        index: SearchIndex,
        erasures: ErasuresList,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._notary = notary
        self._custody = custody
        self._index = index
        self._erasures = erasures
        self._clock = clock
        self._at_work = asyncio.Lock()

    async def resume(self) -> None:
        """Carry out to its end whatever a crash, or somebody who was reading, has left under way."""
        marks = ", ".join(["{}"] * len(UNDER_WAY))
        for row in await self._db.fetch(f"SELECT id FROM disposal WHERE state IN ({marks}) ORDER BY id", *UNDER_WAY):
            await self.carry_out(row["id"])

    async def carry_out(self, disposal: UUID) -> None:
        """From the step it is at to the end, or to where somebody who reads keeps it. Two who do it at once do it once."""
        async with self._at_work:
            row = await self._row(disposal)
            if row["state"] == MARKED:
                await self._vault.erase_keys(await self._blobs(disposal))
                await self._bury(_approved(row))
                row = await self._row(disposal)
            if row["state"] == BURIED:
                await self._sweep(_approved(row))

    # --- 1 mark

    async def mark(self, disposal: UUID, covers: Coverage) -> None:
        """In the transaction that looked at the holds: these bytes are being erased. Bytes that something else is made of too
        stay; the database itself refuses to mark what a hold is over."""
        assert self._db.in_transaction, "holds are looked at in the same transaction"
        ids = [one.id for one in covers.exhibits]
        blobs = {row["blob"] for query in _OF_EXHIBITS for row in await self._db.fetch_in(query, ids)}
        for row in await self._db.fetch_in("SELECT blob, notes FROM paper WHERE id IN ", covers.papers):
            blobs |= {row["blob"], row["notes"]}
        await self._set_blobs(blobs, "erasing")
        # Only now: who was making an exhibit of the same bytes has either done so, or is refused by the database.
        shared = {
            row["blob"]
            for row in await self._db.fetch_in("SELECT id, blob FROM exhibit WHERE blob IN ", sorted(blobs))
            if row["id"] not in set(ids)
        }
        await self._set_blobs(shared, "stored")
        going = sorted(blobs - shared)
        files = await self._db.fetch_in("SELECT DISTINCT file FROM blob_part WHERE blob IN ", going)
        await self._db.insert_many("disposal_blob", ("disposal", "blob"), [(disposal, blob) for blob in going])
        names = sorted({row["file"] for row in files})
        await self._db.insert_many("disposal_blob", ("disposal", "file"), [(disposal, name) for name in names])

    async def _set_blobs(self, blobs: set[UUID], state: str) -> None:
        await self._db.execute_many("UPDATE blob SET state = {} WHERE id = {}", [(state, one) for one in sorted(blobs)])

    # --- 3 bury (2, the keys, is the vault's)

    async def _bury(self, approved: _Approved) -> None:
        """Rows go, tombstones and log entries come, in one transaction; salts too many are nothing."""
        actor = Actor(approved.approved.id, approved.approved.name, approved.approved.via or "")
        async with self._db.transaction():
            taken = await self._db.fetch(
                "UPDATE disposal SET state = {}, version = version + 1 WHERE id = {} AND state = {} RETURNING id",
                BURIED,
                approved.id,
                MARKED,
            )
            if not taken:
                return  # another process was faster
            await lock(self._db, {approved.case})
            records = await self._records_of_exhibits(approved)
            stones: list[tuple[Tombstone, bytes]] = []
            events: list[Event] = []
            for exhibit in approved.covers.exhibits:
                stone, data, event = await self._exhibit_stone(approved, exhibit, actor, records.get(exhibit.id, []))
                stones.append((stone, data))
                events.append(event)
            erased = {stone.id: records.get(stone.object, []) for stone, _ in stones}
            await self._keys.commit(KeyBatch(salts=[event.salts for event in events]))
            await self._custody.append(events)
            if approved.whole:
                gone = await self._records_of_case(approved, {one for listed in erased.values() for one in listed})
                stone = self._stone(approved, uuid7.new(), "case", approved.case, erased=Erased.of(gone))
                data = tombstone.encode(stone)
                await self._notary.record(tombstone.CASE_ENTRY, stone.id, tombstone.committed_values(stone, data))
                stones.append((stone, data))
                erased[stone.id] = gone
            await self._delete_rows(approved, [one for listed in erased.values() for one in listed])
            await self._insert_stones(stones, erased)

    async def _exhibit_stone(
        self, approved: _Approved, exhibit: CoveredExhibit, actor: Actor, erased: Sequence[UUID]
    ) -> tuple[Tombstone, bytes, Event]:
        row = await self._db.fetch_one("SELECT case_id, statement FROM exhibit WHERE id = {}", exhibit.id)
        if row is None:
            raise Conflict("an exhibit that is being disposed of is gone without its tombstone: run the audit")
        # The tombstone's id is the custody event's; its digest is in that event's detail, so the event is made twice.
        draft = new_event(exhibit.id, row["case_id"], "disposed", actor, {})
        stone = self._stone(
            approved,
            draft.id,
            "exhibit",
            exhibit.id,
            number=exhibit.number,
            content=exhibit.content,
            statement=row["statement"],
            size=exhibit.size,
            erased=Erased.of(erased),
        )
        data = tombstone.encode(stone)
        detail = {"tombstone": tombstone.digest(data).hex()}
        event = Event(draft.id, draft.exhibit, draft.case, draft.kind, actor, draft.salts, detail, {})
        return stone, data, event

    def _stone(
        self,
        approved: _Approved,
        id: UUID,
        what: str,
        object: UUID,
        *,
        erased: Erased,
        number: int | None = None,
        content: bytes | None = None,
        statement: bytes | None = None,
        size: int | None = None,
    ) -> Tombstone:
        return Tombstone(
            id=id,
            what=what,
            object=object,
            case=approved.case,
            asked=approved.asked,
            approved=approved.approved,
            reason=approved.reason,
            rule=approved.rule,
            request=approved.id,
            time=self._clock(),
            number=number,
            content=content,
            statement=statement,
            size=size,
            erased=erased,
        )

    async def _records_of_exhibits(self, approved: _Approved) -> dict[UUID, list[UUID]]:
        """Records that go with exhibits, by exhibit: of what they are as artifacts of their case, whose titles go too, and,
        unless the case goes as a whole, of the papers that show them."""
        found: dict[UUID, list[UUID]] = {}
        exhibits = [one.id for one in approved.covers.exhibits]
        if not approved.whole:
            for row in await self._db.fetch_in("SELECT id, record FROM paper WHERE id IN ", approved.covers.papers):
                shown = {one.id for one in paper_record.parse(row["record"]).exhibits}
                found.setdefault(next(one for one in exhibits if one in shown), []).append(row["id"])
        artifacts = await self._db.fetch_in("SELECT id, exhibit FROM case_artifact WHERE exhibit IN ", exhibits)
        of = {row["id"]: row["exhibit"] for row in artifacts}
        for row in await self._db.fetch_in("SELECT id, object FROM case_record WHERE object IN ", sorted(of)):
            found.setdefault(of[row["object"]], []).append(row["id"])
        return found

    async def _records_of_case(self, approved: _Approved, taken: set[UUID]) -> list[UUID]:
        """Records that go with the whole case: of its papers and artifacts, and what its trail tells."""
        found = set(approved.covers.papers)
        for query in (
            "SELECT id FROM case_record WHERE case_id = {}",
            "SELECT id FROM audit_record WHERE case_id = {} AND operation NOT LIKE 'hold.%'"
            " AND operation NOT LIKE 'disposal.%'",
        ):
            found |= {row["id"] for row in await self._db.fetch(query, approved.case)}
        return sorted(found - taken)

    async def _delete_rows(self, approved: _Approved, erased: Sequence[UUID]) -> None:
        blobs = await self._blobs(approved.id)
        exhibits = [one.id for one in approved.covers.exhibits]
        statements = await self._db.fetch_in("SELECT digest, upload FROM statement WHERE exhibit IN ", exhibits)
        await self._db.execute_many(
            "UPDATE statement SET envelope = {} WHERE digest = {}", [(b"", row["digest"]) for row in statements]
        )
        uploads = [(row["upload"],) for row in statements if row["upload"] is not None]
        await self._db.execute_many("DELETE FROM deskless_upload WHERE upload = {}", uploads)
        jobs = await self._db.fetch_in("SELECT id FROM job WHERE subject IN ", exhibits)
        await rows.delete_in(self._db, "job_step", "job", [row["id"] for row in jobs])
        await rows.delete_in(self._db, "case_record", "id", erased)
        await rows.delete_in(self._db, "audit_record", "id", erased)
        await rows.delete_in(self._db, "paper", "id", approved.covers.papers)
        for blob in blobs:  # while the exhibits are there, so that the guard against holds can tell whose they are
            await self._db.execute("DELETE FROM blob_part WHERE blob = {}", blob)
        await rows.delete_in(self._db, "blob", "id", blobs)
        for table, column in rows.WITH_EXHIBIT:
            await rows.delete_in(self._db, table, column, exhibits)
        if approved.whole:
            await self._delete_case(approved.case)
        await rows.forget_answers(self._db)

    async def _delete_case(self, case: UUID) -> None:
        names = await self._db.fetch("SELECT id FROM party_name WHERE case_id = {}", case)
        await rows.delete_in(self._db, "party_name_word", "name", [row["id"] for row in names])
        checks = await self._db.fetch("SELECT id FROM conflict_check WHERE case_id = {}", case)
        await rows.delete_in(self._db, "conflict_hit", "check_id", [row["id"] for row in checks])
        for table, column in rows.WITH_CASE:
            await rows.delete_in(self._db, table, column, [case])
        await forget_unused_words(self._db)
        await self._db.execute("UPDATE case_wall SET reason = '' WHERE case_id = {}", case)
        await self._db.execute(
            "UPDATE legal_case SET state = 'disposed', title = '', kind = NULL, client = NULL, court = NULL, docket = NULL,"
            " jurisdiction = NULL, labels = NULL, opened = NULL, state_reason = NULL, title_key = NULL, client_key = NULL,"
            " court_key = NULL, updated = {}, version = coalesce(version, 1) + 1 WHERE id = {}",
            self._clock(),
            case,
        )

    async def _insert_stones(self, stones: Sequence[tuple[Tombstone, bytes]], erased: dict[UUID, list[UUID]]) -> None:
        await self._db.insert_many(
            "tombstone",
            ("id", "what", "object", "case_id", "number", "statement", "content", "time", "record"),
            [
                (one.id, one.what, one.object, one.case, one.number, one.statement, one.content, one.time, data)
                for one, data in stones
            ],
        )
        pairs = [(record, stone) for stone, records in erased.items() for record in sorted(set(records))]
        await self._db.insert_many("erased_record", ("record", "tombstone"), pairs)

    # --- 4 sweep

    async def _sweep(self, approved: _Approved) -> None:
        blobs = await self._blobs(approved.id)
        files = await self._db.fetch(
            "SELECT file FROM disposal_blob WHERE disposal = {} AND file IS NOT NULL", approved.id
        )
        await self._vault.remove_files(blobs, [row["file"] for row in files])
        stones = await self._stones(approved)
        gone = await self._db.fetch_in("SELECT record FROM erased_record WHERE tombstone IN ", stones)
        await self._keys.forget_salts([row["record"] for row in gone])
        if approved.whole:
            try:
                await self._keys.forget_case_key(approved.case)
            except Conflict:  # keys of nothing, which the sweep at start takes away; none of them is of a covered blob
                _log.warning("the key of a disposed case is still in use by what a crash left behind")
        await self._index.forget([one.id for one in approved.covers.exhibits])
        await self._index.purge()
        if not (await self._db.purge(rows.TOUCHED) and await self._keys.purge()):
            return  # somebody reads what was deleted: the box goes on from here by itself
        await self._erasures.append(
            Line(
                request=approved.id,
                what="case" if approved.whole else "exhibit",
                case=approved.case,
                objects=tuple(one.id for one in approved.covers.exhibits),
                tombstones=tuple(sorted(stones)),
                approved_by=approved.approved.id,
                approved=approved.approved.time,
            )
        )
        async with self._db.transaction():
            await self._db.execute("DELETE FROM disposal_blob WHERE disposal = {}", approved.id)
            await self._db.execute(
                "UPDATE disposal SET state = {}, ended = {}, version = version + 1 WHERE id = {} AND state = {}",
                DONE,
                self._clock(),
                approved.id,
                BURIED,
            )

    async def _stones(self, approved: _Approved) -> list[UUID]:
        objects = [one.id for one in approved.covers.exhibits] + ([approved.case] if approved.whole else [])
        return [row["id"] for row in await self._db.fetch_in("SELECT id FROM tombstone WHERE object IN ", objects)]

    async def _blobs(self, disposal: UUID) -> list[UUID]:
        found = await self._db.fetch(
            "SELECT blob FROM disposal_blob WHERE disposal = {} AND blob IS NOT NULL ORDER BY blob", disposal
        )
        return [row["blob"] for row in found]

    async def _row(self, disposal: UUID) -> Row:
        row = await self._db.fetch_one("SELECT * FROM disposal WHERE id = {}", disposal)
        assert row is not None, "a request is never deleted"
        return row


def _approved(row: Row) -> _Approved:
    approved: datetime = row["approved"]
    return _Approved(
        id=row["id"],
        case=row["case_id"],
        whole=row["whole"],
        covers=coverage.parse(row["covers"]),
        reason=row["reason"],
        rule=row["rule"],
        asked=Decision(row["asked_by"], row["asked_by_name"], row["asked"]),
        approved=Decision(row["approved_by"], row["approved_by_name"], approved, row["approved_via"]),
    )
