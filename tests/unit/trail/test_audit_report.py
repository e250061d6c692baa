"""The audit report is a signed paper of what its reader may see, and the trail tells that it was made."""

from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pypdfium2 as pdfium
import pytest

from deedbox_server.errors import BadRequest
from deedbox_server.papers import audit_reports
from deedbox_server.trail import Asked
from deedbox_sync import audit_record, uuid7
from kit.http_person import CONTENT, NAME, Person
from kit.listening import people_app
from kit.open_box import Office

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(desk_and_box: Office) -> AsyncIterator[Person]:
    box = desk_and_box.box
    item = desk_and_box.desk.item(NAME, CONTENT)
    await box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
    await desk_and_box.settle()
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(box), client=("192.0.2.44", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        yield Person(client, key.text)


def words_of(pdf: bytes) -> str:
    """What the pages say, with single spaces."""
    with pdfium.PdfDocument(pdf) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return " ".join(" ".join(pages).replace("\N{ZERO WIDTH SPACE}", "").split())


async def test_a_report_says_who_did_what_and_is_signed_and_told_of(desk_and_box: Office, owner: Person) -> None:
    case = desk_and_box.case
    nowhere = uuid7.new()
    await owner.get(f"/api/v1/cases/{case.id}")
    await owner.get(f"/api/v1/cases/{nowhere}")
    await desk_and_box.box.trail.flush()
    await desk_and_box.settle()
    answer = await owner.client.post("/api/v1/audit/report", headers={"Authorization": f"Bearer {owner.key}"})
    assert answer.status_code == 200, answer.text
    text = words_of(answer.content)
    for words in (
        "Audit Report",
        "Olivia Owner",
        "192.0.2.44",
        case.number,
        "case.read",
        "Was refused",
        "not-found, once",
    ):
        assert words in text
    assert "exhibit.received" in text
    assert desk_and_box.box.notary.origin in text.replace(" ", "")
    assert b"/ETSI.CAdES.detached" in answer.content
    (row,) = await desk_and_box.box.database.fetch(
        "SELECT record FROM audit_record WHERE operation = 'audit.read' AND outcome = 'changed'"
    )
    assert audit_record.parse(row["record"]).detail["content"] == sha256(answer.content).hexdigest()


async def test_a_report_of_nothing_says_so(desk_and_box: Office) -> None:
    made = await desk_and_box.box.audit_reports.make(desk_and_box.principal, Asked(operation="no.such"))
    assert "There is none." in words_of(made)


async def test_a_report_of_too_much_is_refused(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_reports, "MAX_ROWS", 2)
    async with desk_and_box.box.database.transaction():
        for _ in range(3):
            await desk_and_box.box.trail.changed(desk_and_box.principal, "case.write", case=desk_and_box.case.id)
    with pytest.raises(BadRequest):
        await desk_and_box.box.audit_reports.make(desk_and_box.principal, Asked(case=desk_and_box.case.id))
