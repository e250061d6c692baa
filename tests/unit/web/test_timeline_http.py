"""The timeline over HTTP: pages of JSON, and of CSV for a spreadsheet."""

import csv
import io

import pytest

from kit.http_person import NAME, Person, stranger
from kit.open_box import Office

pytestmark = pytest.mark.anyio


def path(office: Office, rest: str = "") -> str:
    return f"/api/v1/cases/{office.case.id}/timeline{rest}"


async def test_each_entry_links_to_its_exhibit_and_says_whose_word_its_time_is(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    answer = (await owner.get(path(desk_and_box))).json()
    captured = next(item for item in answer["items"] if item["kind"] == "captured")
    assert captured["exhibit"] == exhibit.rpartition("/")[2]
    assert (captured["title"], captured["zone"], captured["source"]) == (NAME, "UTC", "captures")
    assert captured["said_by"] == "the desk's signed capture statement"
    assert captured["when"].endswith("(UTC)")
    assert answer["next"] is None
    assert {"captures", "events", "papers"} <= set(answer["sources"])


async def test_pages_go_on_at_the_cursor_in_either_order(desk_and_box: Office, owner: Person) -> None:
    whole = (await owner.get(path(desk_and_box))).json()["items"]
    for order, expected in (("ascending", whole), ("descending", whole[::-1])):
        found, cursor = [], ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            answer = (await owner.get(path(desk_and_box, f"?limit=1&order={order}{more}"))).json()
            found += answer["items"]
            cursor = answer["next"]
        assert found == expected


async def test_a_spreadsheet_gets_the_same_page_and_no_formula(desk_and_box: Office, owner: Person) -> None:
    await desk_and_box.box.database.execute("UPDATE exhibit SET name = {}", '=HYPERLINK("evil")')
    answer = await owner.get(path(desk_and_box, "?source=captures&source=receipts&limit=1"), accept="text/csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'rel="next"' in answer.headers["link"]
    assert "source=receipts" in answer.headers["link"]
    header, row = csv.reader(io.StringIO(answer.text))
    assert dict(zip(header, row, strict=True))["title"] == '\'=HYPERLINK("evil")'


async def test_what_cannot_be_understood_is_said(desk_and_box: Office, owner: Person) -> None:
    for query in ("order=sideways", "since=2026-05-04T00:00:00", "source=stars", "cursor=x", "until=tomorrow"):
        answer = await owner.get(path(desk_and_box, f"?{query}"))
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), query


async def test_a_stranger_finds_nothing_there(desk_and_box: Office, owner: Person) -> None:
    person = await stranger(desk_and_box, owner)
    assert (await person.get(path(desk_and_box))).status_code == 404
