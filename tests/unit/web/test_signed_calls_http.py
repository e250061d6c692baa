"""Calls under /api/v2: signed, fresh, once (NO-7; formats/message-signature.md)."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deedbox_server.people.key_rights import KeyRights
from deedbox_server.people.rate_limits import Limits, RateLimits
from deedbox_sync import message_signature
from kit.http_person import Person
from kit.listening import people_app
from kit.open_box import Office, office, reopened
from kit.signed_caller import MINT, SignedCaller, signed_caller

pytestmark = pytest.mark.anyio

BODY = b'{"items":[{"content":"%s"}]}' % (b"ab" * 32)


@pytest.fixture
async def caller(desk_and_box: Office, owner: Person) -> SignedCaller:
    return await signed_caller(desk_and_box, owner.client)


async def send(caller: SignedCaller, headers: dict[str, str], body: bytes = BODY, path: str = MINT) -> httpx.Response:
    return await caller.client.post(path, content=body, headers=headers)


def slug(answer: httpx.Response) -> str:
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:deedbox:problem:")


async def test_a_signed_call_is_answered(caller: SignedCaller) -> None:
    assert (await send(caller, caller.sign("POST", MINT, BODY))).status_code == 200


async def test_a_bearer_token_alone_is_refused_with_what_to_do(owner: Person, caller: SignedCaller) -> None:
    answer = await send(caller, {"Authorization": f"Bearer {owner.key}"})
    assert slug(answer) == "signature-missing"
    assert "signed with the API key" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == "Signature"


async def test_a_bearer_token_makes_a_false_signature_no_better(owner: Person, caller: SignedCaller) -> None:
    headers = caller.sign("POST", MINT, BODY + b" ") | {"Authorization": f"Bearer {owner.key}"}
    assert slug(await send(caller, headers)) == "signature-false"


async def test_every_change_is_seen(caller: SignedCaller) -> None:
    other = BODY.replace(b"ab", b"cd")
    false = [
        await send(caller, caller.sign("POST", MINT, BODY), other),
        await send(caller, caller.sign("POST", MINT, other), BODY),
        await send(caller, caller.sign("GET", MINT, BODY)),
        await send(caller, caller.sign("POST", MINT + "/", BODY)),
        await send(caller, caller.sign("POST", MINT, BODY), path=f"{MINT}?a=b"),
        await send(caller, caller.sign("POST", MINT, BODY, query="a=c"), path=f"{MINT}?a=b"),
    ]
    assert [slug(answer) for answer in false] == ["signature-false"] * len(false)
    assert (
        await send(caller, caller.sign("POST", MINT, BODY, query="a=%20b"), path=f"{MINT}?a=%20b")
    ).status_code == 200


@pytest.mark.parametrize("header", ["Content-Digest", "Signature-Input", "Signature"])
async def test_each_header_is_needed_once_and_in_its_form(caller: SignedCaller, header: str) -> None:
    without = caller.sign("POST", MINT, BODY)
    del without[header]
    assert slug(await send(caller, without)) == "signature-malformed"
    spoiled = caller.sign("POST", MINT, BODY)
    spoiled[header] += ", other"
    assert slug(await send(caller, spoiled)) == "signature-malformed"
    twice = caller.sign("POST", MINT, BODY)
    pairs = [*twice.items(), (header, twice[header])]
    assert slug(await caller.client.post(MINT, content=BODY, headers=pairs)) == "signature-malformed"


async def test_an_unknown_key_is_answered_as_a_false_signature(caller: SignedCaller) -> None:
    unknown = SignedCaller(caller.client, uuid4(), caller.key)
    false = SignedCaller(caller.client, caller.key_id, bytes(32))
    answers = [await send(each, each.sign("POST", MINT, BODY)) for each in (unknown, false)]
    assert answers[0].json() == answers[1].json()
    assert slug(answers[0]) == "signature-false"


async def test_a_revoked_key_signs_no_more(desk_and_box: Office, caller: SignedCaller) -> None:
    await desk_and_box.box.api_keys.revoke(desk_and_box.owner.id, caller.key_id)
    assert slug(await send(caller, caller.sign("POST", MINT, BODY))) == "signature-false"


async def test_a_key_from_before_signed_calls_is_told_to_be_replaced(
    desk_and_box: Office, caller: SignedCaller
) -> None:
    await desk_and_box.box.database.execute("UPDATE api_key SET message_key = NULL WHERE id = {}", caller.key_id)
    answer = await send(caller, caller.sign("POST", MINT, BODY))
    assert slug(answer) == "signature-false"
    assert "make a new one" in answer.json()["detail"]


@pytest.mark.parametrize("seconds", [-63, 63])
async def test_a_call_counts_for_a_minute(caller: SignedCaller, seconds: int) -> None:
    answer = await send(caller, caller.sign("POST", MINT, BODY, created=int(time.time()) + seconds))
    assert slug(answer) == "signature-expired"
    assert answer.json()["time"].endswith("Z")


@pytest.mark.parametrize("seconds", [-55, 55])
async def test_clocks_need_not_agree_to_the_second(caller: SignedCaller, seconds: int) -> None:
    created = int(time.time()) + seconds
    assert (await send(caller, caller.sign("POST", MINT, BODY, created=created))).status_code == 200


async def test_a_call_is_made_once(desk_and_box: Office, caller: SignedCaller) -> None:
    headers = caller.sign("POST", MINT, BODY)
    assert (await send(caller, headers)).status_code == 200
    assert slug(await send(caller, headers)) == "nonce-replayed"
    assert desk_and_box.box.signed_calls.replays == 1


async def test_a_refused_call_uses_no_nonce(caller: SignedCaller) -> None:
    headers = caller.sign("POST", MINT, BODY)
    assert slug(await send(caller, headers, BODY + b" ")) == "signature-false"
    assert (await send(caller, headers)).status_code == 200


async def test_nonces_of_two_keys_do_not_meet(desk_and_box: Office, caller: SignedCaller) -> None:
    other = await signed_caller(desk_and_box, caller.client)
    nonce = message_signature.new_nonce()
    for each in (caller, other):
        assert (await send(each, each.sign("POST", MINT, BODY, nonce=nonce))).status_code == 200


async def test_old_nonces_are_forgotten(desk_and_box: Office, caller: SignedCaller) -> None:
    database = desk_and_box.box.database
    await send(caller, caller.sign("POST", MINT, BODY))
    row = await database.fetch_one("SELECT seen FROM message_nonce")
    assert row is not None
    await database.execute("UPDATE message_nonce SET seen = {}", row["seen"] - message_signature.NONCE_LIFE)
    await send(caller, caller.sign("POST", MINT, BODY))
    assert len(await database.fetch("SELECT seen FROM message_nonce")) == 1


@pytest.fixture
async def after_restart(office_url: str | None, tmp_path: Path) -> AsyncIterator[tuple[SignedCaller, dict[str, str]]]:
    """A call that was made just before the box was restarted, and the same caller before the new process."""
    async with (
        office(tmp_path, office_url) as made,
        httpx.AsyncClient(transport=httpx.ASGITransport(people_app(made.box)), base_url="https://box.test") as client,
    ):
        before = await signed_caller(made, client)
        headers = before.sign("POST", MINT, BODY)
        assert (await send(before, headers)).status_code == 200
    async with (
        reopened(tmp_path, office_url) as box,
        httpx.AsyncClient(transport=httpx.ASGITransport(people_app(box)), base_url="https://box.test") as client,
    ):
        yield SignedCaller(client, before.key_id, before.key), headers


async def test_a_replay_is_refused_across_a_restart(after_restart: tuple[SignedCaller, dict[str, str]]) -> None:
    caller, headers = after_restart
    assert slug(await send(caller, headers)) == "nonce-replayed"
    assert (await send(caller, caller.sign("POST", MINT, BODY))).status_code == 200


async def test_any_call_may_be_signed_instead_of_carrying_the_key(desk_and_box: Office, owner: Person) -> None:
    caller = await signed_caller(desk_and_box, owner.client)
    answer = await caller.get("/api/v1/me")
    assert (answer.status_code, answer.json()["account"]["id"]) == (200, str(desk_and_box.owner.id))
    made = await caller.post("/api/v1/cases/", {"number": "2026-0009", "title": "Signed"})
    assert made.status_code == 201, made.text


async def test_a_signed_call_is_no_other_call_and_no_second_one(desk_and_box: Office, owner: Person) -> None:
    caller = await signed_caller(desk_and_box, owner.client)
    headers = caller.sign("GET", "/api/v1/keys", b"")
    assert slug(await caller.client.get("/api/v1/me", headers=headers)) == "signature-false"
    assert (await caller.client.get("/api/v1/keys", headers=headers)).status_code == 200
    assert slug(await caller.client.get("/api/v1/keys", headers=headers)) == "nonce-replayed"


async def test_a_call_that_is_signed_and_carries_a_token_is_nobodys(desk_and_box: Office, owner: Person) -> None:
    caller = await signed_caller(desk_and_box, owner.client)
    headers = caller.sign("GET", "/api/v1/me", b"") | {"Authorization": f"Bearer {owner.key}"}
    assert slug(await caller.client.get("/api/v1/me", headers=headers)) == "unauthenticated"


async def test_a_key_for_signed_calls_only_opens_nothing_as_a_bearer(desk_and_box: Office, owner: Person) -> None:
    made, key = await desk_and_box.box.api_keys.create(
        desk_and_box.owner.id, "robot", rights=KeyRights(signed_only=True)
    )
    caller = SignedCaller(owner.client, made.id, message_signature.message_key(key.text))
    assert (await caller.get("/api/v1/me")).status_code == 200
    bearer = await owner.client.get("/api/v1/me", headers={"Authorization": f"Bearer {key.text}"})
    assert slug(bearer) == "unauthenticated"


async def test_a_signed_call_says_its_length_and_is_not_endless(desk_and_box: Office, owner: Person) -> None:
    caller = await signed_caller(desk_and_box, owner.client)

    async def pieces() -> AsyncIterator[bytes]:
        yield BODY

    headers = caller.sign("POST", "/api/v1/cases/", BODY)
    assert (await caller.client.post("/api/v1/cases/", content=pieces(), headers=headers)).status_code == 413
    headers["Content-Length"] = str(1 << 30)
    assert (await caller.client.post("/api/v1/cases/", content=b"x", headers=headers)).status_code == 413


async def test_calls_faster_than_their_pace_are_told_when_to_come_again(desk_and_box: Office) -> None:
    limits = RateLimits(Limits(identifiers=1), clock=lambda: 0.0)
    transport = httpx.ASGITransport(people_app(replace(desk_and_box.box, rate_limits=limits)))
    member = await desk_and_box.box.accounts.create("Sam Stranger", "paralegal", "a long enough passphrase")
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        caller = await signed_caller(desk_and_box, client)
        answers = [await send(caller, caller.sign("POST", MINT, BODY)) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "1"
        assert answers[2].json()["type"].endswith("too-many")
        other = await signed_caller(desk_and_box, client, member.id)
        assert (await send(other, other.sign("POST", MINT, BODY))).status_code == 200
