"""The trail is read as one list behind the reader's own wall, and can be checked against the log."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from deedbox_server.people.accounts import Account
from deedbox_sync import audit_record, receipt, uuid7
from kit.http_person import CONTENT, NAME, Person
from kit.listening import people_app
from kit.open_box import Office

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(desk_and_box: Office) -> AsyncIterator[Person]:
    box = desk_and_box.box
    item = desk_and_box.desk.item(NAME, CONTENT)
    await box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
    await desk_and_box.settle()
    transport = httpx.ASGITransport(people_app(box), client=("192.0.2.44", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        yield await person(desk_and_box, desk_and_box.owner, client)


async def person(office: Office, account: Account, client: httpx.AsyncClient) -> Person:
    _, key = await office.box.api_keys.create(account.id, "tests")
    return Person(client, key.text)


async def auditor(office: Office, owner: Person, *, barred: bool = False) -> Person:
    account = await office.box.accounts.create("Una Auditor", "auditor", "a long enough passphrase")
    if barred:
        await office.box.database.insert_many(
            "case_wall",
            ("id", "case_id", "account", "reason", "made_by", "created"),
            [(uuid7.new(), office.case.id, account.id, "own matter", office.principal.actor_id, office.case.created)],
        )
    return await person(office, account, owner.client)


async def items(who: Person, path: str = "/api/v1/audit/") -> list[dict[str, Any]]:
    answer = await who.get(path)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_custody_trust_and_audit_are_one_list_newest_first(desk_and_box: Office, owner: Person) -> None:
    case = desk_and_box.case.id
    (exhibit,) = await desk_and_box.box.database.fetch("SELECT id FROM exhibit")
    await owner.get(f"/api/v1/cases/{case}")
    await owner.get(f"/api/v1/evidence/{exhibit['id']}/content")
    found = await items(owner)
    told = {(one["source"], one["operation"], one["outcome"]) for one in found}
    assert {
        ("audit", "case.read", "viewed"),
        ("custody", "exhibit.received", "changed"),
        ("custody", "exhibit.downloaded", "viewed"),
    } <= told
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
    view = next(one for one in found if one["operation"] == "case.read")
    assert (view["name"], view["address"], view["case"]) == ("Olivia Owner", "192.0.2.44", str(case))
    received = next(one for one in found if one["operation"] == "exhibit.received")
    assert received["device"] == str(desk_and_box.desk.device)
    assert isinstance(received["log_entry"], int)


@pytest.mark.parametrize(
    ("query", "operations"),
    [
        ("outcome=refused", {"case.read"}),
        ("operation=exhibit.received", {"exhibit.received"}),
        ("operation=case.list", {"case.list"}),
        ("outcome=viewed&operation=case.list", {"case.list"}),
        ("until=2001-01-01T00:00:00Z", set()),
        ("since=2001-01-01T00:00:00Z&operation=case.list", {"case.list"}),
        (f"object={UUID(int=5)}", set()),
        (f"person={UUID(int=5)}", set()),
    ],
)
async def test_filters(desk_and_box: Office, owner: Person, query: str, operations: set[str]) -> None:
    await owner.get("/api/v1/cases/")
    await owner.get(f"/api/v1/cases/{uuid7.new()}")
    assert {one["operation"] for one in await items(owner, f"/api/v1/audit/?{query}")} == operations


async def test_a_persons_devices_are_the_person(desk_and_box: Office, owner: Person) -> None:
    found = await items(owner, f"/api/v1/audit/?person={desk_and_box.owner.id}")
    assert "exhibit.received" in {one["operation"] for one in found}


async def test_pages_continue_after_what_came_meanwhile(desk_and_box: Office, owner: Person) -> None:
    for _ in range(7):
        await owner.get(f"/api/v1/cases/{uuid7.new()}")
    everything = [one["id"] for one in await items(owner)]
    seen: list[str] = []
    cursor = ""
    while True:
        await owner.get(f"/api/v1/cases/{uuid7.new()}")
        page = (await owner.get(f"/api/v1/audit/?limit=3{cursor}")).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    # The first page shows the reading of the list itself and one refusal that came with it.
    assert [one for one in seen if one in everything] == everything
    assert len(seen) == len(set(seen))
    for wrong in ("cursor=nonsense", "limit=0", "limit=501", "outcome=seen", "since=2026-01-01T00:00:00"):
        assert (await owner.get(f"/api/v1/audit/?{wrong}")).status_code == 400


async def test_reading_the_trail_is_in_the_trail(desk_and_box: Office, owner: Person) -> None:
    await items(owner)
    await items(owner, f"/api/v1/cases/{desk_and_box.case.id}/audit/")
    assert {"audit.read", "case.audit"} <= {one["operation"] for one in await items(owner)}


async def test_an_auditor_who_is_barred_sees_nothing_of_the_case(desk_and_box: Office, owner: Person) -> None:
    case = str(desk_and_box.case.id)
    await owner.get(f"/api/v1/cases/{case}")
    await owner.get("/api/v1/cases/")
    una = await auditor(desk_and_box, owner, barred=True)
    nowhere = str(uuid7.new())
    for path in (f"/api/v1/cases/{case}", f"/api/v1/cases/{nowhere}"):
        assert (await una.get(path)).status_code == 404
    found = await items(una)
    assert case not in json.dumps(found)
    assert not {one["operation"] for one in found if one["source"] == "custody"}
    # What it was refused itself it sees, alike whether there is such a case or not.
    assert [(one["name"], one["case"]) for one in found if one["outcome"] == "refused"] == [("Una Auditor", None)] * 2
    for path in (f"/api/v1/audit/?case={case}", f"/api/v1/audit/?case={nowhere}"):
        assert (await una.get(path)).status_code == 404
    assert case not in (await una.get("/api/v1/audit/export?format=jsonl")).text
    listed = next(one for one in found if one["operation"] == "case.list")
    assert (await una.get(f"/api/v1/audit/{listed['id']}")).status_code == 404


async def test_who_sees_all_reads_it_and_others_do_not(desk_and_box: Office, owner: Person) -> None:
    await owner.get(f"/api/v1/cases/{desk_and_box.case.id}")
    una = await auditor(desk_and_box, owner)
    assert str(desk_and_box.case.id) in json.dumps(await items(una))
    account = await desk_and_box.box.accounts.create("Pat Paralegal", "paralegal", "a long enough passphrase")
    await desk_and_box.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(desk_and_box.case.id, account.id, "paralegal")]
    )
    pat = await person(desk_and_box, account, owner.client)
    assert (await pat.get("/api/v1/audit/")).status_code == 403
    assert (await pat.get(f"/api/v1/cases/{desk_and_box.case.id}/audit/")).status_code == 403


async def test_an_attorney_reads_the_trail_of_her_own_case_only(desk_and_box: Office, owner: Person) -> None:
    account = await desk_and_box.box.accounts.create("Ann Attorney", "attorney", "a long enough passphrase")
    await desk_and_box.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(desk_and_box.case.id, account.id, "attorney")]
    )
    ann = await person(desk_and_box, account, owner.client)
    other = await desk_and_box.box.cases.open(desk_and_box.principal, "2026-0002", "Other")
    found = await items(ann, f"/api/v1/cases/{desk_and_box.case.id}/audit/")
    assert {one["case"] for one in found} == {str(desk_and_box.case.id)}
    assert (await ann.get(f"/api/v1/cases/{other.id}/audit/")).status_code == 404


async def test_export_is_every_row_oldest_first_and_harmless_in_a_spreadsheet(
    desk_and_box: Office, owner: Person
) -> None:
    evil = await desk_and_box.box.accounts.create('=HYPERLINK("x")', "administrator", "a long enough passphrase")
    await (await person(desk_and_box, evil, owner.client)).get("/api/v1/cases/")
    await desk_and_box.settle()
    answer = await owner.get("/api/v1/audit/export")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert '\'=HYPERLINK("x")' in {row["name"] for row in rows}
    lines = (await owner.get("/api/v1/audit/export?format=jsonl")).text.splitlines()
    # The second one also tells of the first.
    assert [json.loads(line)["id"] for line in lines][: len(rows)] == [row["id"] for row in rows]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert (await owner.get("/api/v1/audit/export?format=xml")).status_code == 400


async def test_a_record_comes_with_its_proof(desk_and_box: Office, owner: Person) -> None:
    await owner.get(f"/api/v1/cases/{desk_and_box.case.id}")
    await items(owner)
    await desk_and_box.settle()
    row = next(one for one in await items(owner) if one["operation"] == "case.read")
    answer = (await owner.get(f"/api/v1/audit/{row['id']}")).json()
    record = answer["record"].encode()
    assert audit_record.digest(record).hex() == row["record_digest"]
    assert audit_record.parse(record).operation == "case.read"
    given = receipt.parse(answer["receipt"].encode())
    assert given.index == row["log_entry"]
    (opening,) = given.openings
    assert (opening.field, opening.value) == ("record", audit_record.digest(record))
    assert (await owner.get(f"/api/v1/audit/{uuid7.new()}")).status_code == 404
