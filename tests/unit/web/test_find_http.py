"""Is this file one of ours: the exhibits that the caller may see and when they were notarised, or one and the same no."""

import base64
import hashlib
from typing import Any

import pytest

from deedbox_sync import entry as log_entry
from kit.http_person import CONTENT, NAME, Person, stranger
from kit.open_box import Office

pytestmark = pytest.mark.anyio

FIND = "/api/v1/evidence/find"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


async def asked(person: Person, digest: str, **more: str) -> Any:
    return await person.post(FIND, {"digest": digest, **more})


async def sent(person: Person, content: bytes) -> Any:
    headers = {"Authorization": f"Bearer {person.key}"}
    return await person.client.post(FIND, headers=headers, files={"file": ("any name", content)})


async def test_a_digest_finds_the_exhibit_with_its_entry_in_the_log(owner: Person, exhibit: str) -> None:
    answer = (await asked(owner, SHA256.upper())).json()
    assert (answer["found"], answer["more"], answer["size"], answer["digest"]) == (True, False, None, SHA256)
    (found,) = answer["items"]
    assert (found["name"], found["number"], found["size"]) == (NAME, 1, len(CONTENT))
    assert exhibit.endswith(found["id"])
    entry = log_entry.parse(base64.b64decode(found["notarised"]["entry"]))
    assert (entry.kind, entry.seq) == ("exhibit.received", found["notarised"]["index"])


async def test_the_file_itself_is_hashed_and_not_kept(desk_and_box: Office, owner: Person, exhibit: str) -> None:
    answer = (await sent(owner, CONTENT)).json()
    assert (answer["found"], answer["size"], answer["digest"]) == (True, len(CONTENT), SHA256)
    assert not (await sent(owner, CONTENT[:-1])).json()["found"]
    assert await desk_and_box.box.database.fetch("SELECT id FROM upload") == []


async def test_what_is_behind_a_wall_and_what_is_not_there_are_one_answer(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    other = await stranger(desk_and_box, owner)
    for ask in (asked(other, SHA256), asked(other, "00" * 32)):
        answer = await ask
        assert answer.status_code == 200
        assert {**answer.json(), "digest": ""} == {
            "algorithm": "sha256",
            "digest": "",
            "found": False,
            "items": [],
            "more": False,
            "size": None,
        }


async def test_older_digests_find_what_has_them(desk_and_box: Office, owner: Person, exhibit: str) -> None:
    content = b"on an old list"
    digests = {"sha256": hashlib.sha256(content).digest(), "md5": hashlib.md5(content).digest()}
    item = desk_and_box.desk.item("old.bin", content, digests=digests)
    await desk_and_box.box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
    (found,) = (await asked(owner, digests["md5"].hex(), algorithm="md5")).json()["items"]
    assert found["name"] == "old.bin"
    assert not (await asked(owner, hashlib.sha1(content).hexdigest(), algorithm="sha1")).json()["found"]


async def test_two_exhibits_of_the_same_bytes_are_both_named_the_earlier_first(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    item = desk_and_box.desk.item("again.pdf", CONTENT)
    await desk_and_box.box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
    items = (await asked(owner, SHA256)).json()["items"]
    assert [one["name"] for one in items] == [NAME, "again.pdf"]
    assert items[1]["notarised"] is None  # the log has not taken it in yet


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"digest": "xyz"},
        {"digest": "00"},
        {"digest": "00" * 32, "algorithm": "crc32"},
        {"digest": "0" * 64, "a": 1},
    ],
)
async def test_what_is_no_digest_is_refused(owner: Person, body: dict[str, str]) -> None:
    assert (await owner.post(FIND, body)).status_code == 400


async def test_a_body_that_is_neither_is_refused(owner: Person) -> None:
    headers = {"Authorization": f"Bearer {owner.key}", "Content-Type": "text/plain"}
    assert (await owner.client.post(FIND, headers=headers, content=b"x")).status_code == 415


async def test_a_digest_is_held_against_one_exhibit(desk_and_box: Office, owner: Person, exhibit: str) -> None:
    same = (await owner.post(f"{exhibit}/hash-verify", {"digest": SHA256})).json()
    assert (same["matches"], same["known"]) == (True, True)
    other = (await owner.post(f"{exhibit}/hash-verify", {"digest": "00" * 32})).json()
    assert (other["matches"], other["known"], other["content"]) == (False, True, SHA256)
    unknown = (await owner.post(f"{exhibit}/hash-verify", {"digest": "00" * 16, "algorithm": "md5"})).json()
    assert (unknown["matches"], unknown["known"]) == (False, False)
    outside = await stranger(desk_and_box, owner)
    assert (await outside.post(f"{exhibit}/hash-verify", {"digest": SHA256})).status_code == 404
