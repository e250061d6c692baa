"""`./deedbox audit` holds every record of the trail against its log entry, and misses those that are gone."""

import pytest

from deedbox_server.audit import Report, Sources, audit
from deedbox_server.database import Database
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def findings(office: Office) -> list[str]:
    box, report = office.box, Report()
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    return [str(finding) for finding in report.findings]


async def seen(office: Office) -> Database:
    """A trail with a view, a list and a refusal."""
    trail, who, case = office.box.trail, office.principal, office.case.id
    trail.viewed(who, "case.read", case=case)
    trail.listed(who, "case.list", ids=[case])
    trail.refused(who, "party.write", case=case, reason="denied", why="no")
    await trail.flush()
    await office.settle()
    assert await findings(office) == []
    return office.box.database


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("DELETE FROM audit_record WHERE operation = 'party.write'", "tells of a record (audit.refused)"),
        (
            "UPDATE audit_record SET operation = 'case.write' WHERE operation = 'party.write'",
            "is found by what it does not",
        ),
        ("UPDATE audit_record SET case_id = NULL WHERE operation = 'case.read'", "is found by what it does not say"),
        (
            "UPDATE audit_record SET outcome = 'changed' WHERE operation = 'case.read'",
            "is found by what it does not say",
        ),
    ],
)
async def test_what_was_changed_or_taken_out_is_found(desk_and_box: Office, tampering: str, fault: str) -> None:
    await (await seen(desk_and_box)).execute(tampering)
    found = await findings(desk_and_box)
    assert len(found) == 1
    assert fault in found[0]


async def test_a_record_that_says_something_else_is_found(desk_and_box: Office) -> None:
    database = await seen(desk_and_box)
    (row,) = await database.fetch("SELECT id, record FROM audit_record WHERE operation = 'party.write'")
    other = row["record"].replace(b'"why":"no"', b'"why":"yes"')
    await database.execute("UPDATE audit_record SET record = {} WHERE id = {}", other, row["id"])
    (found,) = await findings(desk_and_box)
    assert "is not what log entry" in found
    await database.execute("UPDATE audit_record SET record = {} WHERE id = {}", b"{}", row["id"])
    assert any("does not parse" in one for one in await findings(desk_and_box))
