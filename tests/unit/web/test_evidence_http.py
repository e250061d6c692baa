"""Exhibits over HTTP, as people and their programs ask for them: ranges, custody of each read, walls that tell nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from kit.http_person import CONTENT, NAME, Person, kinds, stranger
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def test_the_bytes_come_back_whole_with_their_digest_as_etag(owner: Person, exhibit: str) -> None:
    answer = await owner.get(f"{exhibit}/content")
    assert answer.content == CONTENT
    assert answer.headers["accept-ranges"] == "bytes"
    assert "UTF-8''Gr%C3%B6%C3%9Fe" in answer.headers["content-disposition"]
    again = await owner.get(f"{exhibit}/content", **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("wanted", "status", "expected"),
    [
        ("bytes=0-0", 206, CONTENT[:1]),
        ("bytes=100-199", 206, CONTENT[100:200]),
        ("bytes=-5", 206, CONTENT[-5:]),
        ("bytes=199990-", 206, CONTENT[199_990:]),
        ("bytes=199990-999999", 206, CONTENT[199_990:]),
        ("bytes=0-1,5-6", 200, CONTENT),
        ("bytes=7-3", 200, CONTENT),
        ("nonsense", 200, CONTENT),
        ("bytes=200000-", 416, b""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_range_is_answered_as_rfc_9110_says(
    owner: Person, exhibit: str, wanted: str, status: int, expected: bytes
) -> None:
    answer = await owner.get(f"{exhibit}/content", Range=wanted)
    assert (answer.status_code, answer.content) == (status, expected)
    assert answer.headers["content-length"] == str(len(expected))


async def test_a_read_leaves_one_custody_event_a_quarter_hour(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    for _ in range(3):
        await owner.get(f"{exhibit}/content", Range="bytes=0-9")
    assert await kinds(desk_and_box, exhibit, owner) == ["received", "downloaded"]
    pending = await desk_and_box.box.database.fetch("SELECT beginning FROM pending_entry")
    staged = [row for row in pending if b'"exhibit.downloaded"' in row["beginning"]]
    assert len(staged) == 1  # durable before the first byte left


async def test_an_exhibit_says_what_was_found_of_the_desks_clock(owner: Person, exhibit: str) -> None:
    said = (await owner.get(exhibit)).json()["clock"]
    assert said == {
        "finding": "unknown",
        "offset_ms": None,
        "words": "The desk’s clock had not been held against the box’s.",
    }


async def test_evidence_is_not_shown_while_the_log_stands_still(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    await owner.get(f"{exhibit}/content")
    late = datetime.now(UTC) - timedelta(seconds=31)
    await desk_and_box.box.database.execute("UPDATE pending_entry SET staged = {}", late)
    answer = await owner.get(f"{exhibit}/content")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    await desk_and_box.settle()
    assert (await owner.get(f"{exhibit}/content")).status_code == 200


async def test_what_is_behind_the_wall_answers_as_what_does_not_exist(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    person = await stranger(desk_and_box, owner)
    nowhere = f"/api/v1/evidence/{desk_and_box.case.id}"
    for path in ("", "/content", "/custody"):
        barred, absent = await person.get(exhibit + path), await person.get(nowhere + path)
        assert barred.status_code == absent.status_code == 404
        assert barred.json() == absent.json()
    assert (await person.get("/api/v1/evidence/")).json() == {"items": [], "next": None}
    assert (await person.get("/api/v1/cases/")).json() == {"items": [], "next": None}
    bundle = {"case": str(desk_and_box.case.id)}
    assert (await person.post("/api/v1/bundles/", bundle)).status_code == 404
    assert await kinds(desk_and_box, exhibit, owner) == ["received"]


async def test_without_a_key_nothing_is_said(owner: Person, exhibit: str) -> None:
    answer = await owner.client.get(exhibit)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:deedbox:problem:unauthenticated"


async def test_verify_answers_intact_anchored_and_attributed_apart(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    report = (await owner.post(f"{exhibit}/verify")).json()
    assert report["intact"]["answer"] is True
    assert report["anchored"]["answer"] is False
    assert report["attributed"]["answer"] is True
    for path in (desk_and_box.box.settings.data / "packs").rglob("*"):
        if path.is_file():
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)
    report = (await owner.post(f"{exhibit}/verify")).json()
    assert report["intact"]["answer"] is False
    assert "segment 0" in report["findings"][0]


async def test_the_log_tells_anyone_its_checkpoint_and_tiles_and_nothing_else(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    note = (await owner.client.get("/log/checkpoint")).text
    size = int(note.split("\n")[1])
    tile = await owner.client.get(f"/log/tile/0/000.p/{size}")
    assert len(tile.content) == size * 32
    entries = await owner.client.get(f"/log/tile/entries/000.p/{size}")
    assert NAME.encode() not in entries.content
    assert str(desk_and_box.case.id).encode() not in entries.content
    assert (await owner.client.get(f"/log/tile/0/000.p/{size + 1}")).status_code == 404


async def test_pages_of_a_list_continue_after_what_was_inserted_meanwhile(desk_and_box: Office, owner: Person) -> None:
    desk = desk_and_box.desk
    sender = desk.sender(desk_and_box.owner.id)
    await desk_and_box.box.intake.batch(sender, [desk.item(f"{n}.txt", b"x") for n in range(3)], wait=0)
    first = (await owner.get("/api/v1/evidence/?limit=2")).json()
    await desk_and_box.box.intake.batch(sender, [desk.item("later.txt", b"y")], wait=0)
    second = (await owner.get(f"/api/v1/evidence/?limit=2&cursor={first['next']}")).json()
    third = (await owner.get(f"/api/v1/evidence/?limit=2&cursor={second['next']}")).json()
    names = [item["name"] for page in (first, second, third) for item in page["items"]]
    assert names == [NAME, "0.txt", "1.txt", "2.txt", "later.txt"]
