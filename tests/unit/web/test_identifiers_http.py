"""Identifiers over HTTP: the calls of formats/identifier.md, and POST /device/v1/reconcile for desks."""

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from deedbox_server.app import listeners
from deedbox_server.people.principal import Principal
from deedbox_sync import identifier
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields
from deedbox_sync.identifier import Minter
from kit.http_person import Person, stranger
from kit.open_box import Office
from kit.signed_caller import MINT, RECONCILE, VERIFY, SignedCaller, signed_caller

pytestmark = pytest.mark.anyio

CONTENT = sha256(b"a deed").hexdigest()
ISSUERS = "/api/v1/identifier-issuers"
FALLBACK = Minter(bytes(range(32)), "fallback/0198c0de-0000-7000-8000-00000000000f")
REGISTRATION = {"key": FALLBACK.key.hex(), "namespace": FALLBACK.namespace, "name": "spare"}


@pytest.fixture
async def caller(desk_and_box: Office, owner: Person) -> SignedCaller:
    return await signed_caller(desk_and_box, owner.client)


async def mint(caller: SignedCaller, items: list[Any], **headers: str) -> Any:
    return await caller.post(MINT, {"items": items}, headers)


async def test_mint_and_verify(caller: SignedCaller, desk_and_box: Office) -> None:
    answer = await mint(caller, [{"content": CONTENT, "exhibit": None}, {"content": CONTENT}])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    records = [identifier.read_record(Fields(record, "record")) for record in answer.json()["records"]]
    for record in records:
        identifier.verify_record(record)
        assert record.content.hex() == CONTENT
    await desk_and_box.settle()
    told = (await caller.get(f"{VERIFY}/{records[0].id.lower()}")).json()
    assert told == {
        "aliases": [],
        "canonical": records[0].id,
        "exhibit": None,
        "id": records[0].id,
        "issuer": {"key": records[0].key.hex(), "kind": "box", "revoked": False},
        "known": True,
        "log_index": told["log_index"],
        "record": identifier.record_members(records[0]),
    }
    assert isinstance(told["log_index"], int)


async def test_an_unknown_identifier_and_what_is_none(caller: SignedCaller) -> None:
    unknown = (await caller.get(f"{VERIFY}/E-0000-0000-0000-0000-98")).json()
    assert (unknown["known"], unknown["record"], unknown["issuer"]) == (False, None, None)
    wrong = await caller.get(f"{VERIFY}/E-0000-0000-0000-0000-97")
    assert wrong.status_code == 400
    assert "mistyped" in wrong.json()["detail"]


async def test_an_idempotency_key_repeats_the_answer(caller: SignedCaller) -> None:
    key = {"Idempotency-Key": "once"}
    answers = [await mint(caller, [{"content": CONTENT}], **key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert (await mint(caller, [{"content": "00" * 32}], **key)).status_code == 409
    assert (await mint(caller, [{"content": CONTENT}], **{"Idempotency-Key": "x" * 65})).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"items":[]}',
        b'{"items":[{}]}',
        b'{"items":[{"content":"00"}]}',
        b'{"items":[{"content":"%s","exhibit":"x"}]}' % (b"00" * 32),
        b'{"items":[{"content":"%s","more":1}]}' % (b"00" * 32),
        b'{"items":[%s]}' % b",".join([b'{"content":"%s"}' % (b"00" * 32)] * 1001),
        b"[" * 100_000,
    ],
    ids=range(10),
)
async def test_any_other_body_is_refused(caller: SignedCaller, body: bytes) -> None:
    assert (await caller.post(MINT, body)).status_code == 400


async def test_a_body_has_its_limit(caller: SignedCaller) -> None:
    assert (await caller.post(RECONCILE, b" " * 5_000_000)).status_code == 413


