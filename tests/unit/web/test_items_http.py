"""Physical items: taken in, handed over with both sides' word, and a record that the log holds the box to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deedbox_server.audit import Report, Sources, audit
from deedbox_sync import item_record, timestamp
from kit.http_person import Person
from kit.open_box import Office

pytestmark = pytest.mark.anyio

HAMMER = {"description": "Claw hammer, handle taped", "kind": "tool", "made": "Example 16 oz", "serial": "H-77"}
BAGGED = {"condition": "dry, rust on the head", "place": "strong room, shelf 3", "seals": ["A 001"]}


async def taken_in(office: Office, person: Person, **more: object) -> Any:
    body = {"described": HAMMER, "state": BAGGED, "giver": "Det. R. Roe", "purpose": "found at the scene", **more}
    return await person.post(f"/api/v1/cases/{office.case.id}/items", body)


async def held(office: Office, person: Person, **more: object) -> str:
    answer = await taken_in(office, person, **more)
    assert answer.status_code == 201, answer.text
    return f"/api/v1/items/{answer.json()['id']}"


async def colleague(office: Office, owner: Person, name: str = "Pat Paralegal") -> tuple[Person, str]:
    account = await office.box.accounts.create(name, "paralegal", "a long enough passphrase")
    row = (office.case.id, account.id, "paralegal")
    await office.box.database.insert_many("case_member", ("case_id", "account", "role"), [row])
    _, key = await office.box.api_keys.create(account.id, "tests")
    return Person(owner.client, key.text), str(account.id)


async def record_kinds(person: Person, item: str) -> list[str]:
    return [record["kind"] for record in (await person.get(f"{item}/records")).json()["items"]]


async def match(person: Person, method: str, path: str, version: int, body: object) -> Any:
    headers = {"Authorization": f"Bearer {person.key}", "If-Match": f'"v{version}"'}
    return await person.client.request(method, path, headers=headers, json=body)


async def faultless(office: Office) -> None:
    await office.settle()
    report, box = Report(), office.box
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    assert report.findings == []
    assert report.counts["item records"] > 0


async def test_an_item_has_a_number_a_holder_and_a_first_record(desk_and_box: Office, owner: Person) -> None:
    item = await held(desk_and_box, owner)
    answer = await owner.get(item)
    found = answer.json()
    assert answer.headers["etag"] == '"v1"'
    assert (found["number"], found["state"], found["serial"], found["lies"]) == (1, "held", "H-77", BAGGED)
    assert found["holder"]["account"] == str(desk_and_box.owner.id)
    (record,) = (await owner.get(f"{item}/records")).json()["items"]
    assert (record["kind"], record["detail"]["from"]["name"]) == ("received", "Det. R. Roe")
    assert (await taken_in(desk_and_box, owner)).json()["number"] == 2
    listed = (await owner.get(f"/api/v1/cases/{desk_and_box.case.id}/items")).json()["items"]
    assert [one["number"] for one in listed] == [1, 2]
    await faultless(desk_and_box)


async def test_between_two_of_the_box_a_handover_is_done_when_both_have_said_so(
    desk_and_box: Office, owner: Person
) -> None:
    item = await held(desk_and_box, owner)
    pat, account = await colleague(desk_and_box, owner)
    order = {"kind": "handed-over", "account": account, "state": BAGGED, "seal_intact": True, "purpose": "to the lab"}
    begun = await owner.post(f"{item}/handovers", order)
    assert begun.status_code == 201, begun.text
    one = begun.json()
    assert (one["state"], one["given"] is not None, one["taken"]) == ("pending", True, None)
    assert await record_kinds(owner, item) == ["received"]
    assert (await owner.post(f"{item}/handovers", order)).status_code == 409
    path = f"{item}/handovers/{one['id']}/confirm"
    assert (await owner.post(path)).json()["state"] == "pending"  # one side's word twice is not two words
    for _ in range(2):
        assert (await pat.post(path)).json()["state"] == "done"
    assert await record_kinds(owner, item) == ["received", "handed-over"]
    assert (await owner.get(item)).json()["holder"]["account"] == account
    await faultless(desk_and_box)


async def test_an_outside_person_signs_and_the_signature_is_an_exhibit_of_the_case(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    item, signature = await held(desk_and_box, owner), exhibit.rsplit("/", 1)[1]
    order = {"kind": "handed-over", "name": "Example Laboratory", "state": BAGGED, "seal_intact": True}
    assert (await owner.post(f"{item}/handovers", order)).status_code == 400
    done = (await owner.post(f"{item}/handovers", {**order, "signature": signature})).json()
    assert (done["state"], done["receiver"]["signature"]) == ("done", signature)
    back = {"kind": "handed-over", "account": str(desk_and_box.owner.id), "state": BAGGED, "seal_intact": False}
    assert (await owner.post(f"{item}/handovers", back)).status_code == 400  # the laboratory has not signed
    done = (await owner.post(f"{item}/handovers", {**back, "giver_signature": signature})).json()
    assert (done["state"], done["giver"]["name"]) == ("done", "Example Laboratory")
    await faultless(desk_and_box)


async def test_a_pending_handover_can_be_refused_or_withdrawn_and_leaves_no_record(
    desk_and_box: Office, owner: Person
) -> None:
    item = await held(desk_and_box, owner)
    pat, account = await colleague(desk_and_box, owner)
    sam, _ = await colleague(desk_and_box, owner, "Sam Second")
    order = {"kind": "handed-over", "account": account, "state": BAGGED}
    for person, state in ((pat, "refused"), (owner, "withdrawn")):
        one = (await owner.post(f"{item}/handovers", order)).json()
        path = f"{item}/handovers/{one['id']}"
        assert (await sam.post(f"{path}/confirm")).status_code == 403
        assert (await sam.post(f"{path}/call-off")).status_code == 403
        assert (await person.post(f"{path}/call-off")).json()["state"] == state
        assert (await pat.post(f"{path}/confirm")).status_code == 409
    assert await record_kinds(owner, item) == ["received"]
    assert len((await owner.get(f"{item}/handovers")).json()["items"]) == 2


async def test_only_who_sees_the_case_can_take_an_item(desk_and_box: Office, owner: Person) -> None:
    item = await held(desk_and_box, owner)
    outside = await desk_and_box.box.accounts.create("Zoe", "paralegal", "a long enough passphrase")
    order = {"kind": "handed-over", "account": str(outside.id), "state": BAGGED}
    assert (await owner.post(f"{item}/handovers", order)).status_code == 400
    _, key = await desk_and_box.box.api_keys.create(outside.id, "tests")
    zoe = Person(owner.client, key.text)
    for path in (item, f"{item}/records", f"{item}/handovers", f"/api/v1/cases/{desk_and_box.case.id}/items"):
        assert (await zoe.get(path)).status_code == 404


async def test_what_is_noted_changes_its_state_and_the_last_note_ends_it(desk_and_box: Office, owner: Person) -> None:
    item = await held(desk_and_box, owner)
    moved = {**BAGGED, "place": "laboratory", "seals": ["A 002"]}
    note = {"kind": "examined", "state": moved, "seal_intact": True, "purpose": "fingerprints"}
    answer = await match(owner, "POST", f"{item}/notes", 1, note)
    assert (answer.status_code, answer.json()["lies"]) == (201, moved)
    assert (await match(owner, "POST", f"{item}/notes", 1, note)).status_code == 412
    assert (await owner.post(f"{item}/notes", note)).status_code == 428
    gone = {"kind": "disposed", "state": moved, "purpose": "destroyed on the court's order of 4 May"}
    assert (await match(owner, "POST", f"{item}/notes", 2, {**gone, "purpose": None})).status_code == 400
    assert (await match(owner, "POST", f"{item}/notes", 2, gone)).json()["state"] == "disposed"
    assert (await match(owner, "POST", f"{item}/notes", 3, note)).status_code == 409
    assert await record_kinds(owner, item) == ["received", "examined", "disposed"]
    await faultless(desk_and_box)


async def test_described_anew_it_keeps_what_was_said_before(desk_and_box: Office, owner: Person) -> None:
    item = await held(desk_and_box, owner)
    answer = await match(owner, "PATCH", item, 1, {**HAMMER, "serial": "H-78"})
    assert (answer.json()["serial"], answer.headers["etag"]) == ("H-78", '"v2"')
    records = (await owner.get(f"{item}/records")).json()["items"]
    assert [record["detail"]["described"]["serial"] for record in records] == ["H-77", "H-78"]


async def test_an_exhibit_of_its_case_shows_it_until_it_is_refiled(
    desk_and_box: Office, owner: Person, exhibit: str
) -> None:
    item, photo = await held(desk_and_box, owner), exhibit.rsplit("/", 1)[1]
    for _ in range(2):
        assert (await owner.post(f"{item}/photos", {"exhibit": photo})).json()["photos"] == [photo]
    assert await record_kinds(owner, item) == ["received", "photographed"]
    other = (await owner.post("/api/v1/cases", {"number": "2026-0002", "title": "Doe v. Roe"})).json()["id"]
    await owner.post(f"{exhibit}/refile", {"case": other})
    assert (await owner.get(item)).json()["photos"] == []
    assert (await owner.post(f"{item}/photos", {"exhibit": photo})).status_code == 400


async def test_what_is_recorded_has_happened(desk_and_box: Office, owner: Person) -> None:
    now = datetime.now(UTC)
    later, before = (timestamp.encode(now + timedelta(days=days)) for days in (1, -1))
    assert (await taken_in(desk_and_box, owner, happened=later)).status_code == 400
    item = await held(desk_and_box, owner, happened=before)
    (record,) = (await owner.get(f"{item}/records")).json()["items"]
    assert record["happened"] == before


async def test_a_record_that_was_changed_behind_the_boxs_back_is_found(desk_and_box: Office, owner: Person) -> None:
    await held(desk_and_box, owner)
    await desk_and_box.settle()
    box = desk_and_box.box
    row = await box.database.fetch_one("SELECT id, record FROM item_event")
    assert row is not None
    record = item_record.parse(row["record"])
    forged = item_record.encode(
        type(record)(**{**vars(record), "detail": {**record.detail, "purpose": "found elsewhere"}})
    )
    await box.database.execute("UPDATE item_event SET record = {} WHERE id = {}", forged, row["id"])
    report = Report()
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    assert [finding.where for finding in report.findings] == [f"item {record.item}, record 1"]
