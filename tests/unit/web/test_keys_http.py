"""API keys over HTTP: what a key is refused, in scope and out of it, and where a call comes from behind a proxy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from deedbox_server.people.key_rights import SECURITY, KeyRights
from deedbox_server.people.rate_limits import Limits, RateLimits
from kit.http_person import Person, stranger
from kit.listening import people_app
from kit.open_box import Office, office

pytestmark = pytest.mark.anyio


@pytest.fixture
async def firm(tmp_path: Any) -> Any:
    async with office(tmp_path) as made:
        yield made


def client_of(firm: Office, peer: str = "192.0.2.1", *, settings: dict[str, Any] | None = None, **parts: Any) -> Any:
    box = replace(firm.box, settings=replace(firm.box.settings, **(settings or {})), **parts)
    transport = httpx.ASGITransport(people_app(box), client=(peer, 1))
    return httpx.AsyncClient(transport=transport, base_url="https://box.test")


async def holder(firm: Office, client: httpx.AsyncClient, rights: KeyRights | None = None) -> Person:
    _, key = await firm.box.api_keys.create(firm.owner.id, "tests", rights=rights)
    return Person(client, key.text)


async def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).removeprefix("urn:deedbox:problem:")


async def test_a_key_is_made_read_renamed_rotated_and_revoked(firm: Office) -> None:
    async with client_of(firm) as client:
        owner = await holder(firm, client)
        wanted = {"name": "agent", "scopes": ["read"], "networks": ["192.0.2.0/24"], "rate": 3, "signed_only": False}
        made = await owner.post("/api/v1/keys", wanted)
        assert (made.status_code, made.headers["cache-control"], made.headers["etag"]) == (201, "no-store", '"v1"')
        key = made.json()
        assert (key["rate"], key["burst"], key["networks"]) == (3, 6, ["192.0.2.0/24"])
        path = f"/api/v1/keys/{key['id']}"
        assert "key" not in (await owner.get(path)).json()
        auth = {"Authorization": f"Bearer {owner.key}"}
        assert (await client.patch(path, json={"name": "robot"}, headers=auth)).status_code == 428
        renamed = await client.patch(path, json={"name": "robot"}, headers=auth | {"If-Match": '"v1"'})
        assert (renamed.json()["name"], renamed.headers["etag"]) == ("robot", '"v2"')
        assert (await client.patch(path, json={"name": "x"}, headers=auth | {"If-Match": '"v1"'})).status_code == 412
        turned = await owner.post(f"{path}/rotate", {"overlap_seconds": 60})
        assert turned.json()["key"] != key["key"] and turned.json()["former_until"] is not None
        for text in (key["key"], turned.json()["key"]):
            assert (await Person(client, text).get("/api/v1/me")).status_code == 200
        assert (await owner.post(f"{path}/rotate", {"overlap_seconds": 10**12})).status_code == 400
        assert (await client.delete(path, headers=auth)).status_code == 204
        assert (await owner.get(path)).status_code == 404


async def test_out_of_scope_is_403_and_says_which_scope(firm: Office) -> None:
    async with client_of(firm) as client:
        key = await holder(firm, client, KeyRights(frozenset({"log:read", "account"})))
        assert (await key.get("/api/v1/me")).status_code == 200
        refused = await key.get("/api/v1/cases")
        assert await slug(refused) == (403, "denied")
        assert "case:read" in refused.json()["detail"]
        for path, body in (
            ("/api/v1/keys", {"name": "more"}),
            ("/api/v1/cases", {"number": "1", "title": "x"}),
            ("/api/v1/pairing/codes", {}),
        ):
            assert await slug(await key.post(path, body)) == (403, "denied")


async def test_a_key_makes_none_that_is_stronger(firm: Office) -> None:
    async with client_of(firm) as client:
        key = await holder(firm, client, KeyRights(frozenset({"case:read", SECURITY})))
        assert await slug(await key.post("/api/v1/keys", {"name": "x", "scopes": ["full"]})) == (403, "denied")
        made = await key.post("/api/v1/keys", {"name": "x"})
        assert (made.status_code, made.json()["scopes"]) == (201, ["case:read"])


async def test_administrators_see_and_revoke_everybodys_and_nobody_else_does(firm: Office) -> None:
    async with client_of(firm) as client:
        owner = await holder(firm, client)
        other = await stranger(firm, owner)
        listed = (await owner.get("/api/v1/firm/keys?limit=1")).json()
        assert len(listed["items"]) == 1 and listed["next"]
        more = (await owner.get(f"/api/v1/firm/keys?limit=1&cursor={listed['next']}")).json()
        (theirs,) = more["items"]
        assert theirs["account"]["name"] == "Sam Stranger"
        assert await slug(await other.get("/api/v1/firm/keys")) == (403, "denied")
        path = f"/api/v1/firm/keys/{theirs['id']}"
        assert (await client.delete(path, headers={"Authorization": f"Bearer {owner.key}"})).status_code == 204
        assert await slug(await other.get("/api/v1/me")) == (401, "unauthenticated")


async def test_a_key_confined_to_no_case_of_the_firm_sees_none(firm: Office) -> None:
    async with client_of(firm) as client:
        key = await holder(firm, client, KeyRights(cases=frozenset({firm.owner.id})))
        assert (await key.get("/api/v1/cases")).json()["items"] == []
        assert (await key.get(f"/api/v1/cases/{firm.case.id}")).status_code == 404


async def test_half_a_session_makes_no_key(firm: Office) -> None:
    started = await firm.box.sessions.start(firm.owner.id, "password", False, "192.0.2.1", "test")
    async with client_of(firm) as client:
        assert (await Person(client, started.token).post("/api/v1/keys", {"name": "x"})).status_code == 403
        whole = await firm.box.sessions.start(firm.owner.id, "password", True, "192.0.2.1", "test")
        assert (await Person(client, whole.token).post("/api/v1/keys", {"name": "x"})).status_code == 201


async def test_too_many_calls_are_told_when_to_come_again_also_with_what_opens_nothing(firm: Office) -> None:
    limits = RateLimits(Limits(account=1, stranger=1), clock=lambda: 0.0)
    async with client_of(firm, rate_limits=limits) as client:
        key = await holder(firm, client, KeyRights(pace=(2, 3)))
        answers = [await key.get("/api/v1/me") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[3].headers["retry-after"]) >= 1
        wrong = Person(client, f"dbx_{'0' * 12}_{'A' * 43}")
        assert [(await wrong.get("/api/v1/me")).status_code for _ in range(61)] == [401] * 60 + [429]
        assert (await client.get("/api/v1/me")).status_code == 401  # who shows nothing tries nothing
        start = await client.post("/pair/v1/start", content=b"{}")
        assert await slug(start) == (429, "too-many")


async def test_behind_a_proxy_the_caller_is_whom_the_proxy_names_and_nobody_else(firm: Office) -> None:
    settings = {"trusted_proxies": ("10.0.0.0/24",)}
    rights = KeyRights(networks=("198.51.100.7/32",))
    async with client_of(firm, "10.0.0.1", settings=settings) as client:
        key = await holder(firm, client, rights)
        assert (await key.get("/api/v1/me", **{"X-Forwarded-For": "198.51.100.7"})).status_code == 200
        assert (await key.get("/api/v1/me", **{"X-Forwarded-For": "198.51.100.7, 203.0.113.9"})).status_code == 403
        assert (await key.get("/api/v1/me", Forwarded="for=198.51.100.7")).status_code == 403
        assert (await key.get("/api/v1/me")).status_code == 403
    for peer, given in (("203.0.113.9", settings), ("10.0.0.1", {})):
        async with client_of(firm, peer, settings=given) as client:
            answer = await Person(client, key.key).get("/api/v1/me", **{"X-Forwarded-For": "198.51.100.7"})
            assert await slug(answer) == (403, "denied")
