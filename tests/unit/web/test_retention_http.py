"""Holds, retention, disposal and erasure over HTTP: who may, with which version, and what a hold answers."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kit.http_person import Person
from kit.listening import people_app
from kit.open_box import Office
from kit.retention_office import colleague, received

pytestmark = pytest.mark.anyio


@pytest.fixture
async def two(desk_and_box: Office) -> AsyncIterator[tuple[Person, Person]]:
    """The owner and another administrator, both in sessions whose second factor was shown."""
    other = await colleague(desk_and_box)
    assert other.account is not None
    transport = httpx.ASGITransport(people_app(desk_and_box.box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        people = []
        for account in (desk_and_box.owner.id, other.account):
            started = await desk_and_box.box.sessions.start(account, "passkey", True, None, "tests")
            people.append(Person(client, started.token))
        yield people[0], people[1]


async def change(person: Person, path: str, version: str | None, body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {person.key}"} | ({} if version is None else {"If-Match": version})
    return await person.client.post(path, headers=headers, json=body)


async def test_a_hold_stops_a_disposal_until_it_is_lifted(desk_and_box: Office, two: tuple[Person, Person]) -> None:
    first, second = two
    [exhibit] = await received(desk_and_box, b"one")
    case = f"/api/v1/cases/{desk_and_box.case.id}"
    held = await first.post(f"{case}/holds", {"kind": "exhibit", "subject": str(exhibit), "reason": "subpoena 12"})
    assert (held.status_code, held.headers["etag"]) == (201, '"v1"')
    stopped = await first.post(f"{case}/disposals", {"exhibits": [str(exhibit)], "reason": "old"})
    assert (stopped.status_code, stopped.json()["type"]) == (409, "urn:deedbox:problem:on-hold")
    assert "subpoena" not in stopped.text
    hold = f"/api/v1/holds/{held.json()['id']}"
    assert (await change(first, f"{hold}/lift", None, {"reason": "over"})).status_code == 428
    assert (await change(first, f"{hold}/lift", '"v2"', {"reason": "over"})).status_code == 412
    assert (await change(first, f"{hold}/lift", '"v1"', {"reason": "over"})).json()["lifted_by"] == "Olivia Owner"
    assert (await first.get(f"{case}/holds")).json() == {"items": [], "next": None}
    asked = await first.post(f"{case}/disposals", {"exhibits": [str(exhibit)], "reason": "old", "rule": "ISBA 1.15"})
    assert asked.status_code == 201
    assert [one["id"] for one in asked.json()["exhibits"]] == [str(exhibit)]
    request = f"/api/v1/disposals/{asked.json()['id']}"
    assert (await change(first, f"{request}/approve", '"v1"')).status_code == 403
    done = await change(second, f"{request}/approve", '"v1"')
    assert (done.status_code, done.json()["state"]) == (200, "done")
    assert (await first.get(f"/api/v1/evidence/{exhibit}")).status_code == 404
    assert (await first.get("/api/v1/evidence/")).json()["items"] == []


async def test_what_is_due_is_listed_with_its_reasons_and_nothing_is_deleted(
    desk_and_box: Office, two: tuple[Person, Person]
) -> None:
    first, _ = two
    stated = {"name": "all", "citation": "ISBA 1.15", "after": "opened", "years": 0, "months": 1}
    rule = await first.post("/api/v1/retention/rules", stated)
    assert rule.status_code == 201, rule.text
    assert (await first.get("/api/v1/retention/due")).json()["items"] == []
    old = desk_and_box.case.created.replace(year=2000, day=1)
    await desk_and_box.box.database.execute("UPDATE legal_case SET created = {}", old)
    [due] = (await first.get("/api/v1/retention/due")).json()["items"]
    assert (due["number"], due["is_due"], due["rule"]["citation"]) == ("2026-0001", True, "ISBA 1.15")
    assert due["steps"][-1] == "It is due."
    assert (await first.get(f"/api/v1/cases/{desk_and_box.case.id}/retention")).json() == due
    assert (await first.post("/api/v1/retention/rules", stated | {"months": 0})).status_code == 400
    path = f"/api/v1/retention/rules/{rule.json()['id']}"
    headers = {"Authorization": f"Bearer {first.key}", "If-Match": '"v1"'}
    assert (await first.client.delete(path, headers=headers)).status_code == 204
    assert (await first.get("/api/v1/retention/rules")).json()["items"] == []


async def test_a_person_is_exported_and_erased(desk_and_box: Office, two: tuple[Person, Person]) -> None:
    first, second = two
    leaver = await colleague(desk_and_box, "Lena Leaver", "attorney")
    meant = {"account": str(leaver.account), "parties": []}
    told = await first.post("/api/v1/persons/export", meant)
    with zipfile.ZipFile(io.BytesIO(told.content)) as file:
        assert file.namelist() == ["person.json", "person.html"]
        assert b"Lena Leaver" in file.read("person.json")
    asked = await first.post("/api/v1/erasures", meant | {"reason": "asked by letter"})
    assert asked.status_code == 201, asked.text
    request = f"/api/v1/erasures/{asked.json()['id']}"
    assert (await change(first, f"{request}/approve", '"v1"')).status_code == 403
    done = (await change(second, f"{request}/approve", '"v1"')).json()
    assert done["state"] == "done" and done["certificate"]["kept"]
    assert (await first.get(request)).json() == done
    assert (await first.get("/api/v1/erasures")).json()["items"] == [done]


async def test_a_key_which_shows_no_second_factor_lifts_nothing(
    desk_and_box: Office, two: tuple[Person, Person]
) -> None:
    _, key = await desk_and_box.box.api_keys.create(desk_and_box.owner.id, "tests")
    machine = Person(two[0].client, key.text)
    case = f"/api/v1/cases/{desk_and_box.case.id}"
    held = await machine.post(f"{case}/holds", {"reason": "litigation"})
    assert held.status_code == 201, held.text
    refused = await change(machine, f"/api/v1/holds/{held.json()['id']}/lift", '"v1"', {"reason": "over"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:deedbox:problem:second-factor-needed")
