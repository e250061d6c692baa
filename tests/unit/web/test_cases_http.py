"""Cases and what is in them over HTTP: statuses, ETags, what outsiders get, one way through all of it."""

from typing import Any
from uuid import UUID

import pytest

from kit.http_person import Person
from kit.open_box import Office

pytestmark = pytest.mark.anyio

CASES = "/api/v1/cases"


async def send(person: Person, method: str, path: str, body: object = None, **headers: str) -> Any:
    given = {"Authorization": f"Bearer {person.key}"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return await person.client.request(method, path, headers=given, json=body)


async def another(office: Office, person: Person, role: str) -> tuple[Person, str]:
    account = await office.box.accounts.create(f"One {role}", role, "a long enough passphrase")
    _, key = await office.box.api_keys.create(account.id, "tests")
    return Person(person.client, key.text), str(account.id)


async def test_a_matter_from_its_check_to_its_archive(desk_and_box: Office, owner: Person) -> None:
    asked = {"subject": "Doe", "names": [{"name": "Jane Doe", "aliases": ["Mueller"]}]}
    check = await send(owner, "POST", "/api/v1/conflicts/", asked)
    assert check.status_code == 201
    assert "etag" not in check.headers
    assert check.json()["sent"] == "sent to the conflicts officer"
    new = {"title": "Doe v. Acme", "client": "Jane Doe", "labels": ["tax"], "conflict_check": check.json()["id"]}
    made = await send(owner, "POST", f"{CASES}/", new)
    assert (made.status_code, made.headers["etag"]) == (201, '"v1"')
    where = made.headers["location"]
    party = await send(owner, "POST", f"{where}/parties/", {"kind": "client", "name": "Jane Doe"})
    counsel = {"kind": "counsel", "name": "Zoe Quist", "counsel_for": [party.json()["id"]], "firm": "Quist LLP"}
    assert (await send(owner, "POST", f"{where}/parties/", counsel)).status_code == 201
    event = {"kind": "hearing", "title": "First hearing", "starts": "2026-03-01T09:00:00+01:00", "zone": "Europe/Oslo"}
    hearing = await send(owner, "POST", f"{where}/events/", event)
    assert (hearing.status_code, hearing.json()["starts"]) == (201, "2026-03-01T08:00:00.000000Z")
    note = await send(owner, "POST", f"{where}/artifacts/", {"kind": "note", "title": "Call", "body": "She called."})
    assert note.status_code == 201
    await desk_and_box.settle()
    records = (await owner.get(f"{note.headers['location']}/records")).json()["items"]
    assert [record["id"] for record in records] == [note.json()["record"]]
    found = (await owner.get(f"{CASES}/search?q=quist")).json()
    assert [one["case"]["id"] for one in found["items"]] == [made.json()["id"]]
    listed = (await owner.get(f"{CASES}/?label=TAX&state=open&sort=-updated")).json()
    assert [one["number"] for one in listed["items"]] == [made.json()["number"]]
    now = await owner.get(where)
    closed = await send(owner, "POST", f"{where}/close", {"reason": "settled"}, if_match=now.headers["etag"])
    assert (closed.status_code, closed.json()["state"], closed.headers["etag"]) == (200, "closed", '"v2"')
    late = await send(owner, "POST", f"{where}/events/", event)
    assert (late.status_code, late.json()["type"]) == (409, "urn:deedbox:problem:case-closed")


async def test_a_change_says_which_version_it_read(desk_and_box: Office, owner: Person) -> None:
    where = f"{CASES}/{desk_and_box.case.id}"
    assert (await send(owner, "PATCH", where, {"title": "x"})).status_code == 428
    assert (await send(owner, "PATCH", where, {"title": "x"}, if_match='"v9"')).status_code == 412
    changed = await send(owner, "PATCH", where, {"title": "New title", "court": "High Court"}, if_match='"v1"')
    assert (changed.status_code, changed.headers["etag"], changed.json()["court"]) == (200, '"v2"', "High Court")
    assert (await send(owner, "PATCH", where, {"colour": "red"}, if_match='"v2"')).status_code == 400


async def test_an_evidence_artifact_has_the_digest_of_its_exhibit(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    facts = (await owner.get(exhibit)).json()
    body = {"kind": "evidence", "title": "The plan", "exhibit": facts["id"]}
    made = await send(owner, "POST", f"{CASES}/{desk_and_box.case.id}/artifacts/", body)
    assert (made.status_code, made.json()["content"]) == (201, facts["content"])


async def test_an_outsider_gets_the_card_and_what_is_shared(desk_and_box: Office, owner: Person) -> None:
    where = f"{CASES}/{desk_and_box.case.id}"
    await send(owner, "PATCH", where, {"client": "Secret client", "court": "High Court"}, if_match='"v1"')
    for shared in (True, False):
        event = {"kind": "hearing", "title": f"{shared}", "starts": "2026-03-01T09:00:00Z", "shared": shared}
        assert (await send(owner, "POST", f"{where}/events/", event)).status_code == 201
    counsel, account = await another(desk_and_box, owner, "outsider")
    absent = await counsel.get(f"{CASES}/{desk_and_box.owner.id}")
    barred = await counsel.get(where)
    assert (barred.status_code, barred.content) == (absent.status_code, absent.content) == (404, absent.content)
    await desk_and_box.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(desk_and_box.case.id, UUID(account), "opposing-counsel")]
    )
    card = await counsel.get(where)
    assert card.json().keys() == {"id", "number", "title", "state", "court", "docket"}
    assert "etag" not in card.headers or card.headers["etag"] != '"v2"'
    assert [one["title"] for one in (await counsel.get(f"{where}/events/")).json()["items"]] == ["True"]
    assert (await counsel.get(f"{where}/parties/")).status_code == 403
    listed = (await counsel.get(f"{CASES}/")).json()["items"]
    assert listed == [card.json()]
    assert (await counsel.get(f"{CASES}/?client=Secret+client")).json()["items"] == []


async def test_the_officer_sees_every_hit_and_settles_it(desk_and_box: Office, owner: Person) -> None:
    where = f"{CASES}/{desk_and_box.case.id}"
    await send(owner, "POST", f"{where}/parties/", {"kind": "witness", "name": "Zelda Quist"})
    paralegal, _ = await another(desk_and_box, owner, "paralegal")
    officer, account = await another(desk_and_box, owner, "attorney")
    await desk_and_box.box.database.execute(
        "UPDATE account SET duties = {} WHERE id = {}", '["conflicts-officer"]', UUID(account)
    )
    made = await send(paralegal, "POST", "/api/v1/conflicts/", {"subject": "x", "names": [{"name": "Zelda Quist"}]})
    assert made.json()["hits"] == []
    check = made.headers["location"]
    seen = await officer.get(check)
    (hit,) = seen.json()["hits"]
    assert (hit["how"], hit["sure"], hit["result"]) == ("exact", 100, "open")
    said = {"result": "cleared"}
    denied = await send(paralegal, "PUT", f"{check}/hits/{hit['id']}", said, if_match='"v1"')
    assert denied.status_code == 403
    settled = await send(officer, "PUT", f"{check}/hits/{hit['id']}", said, if_match=seen.headers["etag"])
    assert settled.status_code == 200
    told = {"outcome": "cleared"}
    done = await send(officer, "POST", f"{check}/settle", told, if_match=settled.headers["etag"])
    assert (done.status_code, done.json()["state"]) == (200, "settled")
    heard = (await paralegal.get(check)).json()
    assert (heard["outcome"], heard["hits"]) == ("cleared", [])
    assert "version" not in heard
