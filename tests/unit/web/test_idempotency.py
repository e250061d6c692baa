"""A JSON POST under an idempotency key is carried out once, and its answer given again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Response, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody

from deedbox_server.database import Database
from deedbox_server.errors import Unavailable
from deedbox_server.people.principal import Principal
from deedbox_server.web import idempotency
from deedbox_server.web.idempotency import KeptAnswer, Repeats, keeping, provide_once, replay
from deedbox_server.web.listener import BoxRequest, Listener
from deedbox_server.web.problems import EXCEPTION_HANDLERS
from people_box import SetClock

pytestmark = pytest.mark.anyio

ADA, BOB = UUID(int=1), UUID(int=2)
Handler = Callable[[dict[str, Any]], Any]


class Desk:
    """Something that counts what is done to it."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()


@asynccontextmanager
async def served(database: Database, desk: Desk, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    """A listener with one call that does what its body says."""

    @post("/things", status_code=201)
    async def thing(data: JSONBody[dict[str, Any]], principal: NamedDependency[Principal]) -> Response[Any]:
        desk.entered.set()
        await desk.gate.wait()
        desk.done.append((principal.name, data["name"]))
        match data["name"]:
            case "refused":
                raise Unavailable("not now")
            case "fault":
                raise RuntimeError("a fault of ours")
            case "secret":
                return Response({"key": "dbx_secret"}, headers={"Cache-Control": "no-store"})
            case "long":
                return Response({"text": "x" * idempotency.MAX_BODY})
        return Response({"number": len(desk.done)}, headers={"Location": f"/things/{len(desk.done)}", "ETag": '"v1"'})

    async def who(request: BoxRequest) -> Principal:
        name = request.headers.get("x-name", "ada")
        account = ADA if name == "ada" else BOB
        scopes = frozenset({"case:write"}) if "x-via" in request.headers else None
        via = request.headers.get("x-via", "session")
        return Principal("account", account, None, name, via, "attorney", scopes=scopes)

    repeats = Repeats(database, clock)
    app = Listener(
        [thing],
        dependencies={
            "identified": Provide(who),
            "principal": Provide(provide_once),
            "repeats": Provide(lambda: repeats, sync_to_thread=False, use_cache=True),
        },
        exception_handlers={**EXCEPTION_HANDLERS, KeptAnswer: replay},
        middleware=[keeping(repeats)],
        request_class=BoxRequest,
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        yield client


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def client(database: Database, desk: Desk, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    async with served(database, desk, clock) as client:
        yield client


async def ask(client: httpx.AsyncClient, name: str, key: str | None = "k", **headers: str) -> httpx.Response:
    under = {} if key is None else {"Idempotency-Key": key}
    return await client.post("/things", json={"name": name}, headers=under | headers)


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rsplit(":", 1)[-1]


async def test_the_same_again_is_the_same_answer_and_no_second_act(client: httpx.AsyncClient, desk: Desk) -> None:
    first, second = await ask(client, "deed"), await ask(client, "deed")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    for name in ("content-type", "location", "etag"):
        assert second.headers[name] == first.headers[name]
    assert ("deedbox-repeated" in first.headers, second.headers["deedbox-repeated"]) == (False, "true")
    assert desk.done == [("ada", "deed")]


async def test_without_a_key_each_call_is_one_of_its_own(client: httpx.AsyncClient, desk: Desk) -> None:
    await ask(client, "deed", None)
    await ask(client, "deed", None)
    assert len(desk.done) == 2


async def test_the_same_key_for_something_else_is_refused(client: httpx.AsyncClient, desk: Desk) -> None:
    await ask(client, "deed")
    other = await ask(client, "will")
    assert (other.status_code, kind(other)) == (422, "key-reused")
    assert (
        await client.post("/things?x=1", json={"name": "deed"}, headers={"Idempotency-Key": "k"})
    ).status_code == 422
    assert len(desk.done) == 1


async def test_keys_are_of_one_principal_and_of_one_api_key(client: httpx.AsyncClient, desk: Desk) -> None:
    await ask(client, "deed")
    await ask(client, "deed", **{"X-Name": "bob"})
    await ask(client, "deed", **{"X-Via": "api-key:aa"})
    await ask(client, "deed", **{"X-Via": "api-key:bb"})
    assert [name for name, _ in desk.done] == ["ada", "bob", "ada", "ada"]


async def test_while_the_first_is_under_way_the_second_is_told_to_wait(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.gate.clear()
    first = asyncio.create_task(ask(client, "deed"))
    await desk.entered.wait()
    second = await ask(client, "deed")
    assert (second.status_code, kind(second), second.headers["retry-after"]) == (409, "still-running", "1")
    desk.gate.set()
    assert (await first).status_code == 201
    assert (await ask(client, "deed")).content == (await first).content


async def test_what_was_refused_may_be_asked_again(client: httpx.AsyncClient, desk: Desk) -> None:
    assert [(await ask(client, "refused")).status_code for _ in range(2)] == [503, 503]
    assert len(desk.done) == 2, "nothing was done, so nothing is kept"
    assert (await ask(client, "deed")).status_code == 201


async def test_what_was_answered_with_a_fault_is_not_known(client: httpx.AsyncClient, desk: Desk) -> None:
    assert (await ask(client, "fault")).status_code == 500
    again = await ask(client, "fault")
    assert (again.status_code, kind(again)) == (409, "outcome-unknown")
    assert len(desk.done) == 1


async def test_a_box_that_dies_between_act_and_answer_says_that_nobody_knows(
    database: Database, desk: Desk, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_given: object) -> None:
        raise asyncio.CancelledError

    async with served(database, desk, clock) as client:
        with monkeypatch.context() as torn:
            torn.setattr(Repeats, "keep", die)
            with pytest.raises(asyncio.CancelledError):
                await ask(client, "deed")
    async with served(database, desk, clock) as restarted:
        again = await ask(restarted, "deed")
    assert (again.status_code, kind(again)) == (409, "outcome-unknown")
    assert "look" in again.json()["detail"]
    assert len(desk.done) == 1


async def test_kept_answers_outlast_a_restart(database: Database, desk: Desk, clock: SetClock) -> None:
    async with served(database, desk, clock) as client:
        first = await ask(client, "deed")
    async with served(database, desk, clock) as restarted:
        assert (await ask(restarted, "deed")).content == first.content
    assert len(desk.done) == 1


@pytest.mark.parametrize("name", ["secret", "long"])
async def test_a_secret_or_long_answer_is_not_kept_and_the_act_not_repeated(
    client: httpx.AsyncClient, desk: Desk, database: Database, name: str
) -> None:
    assert (await ask(client, name)).status_code == 201
    again = await ask(client, name)
    assert (again.status_code, kind(again)) == (409, "answer-not-kept")
    assert len(desk.done) == 1
    (row,) = await database.fetch("SELECT body FROM kept_answer")
    assert row["body"] is None


async def test_after_a_day_a_key_is_forgotten(
    client: httpx.AsyncClient, desk: Desk, clock: SetClock, database: Database
) -> None:
    await ask(client, "deed")
    clock.pass_time(hours=23, minutes=59)
    await ask(client, "deed")
    assert len(desk.done) == 1
    clock.pass_time(minutes=6)
    await ask(client, "deed", "other")
    assert len(await database.fetch("SELECT id FROM kept_answer")) == 1, "the old one was swept"
    await ask(client, "deed")
    assert len(desk.done) == 3


async def test_one_asker_has_a_bounded_number_of_keys(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MAX_KEPT", 2)
    statuses = [(await ask(client, "deed", str(number))).status_code for number in range(3)]
    assert statuses == [201, 201, 429]
    assert len(desk.done) == 2
    assert (await ask(client, "deed", "0")).status_code == 201, "those that are kept are answered"


@pytest.mark.parametrize("key", ["", "x" * 256, "white space", "ümlaut"])
async def test_a_key_is_1_to_255_printable_characters(client: httpx.AsyncClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]
    assert (await client.post("/things", json={"name": "deed"}, headers=headers)).status_code == 400


async def test_two_keys_at_once_are_none(client: httpx.AsyncClient, desk: Desk) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert (await client.post("/things", json={"name": "deed"}, headers=headers)).status_code == 400
    assert desk.done == []
