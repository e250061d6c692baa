"""What belongs to a case: exhibits, documents and notes, each bound to it in the log (formats/case.md). Outsiders see what is
shared.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import UnsetType

from deedbox_server import cursor
from deedbox_server.cases import artifact as facts
from deedbox_server.cases import plain_text, states, versioned
from deedbox_server.cases.artifact import Artifact, ArtifactChange, NewArtifact
from deedbox_server.cases.page import Page, id_after, limit_of, page
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, NotFound
from deedbox_server.notary.service import Notary
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.holds import refuse_if_held
from deedbox_server.people.recorder import Recorder
from deedbox_sync import case_record, uuid7
from deedbox_sync.canonical_json import Json
from deedbox_sync.case_record import CaseRecord

_SHOWN_TO_OUTSIDERS: Final = " AND shared = {} AND removed IS NULL"
_NO_RECORD: Final = UUID(int=0)


@dataclass(frozen=True)
class Bound:
    """A record that an entry of the log commits to, and its bytes."""

    id: UUID
    record: bytes


class Artifacts:
    def __init__(
        self, db: Database, notary: Notary, permissions: Permissions, trail: Recorder, clock: Clock = system_clock
    ) -> None:
        self._db = db
        self._notary = notary
        self._permissions = permissions
        self._trail = trail
        self._clock = clock

    async def of(
        self, principal: Principal, case: UUID, *, removed: bool = False, after: str | None = None, limit: int = 100
    ) -> Page[Artifact]:
        """A case's artifacts in the order in which they were added; with `removed`, those too, for the firm."""
        permit = await self._permissions.permit(self._db, principal, "artifact.read", case=case)
        size = limit_of(limit)
        where = "" if removed else " AND removed IS NULL"
        args: list[object] = [case]
        if permit.outside:
            where = _SHOWN_TO_OUTSIDERS
            args.append(True)
        if after is not None:
            where += " AND id > {}"
            args.append(id_after(after))
        rows = await self._db.fetch(
            f"SELECT {facts.COLUMNS} FROM case_artifact WHERE case_id = {{}}{where} ORDER BY id LIMIT {{}}",
            *args,
            size + 1,
        )
        return page([facts.read(row) for row in rows], size, lambda one: cursor.encode(str(one.id)))

    async def get(self, principal: Principal, case: UUID, artifact: UUID) -> Artifact:
        """One artifact of this case. What is not shared is not there for outsiders."""
        permit = await self._permissions.permit(self._db, principal, "artifact.read", case=case)
        found = await self._read(case, artifact)
        if permit.outside and (not found.shared or found.removed is not None):
            raise NotFound
        return found

    async def records(self, principal: Principal, case: UUID, artifact: UUID) -> list[Bound]:
        """Every record that the log has of it, oldest first: what an opening is checked against. For the firm."""
        permit = await self._permissions.permit(self._db, principal, "artifact.read", case=case)
        if permit.outside:
            raise NotFound
        await self._read(case, artifact)
        rows = await self._db.fetch("SELECT id, record FROM case_record WHERE object = {} ORDER BY id", artifact)
        return [Bound(row["id"], row["record"]) for row in rows]

    async def add(self, principal: Principal, case: UUID, new: NewArtifact) -> Artifact:
        """Add an artifact to an open case. BadRequest for an exhibit that is none of this case, whatever else it is."""
        await self._permissions.permit(self._db, principal, "artifact.write", case=case)
        title = plain_text.line(new.title, "A title")
        body = plain_text.optional_text(new.body, "The text")
        now = self._clock()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            made = Artifact(
                uuid7.new(), case, new.kind, title, body, new.exhibit, await self._content(case, new, body), _NO_RECORD,
                new.shared, 1, now, principal.actor_id, None,
            )  # fmt: skip
            made = replace(made, record=await self._bind(principal, made, "added", now))
            await self._db.insert_many("case_artifact", tuple(facts.COLUMNS.split(", ")), [facts.row(made)])
            return made

    async def change(
        self, principal: Principal, case: UUID, artifact: UUID, change: ArtifactChange, expected: int
    ) -> Artifact:
        """Change an artifact of an open case; the log gets its new content. PreconditionFailed unless it has the version
        expected.
        """
        await self._permissions.permit(self._db, principal, "artifact.write", case=case)
        now = self._clock()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            old = await self._read(case, artifact)
            versioned.check_current(old, expected)
            new = _changed(old, change)
            new = replace(new, record=await self._bind(principal, new, "changed", now))
            stored = {name: getattr(new, name) for name in ("title", "body", "content", "shared", "record")}
            await versioned.write(self._db, "case_artifact", artifact, stored, expected)
            return new

    async def remove(self, principal: Principal, case: UUID, artifact: UUID, expected: int) -> Artifact:
        """Take an artifact out of an open case; it is kept as removed, and the log says so. OnHold under a legal hold."""
        await self._permissions.permit(self._db, principal, "artifact.write", case=case)
        now = self._clock()
        async with self._db.transaction():
            await states.take_for_work(self._db, case, now)
            old = await self._read(case, artifact)
            versioned.check_current(old, expected)
            await refuse_if_held(self._db, case=case, exhibit=old.exhibit)
            gone = replace(old, removed=now, version=old.version + 1)
            gone = replace(gone, record=await self._bind(principal, gone, "removed", now))
            stored = {"removed": now, "record": gone.record}
            await versioned.write(self._db, "case_artifact", artifact, stored, expected)
            return gone

    # --- within

    async def _read(self, case: UUID, artifact: UUID) -> Artifact:
        row = await self._db.fetch_one(
            f"SELECT {facts.COLUMNS} FROM case_artifact WHERE id = {{}} AND case_id = {{}}", artifact, case
        )
        if row is None:
            raise NotFound
        return facts.read(row)

    async def _content(self, case: UUID, new: NewArtifact, body: str | None) -> bytes:
        """The SHA-256 of what it is, by its kind; members of another kind are refused."""
        if (new.kind == "evidence") != (new.exhibit is not None):
            raise BadRequest("Evidence names its exhibit, and nothing else does.")
        if (new.kind == "document") != (new.content is not None):
            raise BadRequest("A document names the SHA-256 of its content, and nothing else does.")
        if new.exhibit is not None:
            row = await self._db.fetch_one(
                "SELECT content FROM exhibit WHERE id = {} AND case_id = {}", new.exhibit, case
            )
            if row is None:
                raise BadRequest("This case has no such exhibit.")
            return bytes(row["content"])
        if new.content is not None:
            return bytes.fromhex(new.content)
        if body is None:
            raise BadRequest("A note has a text.")
        return facts.note_content(body)

    async def _bind(self, principal: Principal, made: Artifact, action: str, now: datetime) -> UUID:
        """Write the record, stage its entry, tell the trail; returns the record's id."""
        record_id = uuid7.new()
        record = CaseRecord(
            action,
            principal.actor_id,
            principal.name,
            principal.via,
            made.id,
            made.case,
            made.content,
            made.exhibit,
            made.kind,
            made.shared,
            now,
            made.title,
            made.version,
            os.urandom(case_record.SALT_LENGTH),
        )
        data = case_record.encode(record)
        await self._db.insert_many(
            "case_record",
            ("id", "case_id", "object", "kind", "record", "created"),
            [(record_id, made.case, made.id, case_record.ENTRY_KIND, data, now)],
        )
        await self._notary.record(case_record.ENTRY_KIND, record_id, case_record.committed_values(record, data))
        detail: dict[str, Json] = {"artifact": action, "kind": made.kind, "shared": made.shared, "title": made.title}
        await self._trail.changed(principal, "artifact.write", case=made.case, object=made.id, detail=detail)
        return record_id


def _changed(old: Artifact, change: ArtifactChange) -> Artifact:
    title = old.title if isinstance(change.title, UnsetType) else plain_text.line(change.title, "A title")
    body = old.body if isinstance(change.body, UnsetType) else plain_text.optional_text(change.body, "The text")
    content = old.content
    if isinstance(change.content, str):
        if old.kind != "document":
            raise BadRequest("Only a document's content is given: an exhibit's is its bytes', a note's its text's.")
        content = bytes.fromhex(change.content)
    if old.kind == "note":
        if body is None:
            raise BadRequest("A note has a text.")
        content = facts.note_content(body)
    shared = old.shared if isinstance(change.shared, UnsetType) else change.shared
    return replace(old, title=title, body=body, content=content, shared=shared, version=old.version + 1)
