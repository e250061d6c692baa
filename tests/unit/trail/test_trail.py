"""Views and refusals become records with log entries, also where the first try fails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from deedbox_server.database import DatabaseError
from deedbox_server.errors import Unavailable
from deedbox_server.trail.gathered import MAX_HELD
from deedbox_sync import audit_record, commitment, entry, uuid7
from deedbox_sync.audit_record import AuditRecord
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def told(office: Office) -> list[AuditRecord]:
    rows = await office.box.database.fetch("SELECT record FROM audit_record ORDER BY time, id")
    return [audit_record.parse(row["record"]) for row in rows]


async def test_views_lists_and_refusals_are_records_that_the_log_commits_to(desk_and_box: Office) -> None:
    box, who, case = desk_and_box.box, desk_and_box.principal, desk_and_box.case.id
    before = len(await told(desk_and_box))
    box.trail.viewed(who, "case.read", case=case)
    box.trail.listed(who, "party.read", case=case, ids=[UUID(int=1), UUID(int=2)])
    box.trail.refused(who, "party.write", case=case, reason="denied")
    box.trail.refused(who, "party.write", case=case, reason="denied")
    await box.trail.flush()
    await desk_and_box.settle()
    records = {record.operation: record for record in (await told(desk_and_box))[before:]}
    assert {name: (record.outcome, record.case, dict(record.detail)) for name, record in records.items()} == {
        "case.read": ("viewed", case, {}),
        "party.read": ("viewed", case, {"count": 2, "ids": [str(UUID(int=1)), str(UUID(int=2))]}),
        "party.write": ("refused", case, {"count": 2, "reason": "denied", "why": ""}),
    }
    for row in (await box.database.fetch("SELECT id, record FROM audit_record ORDER BY id"))[before:]:
        (logged,) = await box.database.fetch("SELECT entry FROM log_entry WHERE record = {}", row["id"])
        parsed = entry.parse(logged["entry"])
        record = audit_record.parse(row["record"])
        salts = (await box.keys.salts([row["id"]]))[row["id"]]
        assert parsed.kind == f"audit.{record.outcome}"
        values = audit_record.committed_values(record, row["record"])
        assert parsed.commitments == {name: commitment.commit(name, salts[name], values[name]) for name in values}


async def test_an_exhibit_named_without_its_case_is_told_with_it(desk_and_box: Office) -> None:
    box, office = desk_and_box.box, desk_and_box
    await box.intake.batch(office.desk.sender(office.owner.id), [office.desk.item("a.pdf", b"a")], wait=0)
    (exhibit,) = await box.database.fetch("SELECT id FROM exhibit")
    unknown = uuid7.new()
    box.trail.viewed(office.principal, "evidence.read", object=exhibit["id"])
    box.trail.refused(office.principal, "evidence.verify", object=exhibit["id"], reason="denied")
    box.trail.refused(office.principal, "evidence.verify", object=unknown, reason="not-found")
    box.trail.listed(office.principal, "search", ids=[exhibit["id"], unknown])
    await box.trail.flush()
    rows = await box.database.fetch(
        "SELECT operation, object, case_id FROM audit_record WHERE outcome IN ('viewed', 'refused')"
    )
    assert {(row["operation"], row["object"], row["case_id"]) for row in rows} == {
        ("evidence.read", exhibit["id"], office.case.id),
        ("evidence.verify", exhibit["id"], office.case.id),
        ("evidence.verify", unknown, None),
        ("search", None, office.case.id),
        ("search", None, None),
    }


async def test_what_cannot_be_written_is_written_later(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    box, case = desk_and_box.box, desk_and_box.case.id
    insert = box.database.insert_many

    async def fail(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if table == "pending_entry":
            raise DatabaseError("the disk is full")
        await insert(table, columns, rows)

    monkeypatch.setattr(box.database, "insert_many", fail)
    box.trail.viewed(desk_and_box.principal, "case.read", case=case)
    before = len(await told(desk_and_box))
    with pytest.raises(DatabaseError):
        await box.trail.flush()
    assert len(await told(desk_and_box)) == before
    monkeypatch.undo()
    await box.trail.flush()
    assert [record.operation for record in (await told(desk_and_box))[before:]] == ["case.read"]


async def test_nothing_is_shown_while_too_much_waits_to_be_written(desk_and_box: Office) -> None:
    box, who, case = desk_and_box.box, desk_and_box.principal, desk_and_box.case.id
    box.trail.listed(who, "case.list", ids=[UUID(int=number) for number in range(MAX_HELD)])
    with pytest.raises(Unavailable):
        box.trail.viewed(who, "case.read", case=case)
    box.trail.refused(who, "case.read", case=case, reason="unavailable")
    await box.trail.flush()
    box.trail.viewed(who, "case.read", case=case)


async def test_the_running_trail_writes_by_itself_and_its_end_loses_nothing(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    trail = desk_and_box.box.trail
    written = asyncio.Event()
    write = trail.flush

    async def flush(**more: Mapping[str, bool]) -> None:
        await write(**more)
        written.set()

    monkeypatch.setattr(trail, "flush", flush)
    before = len(await told(desk_and_box))
    trail.viewed(desk_and_box.principal, "case.read", case=desk_and_box.case.id)
    running = asyncio.create_task(trail.run())
    async with asyncio.timeout(60):
        await written.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    trail.refused(replace(desk_and_box.principal, address="192.0.2.7"), "case.write", reason="denied")
    await trail.close()
    found = (await told(desk_and_box))[before:]
    assert [(record.operation, record.address) for record in found] == [
        ("case.read", None),
        ("case.write", "192.0.2.7"),
    ]
