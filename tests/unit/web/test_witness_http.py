"""Witnesses over HTTP: the protocol for anybody, capped and paced; both lists for owners only."""

from uuid import uuid4

import httpx
import pytest

from deedbox_sync import note
from deedbox_sync.pace import Pace
from deedbox_sync.witness import BURST, MAX_REQUEST, SIZE_TYPE, encode_request
from kit.http_person import Person, stranger
from kit.listening import people_app
from kit.open_box import Office
from memory_witness import LOG_VKEY, ORIGIN, WITNESS, log_of

pytestmark = pytest.mark.anyio

ADD = "/witness/v1/add-checkpoint"


@pytest.fixture
async def owner(desk_and_box: Office) -> Person:
    _, key = await desk_and_box.box.api_keys.create(desk_and_box.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(desk_and_box.box))
    return Person(httpx.AsyncClient(transport=transport, base_url="https://box.test"), key.text)


async def test_anybody_may_have_a_watched_log_cosigned(desk_and_box: Office, owner: Person) -> None:
    vkey = (await owner.client.get("/witness/v1/key")).text.strip()
    assert note.parse_vkey(vkey).algorithm == note.COSIGNATURE_V1
    assert (await owner.client.post(ADD, content=encode_request(log_of(3).request(0)))).status_code == 404
    made = await owner.post("/api/v1/witness/logs", {"vkey": LOG_VKEY})
    assert (made.status_code, made.json()["origin"], made.json()["size"]) == (201, ORIGIN, 0)
    answer = await owner.client.post(ADD, content=encode_request(log_of(3).request(0)))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    signed = note.parse_note(log_of(3).checkpoint() + answer.text)
    assert note.verify_note(signed, [vkey]).keys() == {f"deedbox-witness/{note.parse_vkey(vkey).name[-32:]}"}
    listed = (await owner.get("/api/v1/witness/logs")).json()
    assert (listed["vkey"], listed["items"][0]["size"], listed["misbehaviour"]) == (vkey, 3, [])


async def test_a_conflict_tells_the_size_in_the_protocols_own_type(owner: Person) -> None:
    await owner.post("/api/v1/witness/logs", {"vkey": LOG_VKEY})
    await owner.client.post(ADD, content=encode_request(log_of(3).request(0)))
    answer = await owner.client.post(ADD, content=encode_request(log_of(5).request(0)))
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (409, SIZE_TYPE, "3\n")


async def test_a_fork_is_shown_to_owners_and_in_readiness(owner: Person) -> None:
    await owner.post("/api/v1/witness/logs", {"vkey": LOG_VKEY})
    await owner.client.post(ADD, content=encode_request(log_of(3).request(0)))
    forked = await owner.client.post(ADD, content=encode_request(log_of(3, "other").request(3)))
    assert forked.status_code == 409
    (found,) = (await owner.get("/api/v1/witness/logs")).json()["misbehaviour"]
    assert (found["kind"], found["note"], found["held"]) == (
        "fork",
        log_of(3, "other").checkpoint(),
        log_of(3).checkpoint(),
    )
    ready = (await owner.client.get("/health/ready")).json()
    assert (ready["status"], len(ready["alarms"])) == ("ready", 1)
    assert "forked" in ready["alarms"][0]


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"old 0\n\nnonsense", 400), (b"\xff", 400), (b"x" * (MAX_REQUEST + 1), 413)]
)
async def test_what_is_no_question_is_refused(owner: Person, body: bytes, status: int) -> None:
    assert (await owner.client.post(ADD, content=body)).status_code == status


async def test_a_flood_of_questions_is_slowed(owner: Person) -> None:
    statuses = [(await owner.client.post(ADD, content=b"")).status_code for _ in range(int(BURST) + 5)]
    assert statuses[: int(BURST)] == [400] * int(BURST)
    assert statuses[-1] == 429


async def test_the_log_keeps_its_cosignatures_and_serves_them(desk_and_box: Office, owner: Person) -> None:
    made = await owner.post("/api/v1/witnesses", {"vkey": WITNESS.vkey, "url": "https://witness.example/"})
    assert (made.status_code, made.json()["state"], made.json()["url"]) == (201, "new", "https://witness.example")
    signed = await desk_and_box.box.notary.checkpoint()
    assert (await owner.client.get("/log/checkpoint")).text == signed
    told = (await owner.get("/api/v1/witnesses")).json()
    assert (told["log"], told["quorum"], [item["name"] for item in told["items"]]) == (
        desk_and_box.box.notary.vkey,
        1,
        [WITNESS.name],
    )
    assert (
        await owner.client.delete(f"/api/v1/witnesses/{made.json()['id']}", headers=bearer(owner))
    ).status_code == 204
    assert (await owner.get("/api/v1/witnesses")).json()["items"] == []


async def test_only_owners_see_and_change_the_lists(desk_and_box: Office, owner: Person) -> None:
    member = await stranger(desk_and_box, owner)
    for path, body in (
        ("/api/v1/witness/logs", {"vkey": LOG_VKEY}),
        ("/api/v1/witnesses", {"vkey": WITNESS.vkey, "url": "https://witness.example/"}),
    ):
        assert (await member.get(path)).status_code == 403
        assert (await member.post(path, body)).status_code == 403
        assert (await owner.client.get(path)).status_code == 401
        gone = await owner.client.delete(f"{path}/{uuid4()}", headers=bearer(member))
        assert gone.status_code == 403
        assert (await owner.client.delete(f"{path}/{uuid4()}", headers=bearer(owner))).status_code == 404


@pytest.mark.parametrize("body", [{}, {"vkey": "x"}, {"vkey": LOG_VKEY, "more": 1}, {"vkey": WITNESS.vkey}])
async def test_a_log_asked_for_wrongly_is_refused(owner: Person, body: dict[str, object]) -> None:
    assert (await owner.post("/api/v1/witness/logs", body)).status_code == 400


def bearer(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}"}


def test_a_pace_is_so_much_at_once_and_then_so_much_a_second_for_each_and_for_all() -> None:
    now = 0.0
    pace = Pace(3, 1, lambda: now)
    assert [pace.allows("a") for _ in range(4)] == [True, True, True, False]
    assert pace.allows("b")
    now = 2.0
    assert [pace.allows("a") for _ in range(3)] == [True, True, False]
    now = 1_000.0
    assert [pace.allows(f"address {number}") for number in range(31)] == [True] * 30 + [False]
    assert sum(pace.allows(f"many {number}") for number in range(5_000)) == 0
