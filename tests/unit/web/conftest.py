"""The people's listener of an office with one exhibit, and its owner, who has a key."""

from collections.abc import AsyncIterator

import httpx
import pytest

from kit.http_person import CONTENT, NAME, Person
from kit.listening import people_app
from kit.open_box import Office


@pytest.fixture
async def owner(desk_and_box: Office) -> AsyncIterator[Person]:
    box = desk_and_box.box
    item = desk_and_box.desk.item(NAME, CONTENT)
    await box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
    await desk_and_box.settle()
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    # In this test's own event loop: a database belongs to one.
    transport = httpx.ASGITransport(people_app(box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        yield Person(client, key.text)


@pytest.fixture
async def exhibit(desk_and_box: Office, owner: Person) -> str:
    (found,) = (await owner.get("/api/v1/evidence/")).json()["items"]
    assert found["name"] == NAME
    return f"/api/v1/evidence/{found['id']}"
