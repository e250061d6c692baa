"""The service's calls over real TLS, while its box is away: identifiers at once for who may ask, a plain no for who may not."""

from __future__ import annotations

import json
import os
import ssl
import time
from typing import Any
from uuid import UUID

import httpx
import pytest

from deedbox_fallback.limits import MAX_BODY
from deedbox_sync import identifier
from deedbox_sync.canonical_json import Fields
from deedbox_sync.identifier import MAX_BATCH
from kit.local_fallback import LocalFallback
from kit.waiting import until

CONTENT = bytes(range(32))
PATH = "/api/v2/fallback/request"


def body_of(*contents: bytes) -> bytes:
    return json.dumps({"items": [{"content": content.hex()} for content in contents]}).encode()


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:deedbox:problem:")


def test_an_identifier_comes_at_once_and_holds(fallback: LocalFallback) -> None:
    one, two = fallback.records(CONTENT, CONTENT)
    for told in (one, two):
        record = identifier.read_record(Fields(told, "record"))
        identifier.verify_record(record)
        assert (record.content, record.beacon) == (CONTENT, None)
        assert record.key.hex() == fallback.status()["key"]
    assert one["id"] != two["id"]


def test_the_status_tells_key_counts_and_box_to_anybody(fallback: LocalFallback) -> None:
    before = fallback.status()
    fallback.records(CONTENT, CONTENT, CONTENT)
    after = fallback.status()
    assert (after["minted"] - before["minted"], after["waiting"] - before["waiting"]) == (3, 3)
    assert after["namespace"].startswith("fallback/")
    assert after["beacon"] is None
    away = until(lambda: fallback.status()["box"]["since"] and fallback.status()["box"], "a first look", seconds=20)
    assert away["reachable"] is False


def test_a_thousand_in_one_call_and_no_more(fallback: LocalFallback) -> None:
    assert len({record["id"] for record in fallback.records(*[CONTENT] * MAX_BATCH)}) == MAX_BATCH
    assert problem(fallback.request(*[CONTENT] * (MAX_BATCH + 1))) == (400, "bad-request")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"items":[]}', b'{"items":[{"content":"00"}]}', b'{"items":[{}],"x":1}', b"[" * 9999]
)
def test_other_bodies_are_refused_and_leave_nothing(fallback: LocalFallback, body: bytes) -> None:
    before = fallback.status()["minted"]
    answer = fallback.http.post(PATH, content=body, headers=fallback.signed(body))
    assert problem(answer) == (400, "bad-request")
    assert fallback.status()["minted"] == before


def test_a_large_body_is_refused_before_anything_else(fallback: LocalFallback) -> None:
    assert problem(fallback.http.post(PATH, content=bytes(MAX_BODY + 1))) == (413, "too-large")


def test_a_call_without_signature_is_refused(fallback: LocalFallback) -> None:
    assert problem(fallback.http.post(PATH, content=body_of(CONTENT))) == (401, "signature-missing")


def test_a_call_over_another_body_is_refused(fallback: LocalFallback) -> None:
    headers = fallback.signed(body_of(CONTENT))
    assert problem(fallback.http.post(PATH, content=body_of(bytes(32)), headers=headers)) == (401, "signature-false")


def test_a_call_signed_for_another_path_or_query_is_refused(fallback: LocalFallback) -> None:
    body = body_of(CONTENT)
    elsewhere = fallback.signed(body, path="/api/v2/chittyid/mint")
    assert problem(fallback.http.post(PATH, content=body, headers=elsewhere)) == (401, "signature-false")
    assert problem(fallback.http.post(f"{PATH}?x=1", content=body, headers=fallback.signed(body))) == (
        401,
        "signature-false",
    )


def test_an_unknown_key_looks_like_a_false_signature(fallback: LocalFallback) -> None:
    body = body_of(CONTENT)
    headers = fallback.signed(body)
    headers["Signature-Input"] = headers["Signature-Input"].replace(
        str(fallback.caller), "0190a000-0000-7000-8000-000000000009"
    )
    assert problem(fallback.http.post(PATH, content=body, headers=headers)) == (401, "signature-false")


def test_other_forms_of_the_headers_are_refused(fallback: LocalFallback) -> None:
    body = body_of(CONTENT)
    headers = fallback.signed(body) | {"Signature": "deedbox=:AAAA:"}
    assert problem(fallback.http.post(PATH, content=body, headers=headers)) == (401, "signature-malformed")


@pytest.mark.parametrize("off", [-70, 70])
def test_a_call_from_another_minute_is_refused_and_told_the_time(fallback: LocalFallback, off: int) -> None:
    body = body_of(CONTENT)
    answer = fallback.http.post(PATH, content=body, headers=fallback.signed(body, created=time.time() + off))
    assert problem(answer) == (401, "signature-expired")
    assert answer.json()["time"].endswith("Z")


def test_the_same_call_again_is_refused(fallback: LocalFallback) -> None:
    body = body_of(CONTENT)
    headers = fallback.signed(body)
    assert fallback.http.post(PATH, content=body, headers=headers).status_code == 200
    assert problem(fallback.http.post(PATH, content=body, headers=headers)) == (401, "nonce-replayed")


def test_a_key_is_refused_once_it_is_removed(fallback: LocalFallback) -> None:
    told = json.loads(fallback.command("add-key", "--name", "for a moment"))
    body = body_of(CONTENT)

    def ask() -> httpx.Response:
        headers = fallback.signed(body, key_id=UUID(told["id"]), text=told["key"])
        return fallback.http.post(PATH, content=body, headers=headers)

    assert ask().status_code == 200
    fallback.command("remove-key", told["id"])
    assert problem(ask()) == (401, "signature-false")
    assert [json.loads(line)["id"] for line in fallback.command("keys").splitlines()] == [str(fallback.caller)]


def test_other_routes_are_nothing(fallback: LocalFallback) -> None:
    assert problem(fallback.http.get("/")) == (404, "not-found")
    assert problem(fallback.http.get(PATH)) == (405, "method-not-allowed")


def test_it_speaks_no_older_tls(fallback: LocalFallback) -> None:
    context = ssl.create_default_context(cafile=str(fallback.secrets / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        httpx.Client(base_url=fallback.http.base_url, verify=context, trust_env=False) as old,
        pytest.raises(httpx.ConnectError),
    ):
        old.get("/api/v2/fallback/status")


def test_no_secret_and_no_content_is_in_the_log_or_plain_on_the_disk(fallback: LocalFallback) -> None:
    content = os.urandom(32)
    (record,) = fallback.records(content)
    texts = [content.hex(), record["id"], (fallback.secrets / "caller-key").read_text().strip()]
    log = fallback.log.read_text()
    assert not [text for text in texts if text in log]
    needles: list[Any] = [content, *(text.encode() for text in texts)]
    for file in fallback.data.iterdir():
        data = file.read_bytes()
        assert not [needle for needle in needles if needle in data], file.name
