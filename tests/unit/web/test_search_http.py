"""Search as people ask: within their walls, and what is shown of an exhibit is in its custody."""

import pytest

from deedbox_server.documents.derived import By, PageText, encode_text
from deedbox_server.evidence.derive import DerivedDraft
from kit.http_person import Person, kinds, stranger
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def read(office: Office, owner: Person) -> str:
    """One exhibit whose recognised text says something; its path."""
    (found,) = (await owner.get("/api/v1/evidence/")).json()["items"]
    (exhibit,) = await office.box.exhibits.page(office.principal)
    text = encode_text((PageText(1, "The fence is periwinkle, by all accounts.", By.RECOGNISED),))
    await office.box.deriver.add_derived(exhibit.id, [DerivedDraft("text", "application/json", text, "tests 1")])
    await office.box.reading.index_exhibit(exhibit.id)
    return f"/api/v1/evidence/{found['id']}"


async def test_a_word_is_found_and_marked_and_the_hit_is_a_view(desk_and_box: Office, owner: Person) -> None:
    path = await read(desk_and_box, owner)
    answer = (await owner.get("/api/v1/search?q=PERIWINKLE")).json()
    (hit,) = answer["items"]
    ((start, end),) = hit["highlights"]
    assert hit["snippet"][start:end] == "periwinkle"
    assert (hit["page"], answer["total"]["exhibits"]) == (1, 1)
    assert await kinds(desk_and_box, path, owner) == ["received", "derived", "viewed"]


async def test_a_hit_on_a_name_shows_no_content_and_is_no_view(desk_and_box: Office, owner: Person) -> None:
    path = await read(desk_and_box, owner)
    (hit,) = (await owner.get("/api/v1/search?q=plan")).json()["items"]
    assert hit["page"] == 0
    assert await kinds(desk_and_box, path, owner) == ["received", "derived"]


async def test_behind_the_wall_nothing_is_found_counted_or_viewed(desk_and_box: Office, owner: Person) -> None:
    path = await read(desk_and_box, owner)
    person = await stranger(desk_and_box, owner)
    for query in ("q=periwinkle", f"q=periwinkle&case={desk_and_box.case.id}"):
        answer = (await person.get(f"/api/v1/search?{query}")).json()
        assert answer["items"] == []
        assert answer["total"]["exhibits"] == 0
    assert await kinds(desk_and_box, path, owner) == ["received", "derived"]
