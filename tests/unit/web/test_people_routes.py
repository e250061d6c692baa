"""Pairing, keys and devices over HTTP, without sockets: who may, what comes back, what does not."""

from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from litestar.testing import AsyncTestClient

from deedbox_server.web.identity import open_routes
from deedbox_sync.pairing import Answer
from deedbox_sync.pairing_code import parse_code
from people_box import PASSWORD, Desk, account_principal, make_people_box
from people_listeners import device_app, people_app


@pytest.fixture
async def box(sqlite_database):
    return await make_people_box(sqlite_database)


@pytest.fixture
async def client(box):
    async with AsyncTestClient(people_app(box), base_url="https://box.lan:8443") as client:
        yield client


async def key_of(box, account):
    _, key = await box.api_keys.create(account.id, "test")
    return {"Authorization": f"Bearer {key.text}"}


@pytest.fixture
async def owner(box):
    return await key_of(box, box.owner)


@pytest.fixture
async def member(box):
    return await key_of(box, await box.accounts.create("Bob", "paralegal", PASSWORD))


async def pair(box, client, code, desk=None):
    """A desk over HTTP; the certificate of the connection is the one it would have seen."""
    side, answer = (desk or Desk()).pairing(code), None
    while True:
        try:
            call = next(side) if answer is None else side.send(answer)
        except StopIteration as end:
            return end.value
        reply = await client.post(call.path, content=call.body)
        assert reply.status_code == 200, reply.text
        answer = Answer(reply.content, box.listener.public_bytes(Encoding.DER))


async def test_only_pairing_and_renewal_are_open_to_everybody(box):
    assert open_routes(people_app(box)) == {"POST /pair/v1/start", "POST /pair/v1/finish", "POST /pair/v1/renew"}
    assert open_routes(device_app(box)) == frozenset()


async def test_a_key_says_whom_it_acts_for(box, client, owner):
    body = (await client.get("/api/v1/me", headers=owner)).json()
    assert body["account"] == {"id": str(box.owner.id), "name": "Ada", "role": "administrator"}
    assert body["via"].startswith("api-key:")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic QWRhOng=", "bearer dbx_000000000000_" + "A" * 43]
)
@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/devices", "/api/v1/keys"])
async def test_without_a_key_that_opens_there_is_nothing(client, header, path):
    reply = await client.get(path, headers={} if header is None else {"Authorization": header})
    assert (reply.status_code, reply.json()["type"]) == (401, "urn:deedbox:problem:unauthenticated")


async def test_two_keys_at_once_are_none(client, owner):
    headers = [("Authorization", owner["Authorization"])] * 2
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_a_key_makes_and_revokes_keys_of_its_account(client, owner):
    reply = await client.post("/api/v1/keys", json={"name": "backup", "expires": "2026-04-01T00:00:00Z"}, headers=owner)
    assert (reply.status_code, reply.headers["cache-control"]) == (201, "no-store")
    made = reply.json()
    new = {"Authorization": f"Bearer {made['key']}"}
    assert (await client.get("/api/v1/me", headers=new)).status_code == 200
    listed = (await client.get("/api/v1/keys", headers=new)).json()["items"]
    assert [key["name"] for key in listed] == ["test", "backup"]
    assert all("key" not in key for key in listed)
    assert (await client.delete(f"/api/v1/keys/{made['id']}", headers=owner)).status_code == 204
    assert (await client.get("/api/v1/me", headers=new)).status_code == 401
    assert (await client.delete(f"/api/v1/keys/{made['id']}", headers=owner)).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x", "expires": "2026-04-01T00:00:00"}, {"name": "x", "role": "owner"}]
)
async def test_a_key_asked_for_wrongly_is_refused(client, owner, body):
    assert (await client.post("/api/v1/keys", json=body, headers=owner)).status_code == 400


