"""The web layer tells the trail of every view and every refusal of those whom the box knows; handlers do nothing for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from deedbox_server.trail.gathered import MAX_HELD
from deedbox_sync import audit_record, uuid7
from deedbox_sync.audit_record import AuditRecord
from kit.http_person import CONTENT, NAME, Person, stranger
from kit.listening import people_app
from kit.open_box import Office

pytestmark = pytest.mark.anyio


@dataclass
class Scene:
    office: Office
    owner: Person
    exhibit: UUID

    async def told(self, *outcomes: str) -> list[AuditRecord]:
        """What the trail holds of these outcomes."""
        await self.office.box.trail.flush()
        rows = await self.office.box.database.fetch("SELECT outcome, record FROM audit_record ORDER BY time, id")
        return [audit_record.parse(row["record"]) for row in rows if row["outcome"] in outcomes]


@pytest.fixture
async def scene(desk_and_box: Office) -> AsyncIterator[Scene]:
    box = desk_and_box.box
    item = desk_and_box.desk.item(NAME, CONTENT)
    await box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
    await desk_and_box.settle()
    (row,) = await box.database.fetch("SELECT id FROM exhibit")
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(box), client=("192.0.2.44", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        yield Scene(desk_and_box, Person(client, key.text), row["id"])


async def test_a_look_at_a_case_is_told_once_with_who_and_from_where(scene: Scene) -> None:
    for _ in range(3):
        assert (await scene.owner.get(f"/api/v1/cases/{scene.office.case.id}")).status_code == 200
    (record,) = await scene.told("viewed")
    assert (record.operation, record.case, record.object) == ("case.read", scene.office.case.id, None)
    assert (record.actor, record.name) == (f"account:{scene.office.owner.id}", "Olivia Owner")
    assert record.address == "192.0.2.44"
    assert record.via.startswith("api-key:")


async def test_lists_are_told_with_what_they_showed_by_case(scene: Scene) -> None:
    await scene.owner.get("/api/v1/cases/")
    await scene.owner.get("/api/v1/evidence/")
    await scene.owner.get("/api/v1/devices")
    found = {record.operation: (record.case, record.detail["ids"]) for record in await scene.told("viewed")}
    case = scene.office.case.id
    assert found["case.list"] == (None, [str(case)])
    assert found["evidence.read"] == (case, [str(scene.exhibit)])
    assert found["device.list"] == (None, [str(scene.office.desk.device)])


async def test_a_look_at_an_exhibits_card_is_told_with_its_case_and_reading_its_bytes_is_custody_only(
    scene: Scene,
) -> None:
    await scene.owner.get(f"/api/v1/evidence/{scene.exhibit}/content")
    assert await scene.told("viewed") == []
    await scene.owner.get(f"/api/v1/evidence/{scene.exhibit}")
    await scene.owner.post(f"/api/v1/evidence/{scene.exhibit}/verify")
    assert [(one.operation, one.case, one.object) for one in await scene.told("viewed")] == [
        (operation, scene.office.case.id, scene.exhibit) for operation in ("evidence.read", "evidence.verify")
    ]


async def test_refusals_are_told_with_their_reason_and_count(scene: Scene) -> None:
    sam = await stranger(scene.office, scene.owner)
    case, nowhere = scene.office.case.id, uuid7.new()
    for _ in range(3):
        assert (await sam.get(f"/api/v1/cases/{case}")).status_code == 404
    assert (await sam.get(f"/api/v1/cases/{nowhere}")).status_code == 404
    assert (await sam.get(f"/api/v1/cases/{case}/audit/")).status_code == 404
    assert (await sam.get(f"/api/v1/evidence/{scene.exhibit}")).status_code == 404
    assert (await sam.get("/api/v1/devices")).status_code == 403
    assert (await sam.get("/api/v1/no-such-call")).status_code == 404
    found = await scene.told("refused")
    assert {record.name for record in found} == {"Sam Stranger"}
    assert {(one.operation, one.case, one.object, one.detail["reason"], one.detail["count"]) for one in found} == {
        ("case.read", case, None, "not-found", 3),
        ("case.read", nowhere, None, "not-found", 1),
        ("case.audit", case, None, "not-found", 1),
        ("evidence.read", case, scene.exhibit, "not-found", 1),
        ("device.list", None, None, "denied", 1),
    }
    (denied,) = [one for one in found if one.detail["reason"] == "denied"]
    assert denied.detail["why"] == "this account or device may not do this"


async def test_strangers_leave_no_record(scene: Scene) -> None:
    await scene.owner.client.get(f"/api/v1/cases/{scene.office.case.id}")
    await scene.owner.client.get("/api/v1/me", headers={"Authorization": "Bearer dbx_nothing"})
    assert await scene.told("refused", "viewed") == []


async def test_a_flood_of_refusals_stays_small_and_is_counted_in_full(scene: Scene) -> None:
    sam = await stranger(scene.office, scene.owner)
    for _ in range(150):
        await sam.get(f"/api/v1/cases/{uuid7.new()}")
    await scene.office.box.trail.close()
    found = await scene.told("refused")
    assert sum(int(str(record.detail["count"])) for record in found) == 150
    # At most two minutes were touched, sixty told apart in each, and the counts of the rest.
    assert len(found) <= 122


async def test_a_view_that_cannot_be_kept_is_not_given(scene: Scene) -> None:
    trail, case = scene.office.box.trail, scene.office.case.id
    trail.listed(scene.office.principal, "party.read", ids=[UUID(int=number) for number in range(MAX_HELD)])
    assert (await scene.owner.get(f"/api/v1/cases/{case}")).status_code == 503
    await trail.flush()
    assert (await scene.owner.get(f"/api/v1/cases/{case}")).status_code == 200