async def test_an_exhibit_shows_its_identifier_to_those_who_see_it(
    caller: SignedCaller, owner: Person, exhibit: str, desk_and_box: Office
) -> None:
    shown = (await owner.get(exhibit)).json()
    assert shown["identifier"] is None
    item = {"content": shown["content"], "exhibit": shown["id"]}
    (record,) = (await mint(caller, [item])).json()["records"]
    assert (await owner.get(exhibit)).json()["identifier"] == record["id"]
    (listed,) = (await owner.get("/api/v1/evidence/")).json()["items"]
    assert listed["identifier"] == record["id"]
    assert (await caller.get(f"{VERIFY}/{record['id']}")).json()["exhibit"] == shown["id"]

    account = await desk_and_box.box.accounts.create("Sam", "paralegal", "a long enough passphrase")
    outside = await signed_caller(desk_and_box, owner.client, account.id)
    told = (await outside.get(f"{VERIFY}/{record['id']}")).json()
    assert (told["known"], told["exhibit"]) == (True, None)
    refused = await mint(outside, [item])
    assert refused.status_code == 404
    nothing = await mint(outside, [item | {"exhibit": "0198c0de-0000-7000-8000-00000000dead"}])
    assert nothing.json() == refused.json(), "what may not be seen answers as what is not there"


async def test_a_fallback_service_is_registered_used_and_revoked(caller: SignedCaller, owner: Person) -> None:
    made = await owner.post(ISSUERS, REGISTRATION)
    assert made.status_code == 201
    issuer = made.json()
    assert issuer == REGISTRATION | {"created": issuer["created"], "kind": "fallback", "revoked": None}
    records = [json.loads(identifier.encode(FALLBACK.mint(bytes(32), None, counter))) for counter in range(3)]
    body = {"records": [records[0], {"id": records[1]["id"]}], "issuer_note": None}
    first, second = (await caller.post(RECONCILE, body)).json()["results"]
    assert (first["state"], first["id"], first["problem"]) == ("reconciled", records[0]["id"], None)
    assert (second["state"], second["id"], second["canonical"]) == ("refused", records[1]["id"], None)
    told = (await caller.get(f"{VERIFY}/{records[0]['id']}")).json()
    assert (told["canonical"], told["aliases"]) == (first["canonical"], [records[0]["id"]])

    gone = await owner.client.delete(f"{ISSUERS}/{issuer['key']}", headers={"Authorization": f"Bearer {owner.key}"})
    assert gone.status_code == 204
    (refused,) = (await caller.post(RECONCILE, body | {"records": [records[2]]})).json()["results"]
    assert refused["state"] == "refused"
    assert "revoked" in refused["problem"]
    items = {item["kind"]: item for item in (await owner.get(ISSUERS)).json()["items"]}
    assert items["fallback"]["revoked"] is not None
    assert items["box"]["revoked"] is None
    assert (await caller.get(f"{VERIFY}/{records[0]['id']}")).json()["issuer"]["revoked"] is True


async def test_issuers_are_not_a_members_business(desk_and_box: Office, owner: Person) -> None:
    sam = await stranger(desk_and_box, owner)
    assert (await sam.get(ISSUERS)).status_code == 403
    assert (await sam.post(ISSUERS, REGISTRATION)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"records": []},
        {"records": [], "issuer_note": None},
        {"records": {}, "issuer_note": None},
        {"records": [None], "issuer_note": "*"},
        {"records": [None], "issuer_note": None, "more": 1},
    ],
)
async def test_a_call_that_is_no_reconciliation_is_refused(caller: SignedCaller, body: object) -> None:
    assert (await caller.post(RECONCILE, body)).status_code == 400


async def test_a_desk_reconciles_by_its_certificate(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_and_box.desk
    minter = Minter(identifier.desk_seed(desk.key.private_bytes_raw()), f"device/{desk.device}")
    record = minter.mint(bytes(32), None, 1)
    body = {
        "records": [json.loads(identifier.encode(record))],
        "issuer_note": encode_base64(identifier.issuer_note(desk.key, desk.device, minter.key)),
    }

    async def certified() -> Principal:
        return Principal("device", desk_and_box.owner.id, desk.device, "laptop", "certificate:1", "administrator")

    monkeypatch.setattr(listeners, "provide_device", certified)  # TLS has a test of its own
    transport = httpx.ASGITransport(listeners.device_app(desk_and_box.box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        (result,) = (await client.post("/device/v1/reconcile", json=body)).json()["results"]
        assert (result["state"], result["id"]) == ("reconciled", record.id)
        assert (await client.post(MINT, json={"items": []})).status_code == 404, "minting is not for devices"
