"""Download links over HTTP: opened without a key, in parts too, kept by nobody on the way."""

import pytest

from kit.http_person import CONTENT, Person
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def test_a_link_is_made_opened_listed_and_ended(owner: Person, exhibit: str) -> None:
    made = await owner.post(f"{exhibit}/links", {"seconds": 3600, "uses": 5, "note": "for Ms. Roe"})
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    address = made.json()["address"]
    opened = await owner.client.get(address)
    assert (opened.status_code, opened.content) == (200, CONTENT)
    for header, value in {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
    }.items():
        assert opened.headers[header] == value
    part = await owner.client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, CONTENT[10:20])
    (link,) = (await owner.get(f"{exhibit}/links")).json()["items"]
    assert (link["used"], link["uses"], link["note"]) == (2, 5, "for Ms. Roe")
    assert address.rsplit("/", 1)[1] not in str(link)
    ended = await owner.client.delete(f"{exhibit}/links/{link['id']}", headers={"Authorization": f"Bearer {owner.key}"})
    assert ended.json()["revoked"] is not None
    assert (await owner.client.get(address)).status_code == 404


async def test_asking_only_whether_it_is_there_takes_no_use(owner: Person, exhibit: str) -> None:
    address = (await owner.post(f"{exhibit}/links", {})).json()["address"]
    assert (await owner.client.head(address)).status_code in (404, 405)
    assert (await owner.client.get(address)).content == CONTENT


async def test_every_link_that_opens_nothing_is_the_same_answer(owner: Person, exhibit: str) -> None:
    made = (await owner.post(f"{exhibit}/links", {})).json()
    assert (await owner.client.get(made["address"])).status_code == 200
    answers = [
        await owner.client.get(path)
        for path in (made["address"], f"/api/v1/links/dbl_{'A' * 43}", "/api/v1/links/x", "/api/v1/links/dbl_")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_too_many_calls_of_one_address_wait(desk_and_box: Office, owner: Person, exhibit: str) -> None:
    for _ in range(1000):
        answer = await owner.client.get("/api/v1/links/dbl_guess")
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
