"""Refiling over HTTP, and what the old case says of it."""

from typing import Any

import pytest

from kit.http_person import Person, kinds, stranger
from kit.open_box import Office

pytestmark = pytest.mark.anyio


@pytest.fixture
async def right_case(owner: Person) -> str:
    made = await owner.post("/api/v1/cases", {"number": "2026-0002", "title": "Doe v. Roe"})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def refile(person: Person, exhibit: str, case: str, **more: object) -> Any:
    return await person.post(f"{exhibit}/refile", {"case": case, "reason": "wrong matter", **more})


async def test_the_exhibit_is_in_the_right_case_and_its_old_number_says_that_it_left(
    desk_and_box: Office, owner: Person, exhibit: str, right_case: str
) -> None:
    answer = await refile(owner, exhibit, right_case)
    assert answer.status_code == 200
    assert answer.json() == {
        "items": [{"case": right_case, "id": exhibit.rsplit("/", 1)[1], "number": 1}],
        "moved": True,
    }
    assert (await owner.get(exhibit)).json()["case"] == right_case
    assert await kinds(desk_and_box, exhibit, owner) == ["received", "refiled"]
    (left,) = (await owner.get(f"/api/v1/cases/{desk_and_box.case.id}/refiled")).json()["items"]
    assert (left["number"], left["case"], left["now"]) == (1, right_case, 1)
    assert (await refile(owner, exhibit, right_case)).json()["moved"] is False


async def test_a_case_that_is_none_and_one_behind_a_wall_refuse_alike(
    desk_and_box: Office, owner: Person, exhibit: str, right_case: str
) -> None:
    other = await stranger(desk_and_box, owner)
    refusals = [
        await refile(owner, exhibit, "019a0000-0000-7000-8000-000000000000"),
        await refile(other, exhibit, right_case),
        await other.get(f"/api/v1/cases/{desk_and_box.case.id}/refiled"),
    ]
    assert [answer.status_code for answer in refusals] in ([404, 404, 404], [404, 403, 404])


async def test_numbers_that_left_come_in_pages(
    desk_and_box: Office, owner: Person, exhibit: str, right_case: str
) -> None:
    items = [desk_and_box.desk.item(f"{name}.txt", name.encode()) for name in "abc"]
    await desk_and_box.box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), items, wait=0)
    for one in (await owner.get("/api/v1/evidence/")).json()["items"]:
        await refile(owner, f"/api/v1/evidence/{one['id']}", right_case)
    path = f"/api/v1/cases/{desk_and_box.case.id}/refiled?limit=3"
    first = (await owner.get(path)).json()
    second = (await owner.get(f"{path}&cursor={first['next']}")).json()
    assert [one["number"] for page in (first, second) for one in page["items"]] == [1, 2, 3, 4]
    assert second["next"] is None