async def test_a_desk_pairs_over_http_and_is_listed(box, client, owner):
    reply = await client.post("/api/v1/pairing/codes", json={}, headers=owner)
    assert (reply.status_code, reply.headers["cache-control"]) == (201, "no-store")
    issued = reply.json()
    assert issued["account"] == {"id": str(box.owner.id), "name": "Ada"}
    assert issued["expires"] == "2026-03-01T12:10:00.000000Z"
    grant = await pair(box, client, parse_code(issued["code"]))
    assert grant.device_url == "https://box.lan:8444"
    (device,) = (await client.get("/api/v1/devices", headers=owner)).json()["items"]
    assert (device["id"], device["name"], device["revoked"]) == (str(grant.device), "Ada's laptop", None)
    assert (await client.post(f"/api/v1/devices/{grant.device}/revoke", headers=owner)).status_code == 204
    (device,) = (await client.get("/api/v1/devices", headers=owner)).json()["items"]
    assert device["revoked"] == "2026-03-01T12:00:00.000000Z"


@pytest.mark.parametrize("host", ["evil host", "box.lan/../x", "[::1", "a" * 300, "*.lan", ""])
async def test_a_grant_repeats_no_host_that_is_none(box, client, owner, host):
    issued = (await client.post("/api/v1/pairing/codes", json={}, headers=owner)).json()
    side = Desk().pairing(parse_code(issued["code"]))
    start = await client.post("/pair/v1/start", content=next(side).body)
    call = side.send(Answer(start.content, b""))
    reply = await client.post(call.path, content=call.body, headers={"Host": host})
    if reply.status_code == 400:  # the framework refuses some by itself
        assert "Invalid host" in reply.text
        return
    with pytest.raises(StopIteration) as end:
        side.send(Answer(reply.content, box.listener.public_bytes(Encoding.DER)))
    assert end.value.value.device_url == "https://box:8444"


async def test_a_code_for_another_account_and_some_cases(box, client, owner, member):
    case = await box.add_case("1")
    bob = (await client.get("/api/v1/me", headers=member)).json()["account"]
    body = {"account": bob["id"], "cases": [str(case)]}
    issued = (await client.post("/api/v1/pairing/codes", json=body, headers=owner)).json()
    assert issued["account"]["name"] == "Bob"
    await pair(box, client, parse_code(issued["code"]))
    (device,) = (await client.get("/api/v1/devices", headers=owner)).json()["items"]
    assert (device["cases"], device["account"]["name"]) == ([str(case)], "Bob")


@pytest.mark.parametrize("body", [{"account": str(uuid4())}, {"cases": [str(uuid4())]}])
async def test_a_code_for_what_is_not_there_is_not_found(client, owner, body):
    assert (await client.post("/api/v1/pairing/codes", json=body, headers=owner)).status_code == 404


async def test_a_member_administers_no_devices(client, member):
    for method, path in (
        ("POST", "/api/v1/pairing/codes"),
        ("GET", "/api/v1/devices"),
        ("POST", f"/api/v1/devices/{uuid4()}/revoke"),
    ):
        reply = await client.request(method, path, json={} if method == "POST" else None, headers=member)
        assert (reply.status_code, reply.json()["type"]) == (403, "urn:deedbox:problem:denied")


async def test_a_wrong_code_says_how_many_tries_are_left(box, client):
    code = (await box.pairing.issue(account_principal(box.owner), box.owner.id)).code
    side = Desk().pairing(parse_code(code.text[:-1] + ("1" if code.text[-1] != "1" else "2")))
    start = await client.post("/pair/v1/start", content=next(side).body)
    call = side.send(Answer(start.content, b""))
    reply = await client.post(call.path, content=call.body)
    assert reply.status_code == 403
    assert (reply.json()["type"], reply.json()["tries_left"]) == ("urn:deedbox:problem:pairing-refused", 2)


@pytest.mark.parametrize("path", ["start", "finish", "renew"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"nameplate":"123"}', b"\xff"])
async def test_what_is_no_pairing_message_is_a_bad_request(client, path, body):
    reply = await client.post(f"/pair/v1/{path}", content=body)
    assert (reply.status_code, reply.json()["type"]) == (400, "urn:deedbox:problem:bad-request")


async def test_a_flood_of_bytes_is_not_read(client):
    assert (await client.post("/pair/v1/start", content=b"x" * (1 << 17))).status_code == 413
