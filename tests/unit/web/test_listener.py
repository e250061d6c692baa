"""What every route has without saying so: HEAD, problem documents, conditional reading, shorter JSON, addresses that are text."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Response, get, post, route
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from deedbox_server.web.compression import MIN_LENGTH, compressed
from deedbox_server.web.conditional import conditional
from deedbox_server.web.listener import BoxRequest, Listener
from deedbox_server.web.problems import EXCEPTION_HANDLERS

pytestmark = pytest.mark.anyio

LONG = {"text": "deed " * MIN_LENGTH}


@get("/tagged/{name:str}")
async def tagged(name: FromPath[str]) -> Response[dict[str, str]]:
    return Response({"name": name}, headers={"ETag": '"v7"'})


@get("/long")
async def long() -> dict[str, str]:
    return LONG


@get("/short")
async def short() -> dict[str, str]:
    return {}


@get("/secret")
async def secret() -> Response[dict[str, str]]:
    return Response(LONG, headers={"Cache-Control": "no-store"})


@get("/stream", media_type="text/event-stream")
async def stream() -> Stream:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"data: x\n\n" * MIN_LENGTH

    return Stream(pieces(), media_type="text/event-stream")


@route("/own", http_method=["GET", "HEAD"], status_code=200)
async def own(request: BoxRequest) -> Response[bytes]:
    return Response(b"", headers={"x-method": request.method})


@post("/echo")
async def echo(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    return data


@get("/shared")
async def read_shared() -> dict[str, str]:
    return {}


@post("/shared")
async def write_shared() -> dict[str, str]:
    return {}


@get("/fault")
async def fault() -> None:
    raise RuntimeError("a secret")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Listener(
        [tagged, long, short, secret, stream, own, echo, fault, read_shared, write_shared],
        exception_handlers=EXCEPTION_HANDLERS,
        middleware=[compressed, conditional],
        request_class=BoxRequest,
        request_max_body_size=100_000,
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        yield client


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].removeprefix("urn:deedbox:problem:")


async def test_head_is_get_without_its_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/tagged/deed")
    assert (answer.status_code, answer.headers["etag"], answer.content) == (200, '"v7"', b"")
    assert answer.headers["content-length"] == (await client.get("/tagged/deed")).headers["content-length"]
    assert (await client.head("/own")).headers["x-method"] == "HEAD", "a route that answers HEAD itself does"
    assert (await client.head("/nothing")).status_code == 404
    assert (await client.head("/echo")).status_code == 405


async def test_options_say_what_is_allowed(client: httpx.AsyncClient) -> None:
    answer = await client.options("/tagged/deed")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, "GET, HEAD, OPTIONS", b"")


async def test_options_name_every_handler_of_a_shared_path(client: httpx.AsyncClient) -> None:
    assert (await client.options("/shared")).headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/tagged/deed")
    assert problem(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/nothing", "/tagged", "/tagged/a/b", "/..", "/%2e%2e/x", "//", "/TAGGED/x"])
async def test_an_unknown_route_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    assert problem(await client.get(path)) == (404, "not-found")


async def test_a_fault_tells_a_number_and_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fault")
    assert problem(answer) == (500, "fault")
    assert "secret" not in answer.text
    assert answer.json()["instance"].startswith("urn:uuid:")


@pytest.mark.parametrize(
    "target",
    [
        b"/tagged/a%00b",
        b"/tagged/%zz",
        b"/tagged/%",
        b"/tagged/%f",
        b"/tagged/x?q=%00",
        b"/tagged/x?q=%g1",
        b"/tagged/%ff",
    ],
)
async def test_an_address_that_is_no_text_is_a_bad_request(client: httpx.AsyncClient, target: bytes) -> None:
    url = httpx.URL("https://box.test").copy_with(raw_path=target)
    assert problem(await client.get(url)) == (400, "bad-request")
    assert (await client.head(url)).content == b""


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,", b"\xff\xfe", b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b"[" * 50_000, b"nul", b"[]"]
)
async def test_what_is_no_json_object_is_a_bad_request(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/echo", content=body, headers={"Content-Type": "application/json"})
    assert problem(answer) == (400, "bad-request")


async def test_an_escaped_backslash_before_u0000_is_no_nul(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", json={"a": "\\u0000"})
    assert answer.json() == {"a": "\\u0000"}


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json"])
async def test_another_type_than_json_is_refused_as_such(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/echo", content=b"{}", headers={"Content-Type": kind})
    assert problem(answer) == (415, "not-json")


async def test_a_body_has_its_limit(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", json={"a": "x" * 100_000})
    assert problem(answer) == (413, "too-large")


@pytest.mark.parametrize("tags", ['"v7"', 'W/"v7"', '"v1", "v7"', "*"])
async def test_who_has_the_newest_is_not_sent_it_again(client: httpx.AsyncClient, tags: str) -> None:
    for method in ("GET", "HEAD"):
        answer = await client.request(method, "/tagged/deed", headers={"If-None-Match": tags})
        assert (answer.status_code, answer.headers["etag"], answer.content) == (304, '"v7"', b"")
        assert "content-length" not in answer.headers


async def test_who_has_another_version_is_sent_this_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("/tagged/deed", headers={"If-None-Match": '"v6"'})
    assert (answer.status_code, answer.json()) == (200, {"name": "deed"})
    assert (await client.get("/short", headers={"If-None-Match": "*"})).status_code == 200, "it has no version"


async def raw(client: httpx.AsyncClient, path: str, accept: str, method: str = "GET") -> tuple[bytes, httpx.Headers]:
    async with client.stream(method, path, headers={"Accept-Encoding": accept}) as answer:
        return b"".join([piece async for piece in answer.aiter_raw()]), answer.headers


async def test_long_json_is_sent_shorter_to_who_takes_gzip(client: httpx.AsyncClient) -> None:
    plain, _ = await raw(client, "/long", "identity")
    for accept in ("gzip", "gzip;q=0.5", "br, gzip", "*"):
        packed, headers = await raw(client, "/long", accept)
        assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
        assert int(headers["content-length"]) == len(packed) < len(plain)
        assert gzip.decompress(packed) == plain


@pytest.mark.parametrize("path", ["/short", "/secret", "/stream", "/tagged/deed"])
async def test_short_secret_streamed_and_tagged_answers_go_as_they_are(client: httpx.AsyncClient, path: str) -> None:
    _, headers = await raw(client, path, "gzip")
    assert "content-encoding" not in headers


@pytest.mark.parametrize("accept", ["", "identity", "br", "gzip;q=0", "x-gzip"])
async def test_who_does_not_take_gzip_is_not_sent_it(client: httpx.AsyncClient, accept: str) -> None:
    _, headers = await raw(client, "/long", accept)
    assert "content-encoding" not in headers
