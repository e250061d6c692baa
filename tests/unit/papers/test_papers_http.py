"""Papers over HTTP: asked for, fetched again, listed; and walls that tell a stranger nothing."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import httpx
import pikepdf
import pytest

from deedbox_server.audit.report import Report
from deedbox_server.audit.run import Sources, audit
from kit.http_person import NAME, Person, stranger
from kit.listening import people_app
from kit.open_box import Office
from papers_made import text_of

pytestmark = pytest.mark.anyio
PAPERS = "/api/v1/papers"


@pytest.fixture
async def owner(desk_and_box: Office) -> AsyncIterator[Person]:
    box, desk = desk_and_box.box, desk_and_box.desk
    await box.intake.batch(desk.sender(desk_and_box.owner.id), [desk.item(NAME, b"content")], wait=0)
    await desk_and_box.settle()
    sequencer = desk_and_box.run_sequencer()
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(people_app(box)), base_url="https://box.test") as client:
        yield Person(client, key.text)
    sequencer.cancel()
    with suppress(asyncio.CancelledError):
        await sequencer


async def test_a_paper_is_made_fetched_again_and_listed(desk_and_box: Office, owner: Person) -> None:
    body = {"kind": "exhibit-list", "case": str(desk_and_box.case.id), "fields": {"docket": "1:26-cv-01234"}}
    made = await owner.post(PAPERS, body)
    assert made.status_code == 201 and made.headers["content-type"] == "application/pdf"
    again = await owner.get(made.headers["location"])
    assert again.content == made.content and again.headers["etag"] == f'"{hashlib.sha256(made.content).hexdigest()}"'
    (listed,) = (await owner.get(f"{PAPERS}?case={desk_and_box.case.id}")).json()["items"]
    assert listed["content"] == hashlib.sha256(made.content).hexdigest()
    record = (await owner.get(f"{made.headers['location']}/record")).json()
    assert record["exhibits"][0]["mark"] == "1" and record["signature"] == "B-B"
    notes = await owner.get(f"{made.headers['location']}/notes")
    assert "Notes for counsel" in text_of(notes.content)


async def test_the_log_commits_to_the_paper_and_the_audit_reads_it(desk_and_box: Office, owner: Person) -> None:
    made = await owner.post(PAPERS, {"kind": "exhibit-list", "case": str(desk_and_box.case.id)})
    paper = made.headers["deedbox-paper"]
    await desk_and_box.settle()
    entries = await desk_and_box.box.database.fetch("SELECT entry FROM log_entry ORDER BY seq DESC LIMIT 1")
    assert b'"kind":"paper.made"' in entries[0]["entry"] and b'"record":' in entries[0]["entry"]
    box, report = desk_and_box.box, Report()
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    assert not report.findings and report.counts["papers"] == 1, paper


async def test_a_paper_that_was_changed_in_the_database_is_found(desk_and_box: Office, owner: Person) -> None:
    await owner.post(PAPERS, {"kind": "exhibit-list", "case": str(desk_and_box.case.id)})
    await desk_and_box.settle()
    box, report = desk_and_box.box, Report()
    await box.database.execute("UPDATE paper SET content = {}", bytes(32))
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    assert {finding.what for finding in report.findings} == {
        "is not the paper that its record tells of",
        "has other bytes than were received",
    }


async def test_what_takes_longer_is_fetched_by_its_id(desk_and_box: Office, owner: Person) -> None:
    body = {"kind": "exhibit-list", "case": str(desk_and_box.case.id)}
    headers = {"authorization": f"Bearer {owner.key}", "prefer": "respond-async"}
    told = await owner.client.post(PAPERS, json=body, headers=headers)
    assert told.status_code == 202 and told.json()["state"] == "being-made"
    for _ in range(600):
        answer = await owner.get(told.headers["location"])
        if answer.status_code == 200:
            break
        assert answer.status_code == 202
        await asyncio.sleep(0.05)
    assert answer.content.startswith(b"%PDF")


async def test_a_draft_is_given_out_and_not_kept(desk_and_box: Office, owner: Person) -> None:
    case = str(desk_and_box.case.id)
    answer = await owner.post(PAPERS, {"kind": "certificate-902-14", "case": case, "draft": True})
    assert answer.status_code == 200
    with pikepdf.open(io.BytesIO(answer.content)) as opened:
        assert "/AcroForm" not in opened.Root
    assert (await owner.get(f"{PAPERS}?case={case}")).json()["items"] == []


async def test_each_kind_says_which_fields_it_wants(owner: Person) -> None:
    kinds = {kind["name"]: kind for kind in (await owner.get(f"{PAPERS}/kinds")).json()["items"]}
    assert len(kinds) == 12
    fields = {field["name"]: field for field in kinds["certificate-902-14"]["fields"]}
    assert fields["declarant"]["stated_by"] == "the declarant" and fields["executed_on"]["format"] == "date"
    assert kinds["custody-form"]["rows"]["columns"][0]["name"] == "when"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "certificate-901"}, "no such kind"),
        ({"fields": {"nonsense": "x"}}, "errors"),
        ({"fields": {"signed_on": "yesterday"}}, "not a day"),
        ({"numbering": "{nothing}"}, "numbering pattern"),
        ({"first": 0}, "numbers begin between"),
        ({"exhibits": [str(uuid4())]}, "exhibits of this case"),
        ({"exhibits": "all"}, "Expected"),
        ({"rows": [{"when": "now"}]}, "takes no rows"),
        ({"papers": [str(uuid4())]}, "A packet names"),
        ({"kind": "exhibit-copy", "draft": True}, "has no draft"),
    ],
)
async def test_what_cannot_be_made_is_a_problem_document(
    desk_and_box: Office, owner: Person, change: dict[str, object], words: str
) -> None:
    answer = await owner.post(PAPERS, {"kind": "exhibit-list", "case": str(desk_and_box.case.id)} | change)
    assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"
    assert words in answer.text


async def test_a_stranger_cannot_tell_a_paper_from_nothing(desk_and_box: Office, owner: Person) -> None:
    case = desk_and_box.case.id
    made = await owner.post(PAPERS, {"kind": "exhibit-list", "case": str(case)})
    where, nowhere = made.headers["location"], f"{PAPERS}/{uuid4()}"
    sam = await stranger(desk_and_box, owner)
    for path in ("", "/notes", "/record"):
        barred, absent = await sam.get(where + path), await sam.get(nowhere + path)
        assert (barred.status_code, barred.json()) == (absent.status_code, absent.json()) == (404, absent.json())
    for kind in ("exhibit-list", "custody-full", "exhibit-copy", "packet", "validation-report"):
        body = {"kind": kind, "case": str(case)}
        barred, absent = await sam.post(PAPERS, body), await sam.post(PAPERS, body | {"case": str(uuid4())})
        assert barred.status_code == 404 and barred.json() == absent.json()
    barred, absent = await sam.get(f"{PAPERS}?case={case}"), await sam.get(f"{PAPERS}?case={uuid4()}")
    assert barred.status_code == 404 and barred.json() == absent.json()


async def test_a_paper_under_way_is_shown_to_nobody_else(desk_and_box: Office, owner: Person) -> None:
    box = desk_and_box.box
    headers = {"authorization": f"Bearer {owner.key}", "prefer": "respond-async"}
    told = await owner.client.post(
        PAPERS, json={"kind": "exhibit-list", "case": str(desk_and_box.case.id)}, headers=headers
    )
    sam = await stranger(desk_and_box, owner)
    assert (await sam.get(told.headers["location"])).status_code == 404
    while (
        box.papers.making(desk_and_box.principal, uuid4()) is None
        and (await owner.get(told.headers["location"])).status_code == 202
    ):
        await asyncio.sleep(0.05)


async def test_without_a_key_there_is_nothing(owner: Person) -> None:
    assert (await owner.client.get(f"{PAPERS}/kinds")).status_code == 401
