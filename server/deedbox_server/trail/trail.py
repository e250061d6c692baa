"""Writing the trail: one record and one log entry for each change, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.notary.service import Notary
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import NOTHING
from deedbox_sync import audit_record, uuid7
from deedbox_sync.audit_record import AuditRecord
from deedbox_sync.canonical_json import Json


class Trail:
    """The box's `Recorder`."""

    def __init__(self, db: Database, notary: Notary) -> None:
        self._db = db
        self._notary = notary

    async def changed(
        self,
        principal: Principal,
        operation: str,
        *,
        case: UUID | None = None,
        object: UUID | None = None,
        detail: Mapping[str, Json] = NOTHING,
    ) -> UUID:
        """As `Recorder.changed` promises."""
        assert self._db.in_transaction, "a record without the change it tells of would be a lie"
        record_id = uuid7.new()
        record = audit_record.new(
            principal.actor_id,
            principal.name,
            principal.via,
            device=principal.device,
            address=principal.address,
            outcome="changed",
            operation=operation,
            case=case,
            object=object,
            detail=detail,
            time=datetime.now(UTC),
        )
        await self._write(record_id, record)
        return record_id

    async def _write(self, record_id: UUID, record: AuditRecord) -> None:
        data = audit_record.encode(record)
        await self._db.insert_many(
            "audit_record",
            ("id", "time", "outcome", "operation", "actor", "case_id", "object", "record"),
            [
                (
                    record_id,
                    record.time,
                    record.outcome,
                    record.operation,
                    record.actor,
                    record.case,
                    record.object,
                    data,
                )
            ],
        )
        await self._notary.record(f"audit.{record.outcome}", record_id, audit_record.committed_values(record, data))
