"""`./deedbox audit` holds every case record against its log entry, and every artifact against its newest record."""

import pytest

from deedbox_server.audit import Report, Sources, audit
from deedbox_server.cases.artifact import ArtifactChange, NewArtifact
from kit.open_box import Office

pytestmark = pytest.mark.anyio

SPOILS = [
    ("UPDATE case_artifact SET body = 'She said yes.'", "has another text than its record tells of"),
    ("UPDATE case_artifact SET kind = 'document'", "is not what its record tells of"),
    ("UPDATE case_record SET object = case_id", "is found by what it does not say"),
    ("DELETE FROM case_record", "tells of a record (case.artifact) that the database does not have"),
]


async def findings(office: Office) -> list[str]:
    box, report = office.box, Report()
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    return [str(finding) for finding in report.findings]


async def test_what_was_changed_or_taken_out_is_found(desk_and_box: Office) -> None:
    box, case = desk_and_box.box, desk_and_box.case.id
    note = NewArtifact("note", "Call", body="She said nothing.")
    made = await box.case_artifacts.add(desk_and_box.principal, case, note)
    change = ArtifactChange(body="She said no.")
    await box.case_artifacts.change(desk_and_box.principal, case, made.id, change, 1)
    await desk_and_box.settle()
    assert await findings(desk_and_box) == []
    for spoil, fault in SPOILS:
        artifacts = await box.database.fetch("SELECT id, kind, body FROM case_artifact")
        records = await box.database.fetch("SELECT id, object FROM case_record")
        await box.database.execute(spoil)
        assert any(fault in found for found in await findings(desk_and_box)), spoil
        for row in artifacts:
            await box.database.execute(
                "UPDATE case_artifact SET kind = {}, body = {} WHERE id = {}", row["kind"], row["body"], row["id"]
            )
        for row in records:
            await box.database.execute("UPDATE case_record SET object = {} WHERE id = {}", row["object"], row["id"])
