"""The one transaction in which bytes become an exhibit: row, custody, jobs and a pending log entry, or none of them."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Conflict
from deedbox_server.evidence.custody import Custody, Event, new_event
from deedbox_server.evidence.journal import COMMITTED, Journals, NewStatement, Plan
from deedbox_server.evidence.refiled_rows import last_numbers
from deedbox_server.evidence.statements import Checked
from deedbox_server.evidence.uploads import Uploads
from deedbox_server.jobs import JobDraft, Jobs
from deedbox_server.vault import StoredBlob, Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import clock, uuid7
from deedbox_sync.clock import ClockFinding
from deedbox_sync.custody import Actor


@dataclass(frozen=True)
class Arrival:
    """A statement and its bytes, both checked. `stored` is None where the box held the bytes already (`blob` names them)."""

    checked: Checked
    blob: UUID
    stored: StoredBlob | None
    head: bytes
    lane: str
    clock: ClockFinding | None  # of a statement that the box made itself there is none
    upload: str | None = None
    offered: bool = False
    media_type: str | None = None  # the sender's word, for a name that does not tell


@dataclass(frozen=True)
class Committed:
    """What an arrival has become: its exhibit, and the record that its log entry will tell of."""

    exhibit: UUID
    record: UUID


@dataclass(frozen=True)
class Received:
    """What a package that wants to read new exhibits is told of each."""

    exhibit: UUID
    case: UUID
    name: str
    size: int
    head: bytes


Reader = Callable[[Received], Sequence[JobDraft]]


class Committer:
    """Makes exhibits. Packages that read documents register in `readers` the jobs that a new exhibit needs."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        keys: KeyStore,
        custody: Custody,
        journals: Journals,
        uploads: Uploads,
        jobs: Jobs,
    ) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._custody = custody
        self._journals = journals
        self._uploads = uploads
        self._jobs = jobs
        self.readers: list[Reader] = []

    async def commit(
        self, device: UUID, actor: Actor, arrivals: Sequence[Arrival], plan: Plan | None, keys: KeyBatch
    ) -> list[Committed]:
        """Commit all arrivals or none; tells of each, in their order. `keys` are the blobs' keys that are not durable yet.

        With a `plan` the statements are new and take their journal numbers here; without one they were offered before.
        """
        exhibits = sorted(uuid7.new() for _ in arrivals)  # their order is that of their numbers
        events = [_received(arrival, exhibit, actor) for arrival, exhibit in zip(arrivals, exhibits, strict=True)]
        superseding = await self._superseded(arrivals, exhibits, actor)
        salts = [event.salts for event in (*events, *superseding.values())]
        await self._keys.commit(KeyBatch(part_keys=keys.part_keys, salts=salts))
        async with self._db.transaction():
            if plan is not None:
                await self._journals.advance(device, plan)
            await self._insert_blobs([arrival.stored for arrival in arrivals if arrival.stored is not None])
            await self._insert_exhibits(device, arrivals, exhibits, superseding)
            await self._hold_to_case(arrivals)
            await self._note_statements(device, arrivals, exhibits, events)
            await self._custody.append([*events, *superseding.values()])
            await self._jobs.enqueue_many(self._reading_jobs(arrivals, exhibits))
            await self._uploads.closed([arrival.upload for arrival in arrivals if arrival.upload is not None])
        return [Committed(exhibit, event.id) for exhibit, event in zip(exhibits, events, strict=True)]

    async def _insert_blobs(self, stored: Sequence[StoredBlob]) -> None:
        blobs, parts = self._vault.record_rows(stored)
        await self._db.insert_many("blob", blobs.columns, blobs.rows)
        await self._db.insert_many("blob_part", parts.columns, parts.rows)

    async def _insert_exhibits(
        self, device: UUID, arrivals: Sequence[Arrival], exhibits: Sequence[UUID], superseding: dict[UUID, Event]
    ) -> None:
        numbers = await self._next_numbers({_case(arrival) for arrival in arrivals})
        received = datetime.now(UTC)
        rows = []
        for arrival, exhibit in zip(arrivals, exhibits, strict=True):
            statement, case = arrival.checked.capture, _case(arrival)
            older = superseding.get(exhibit)
            rows.append(
                (
                    exhibit,
                    case,
                    numbers[case],
                    arrival.checked.digest,
                    statement.content,
                    statement.file.size,
                    arrival.blob,
                    statement.file.name,
                    mimetypes.guess_type(statement.file.name)[0] or arrival.media_type or "application/octet-stream",
                    json.dumps(list(statement.labels), ensure_ascii=False),
                    statement.captured.time,
                    received,
                    device,
                    arrival.clock is not None,
                    older.exhibit if older is not None else None,
                    "held",
                )
            )
            numbers[case] += 1
        await self._db.insert_many("exhibit", _EXHIBIT_COLUMNS, rows)
        await self._insert_digests(arrivals, exhibits)

    async def _insert_digests(self, arrivals: Sequence[Arrival], exhibits: Sequence[UUID]) -> None:
        """Those beside the SHA-256, so that a file is found by what older lists have of it."""
        rows = [
            (exhibit, name, digest)
            for arrival, exhibit in zip(arrivals, exhibits, strict=True)
            for name, digest in sorted(arrival.checked.capture.digests.items())
            if name != "sha256"
        ]
        await self._db.insert_many("exhibit_digest", ("exhibit", "algorithm", "digest"), rows)

    async def _hold_to_case(self, arrivals: Sequence[Arrival]) -> None:
        """Bytes that the box held already are still of the statement's case: their exhibit may have been refiled since."""
        held = {arrival.blob: _case(arrival) for arrival in arrivals if arrival.stored is None}
        locking = " ORDER BY id FOR SHARE" if self._db.dialect == "postgres" else ""
        rows = await self._db.fetch_in("SELECT id, case_id FROM blob WHERE id IN ", sorted(held), suffix=locking)
        if {row["id"]: row["case_id"] for row in rows} != held:
            raise Conflict("The box no longer holds these bytes in this case: offer the statement again.")

    async def _next_numbers(self, cases: set[UUID]) -> dict[UUID, int]:
        if self._db.dialect == "postgres":
            await self._db.fetch_in(
                "SELECT id FROM legal_case WHERE id IN ", sorted(cases), suffix=" ORDER BY id FOR UPDATE"
            )
        last = await last_numbers(self._db, cases)
        return {case: last.get(case, 0) + 1 for case in cases}

    async def _note_statements(
        self, device: UUID, arrivals: Sequence[Arrival], exhibits: Sequence[UUID], events: Sequence[Event]
    ) -> None:
        new, offered = [], []
        for arrival, exhibit, event in zip(arrivals, exhibits, events, strict=True):
            if arrival.offered:
                offered.append((COMMITTED, exhibit, event.id, arrival.checked.digest))
            else:
                new.append(NewStatement(arrival.checked, COMMITTED, arrival.upload, exhibit, event.id))
        await self._journals.add(device, new)
        await self._db.execute_many(
            "UPDATE statement SET state = {}, exhibit = {}, record = {} WHERE digest = {}", offered
        )

    async def _superseded(
        self, arrivals: Sequence[Arrival], exhibits: Sequence[UUID], actor: Actor
    ) -> dict[UUID, Event]:
        """For each new exhibit that supersedes an older one of its case: the event that the older one gets.

        Both may come at once: a desk that was away brings all versions of a file in one batch.
        """
        named = {
            arrival.checked.capture.supersedes: (exhibit, _case(arrival))
            for arrival, exhibit in zip(arrivals, exhibits, strict=True)
            if arrival.checked.capture.supersedes is not None
        }
        rows = await self._db.fetch_in("SELECT id, case_id, statement FROM exhibit WHERE statement IN ", list(named))
        older = [(row["id"], row["case_id"], row["statement"]) for row in rows]
        older += [
            (exhibit, _case(arrival), arrival.checked.digest)
            for arrival, exhibit in zip(arrivals, exhibits, strict=True)
            if arrival.checked.digest in named
        ]
        events = {}
        for exhibit, its_case, digest in older:
            newer, case = named[digest]
            if its_case == case:
                events[newer] = new_event(exhibit, case, "superseded", actor, {"by": str(newer)})
        return events

    def _reading_jobs(self, arrivals: Sequence[Arrival], exhibits: Sequence[UUID]) -> list[JobDraft]:
        drafts: list[JobDraft] = []
        for arrival, exhibit in zip(arrivals, exhibits, strict=True):
            facts = arrival.checked.capture.file
            received = Received(exhibit, _case(arrival), facts.name, facts.size, arrival.head)
            for reader in self.readers:
                drafts.extend(reader(received))
        return drafts


_EXHIBIT_COLUMNS = (
    "id",
    "case_id",
    "number",
    "statement",
    "content",
    "size",
    "blob",
    "name",
    "media_type",
    "labels",
    "captured",
    "received",
    "device",
    "captured_by_desk",
    "supersedes",
    "state",
)


def _case(arrival: Arrival) -> UUID:
    case = arrival.checked.capture.case
    if case is None:
        raise ValueError("a statement without a case is refused before it gets here")
    return case


def _received(arrival: Arrival, exhibit: UUID, actor: Actor) -> Event:
    capture, found = arrival.checked.capture, arrival.clock
    return new_event(
        exhibit,
        _case(arrival),
        "received",
        actor,
        {
            "captured": found is not None,
            "clock": None if found is None else clock.members(found),
            "content": capture.content.hex(),
            "lane": arrival.lane,
            "size": capture.file.size,
            "statement": arrival.checked.digest.hex(),
        },
        {"clock": found.word} if found is not None and found.disagrees else {},
    )
