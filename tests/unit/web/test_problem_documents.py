"""Every error is a problem document, and says nothing that is not for the caller."""

import logging
from uuid import UUID, uuid4

import msgspec
import pytest
from litestar import Litestar, Request, get, post
from litestar.exceptions import HTTPException, InternalServerException, TooManyRequestsException
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.testing import AsyncTestClient

from deedbox_server import errors
from deedbox_server.database import DatabaseError
from deedbox_server.web.problems import EXCEPTION_HANDLERS, MEDIA_TYPE
from deedbox_server.web.refusals import Refusals
from deedbox_server.web.tls import REFUSALS_EXTENSION
from deedbox_sync.errors import FormatError, ProofError

SECRET = "Marlowe v. Marlowe"
PREFIX = "urn:deedbox:problem:"


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int


RAISED: dict[str, Exception] = {}


@get("/raise/{what:str}")
async def raise_it(what: FromPath[str]) -> None:
    raise RAISED[what]


@get("/thing/{thing:uuid}")
async def look(thing: FromPath[UUID]) -> None:
    raise errors.NotFound


@get("/limited")
async def limited(limit: FromQuery[int]) -> int:
    return limit


@post("/thing")
async def make(data: JSONBody[Thing]) -> str:
    return data.name


@post("/bytes", request_max_body_size=10)
async def take(request: Request) -> None:
    await request.body()


class Scoped:
    """Hands the counter in as the listener's protocol does."""

    def __init__(self, app, refusals):
        self.app, self.refusals = app, refusals

    async def __call__(self, scope, receive, send):
        scope["extensions"] = {REFUSALS_EXTENSION: {"to": self.refusals}}
        await self.app(scope, receive, send)


@pytest.fixture
def refusals():
    return Refusals()


@pytest.fixture
async def client(refusals):
    app = Litestar(
        [raise_it, look, limited, make, take],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
        middleware=[lambda app: Scoped(app, refusals)],
    )
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        yield client


async def raising(client, error):
    RAISED["it"] = error
    return await client.get("/raise/it")


def problem(reply):
    assert reply.headers["content-type"] == MEDIA_TYPE
    body = reply.json()
    assert body["status"] == reply.status_code
    assert body["type"].startswith(PREFIX) and body["title"]
    return body


def subclasses(kind):
    return [kind, *(each for sub in kind.__subclasses__() for each in subclasses(sub))]


def an_error(kind):
    if kind is errors.OffsetMismatch:
        return kind(7)
    if issubclass(kind, errors.TooMany):
        return kind("said so", 2)
    return kind(7) if kind is errors.JournalGap else kind("said so")


@pytest.mark.parametrize("kind", [kind for kind in subclasses(errors.DeedboxError) if kind.status != 500])
async def test_every_error_of_ours_is_its_own_document(client, kind):
    error = an_error(kind)
    body = problem(await raising(client, error))
    assert (body["type"], body["status"], body["detail"]) == (PREFIX + kind.slug, kind.status, error.detail)
    assert {name: body[name] for name in error.extra} == dict(error.extra)


async def test_an_error_cannot_overwrite_what_every_document_has(client):
    body = problem(await raising(client, errors.Conflict("x", status=200, type="y", title="z", expected=3)))
    assert (body["status"], body["type"], body["expected"]) == (409, PREFIX + "conflict", 3)


async def test_an_unknown_route_reads_as_an_unknown_thing_and_as_a_bad_id(client):
    replies = [await client.get(path) for path in (f"/thing/{uuid4()}", "/nowhere", "/thing/not-an-id")]
    assert len({reply.text for reply in replies}) == 1
    assert problem(replies[0])["type"] == PREFIX + "not-found"


async def test_a_wrong_method_says_which_are_right(client):
    reply = await client.put("/thing")
    assert problem(reply)["type"] == PREFIX + "method-not-allowed"
    assert "POST" in reply.headers["allow"]


@pytest.mark.parametrize(
    ("body", "where"),
    [({"name": "x"}, "count"), ({"name": 7, "count": 1}, "name"), ({"name": "x", "count": 1, "z": 1}, "")],
)
async def test_a_wrong_body_is_told_where_and_never_what_it_said(client, body, where):
    reply = await client.post("/thing", json=body | {"name": SECRET} if body["name"] == "x" else body)
    document = problem(reply)
    assert document["type"] == PREFIX + "bad-request"
    assert where in reply.text
    assert SECRET not in reply.text


async def test_a_wrong_query_is_told_where(client):
    document = problem(await client.get("/limited?limit=many"))
    assert document["errors"][0]["where"] == "limit"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_json_is_a_bad_request(client, content):
    reply = await client.post("/thing", content=content, headers={"content-type": "application/json"})
    assert problem(reply)["type"] == PREFIX + "bad-request"


async def test_a_body_over_the_limit_is_too_large(client):
    assert problem(await client.post("/bytes", content=b"x" * 11))["type"] == PREFIX + "too-large"


async def test_a_body_that_does_not_parse_is_a_bad_request(client):
    body = problem(await raising(client, FormatError("offer.name", "is not one line")))
    assert (body["type"], body["detail"]) == (PREFIX + "bad-request", "offer.name: is not one line")


async def test_a_sender_that_goes_away_is_no_incident(client, caplog):
    with caplog.at_level(logging.INFO, "deedbox.web"):
        reply = await raising(client, InternalServerException("client disconnected prematurely"))
    assert problem(reply)["type"] == PREFIX + "bad-request"
    assert not [record for record in caplog.records if record.name == "deedbox.web"]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(SECRET),
        KeyError(SECRET),
        ProofError(SECRET),
        DatabaseError(SECRET),
        HTTPException(SECRET, status_code=500, extra={"sql": SECRET}),
        InternalServerException(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_fault_of_ours_has_a_number_and_nothing_else(client, caplog, error):
    error.__cause__ = ValueError(SECRET)
    with caplog.at_level(logging.ERROR, "deedbox.web"):
        reply = await raising(client, error)
    body = problem(reply)
    incident = body["instance"].removeprefix("urn:uuid:")
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name == "deedbox.web")
    assert (reply.status_code, body["type"]) == (500, PREFIX + "fault")
    assert str(UUID(incident)) in logged
    assert type(error).__name__ in logged and "ValueError" in logged and "raise_it" in logged
    assert SECRET not in reply.text + logged


async def test_other_answers_of_the_framework_are_documents_too(client):
    body = problem(await raising(client, TooManyRequestsException()))
    assert body["type"] == PREFIX + "too-many-requests"


async def test_strangers_are_counted_and_people_who_err_are_not(client, refusals):
    for error in (errors.Unauthenticated(), errors.Unauthenticated(), errors.DeviceRevoked()):
        await raising(client, error)
    for error in (errors.NotFound(), errors.Denied(), errors.BadRequest(), RuntimeError()):
        await raising(client, error)
    assert refusals.take() == {"unauthenticated": 2, "device-revoked": 1}
    assert refusals.take() == {}


async def test_who_is_not_signed_in_is_told_how(client):
    assert (await raising(client, errors.Unauthenticated())).headers["www-authenticate"] == "Bearer"
