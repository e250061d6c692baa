"""Evidence in one request: fields, then the file, straight into the vault; all or nothing. On both databases."""

import hashlib
import itertools
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.errors import BadRequest, TooLarge
from deedbox_server.web.multipart import fields_before_file, file_bytes, form_events
from kit.listening import people_app
from kit.names import AWKWARD, NOT_UNICODE, of_every_script
from kit.open_box import Office

pytestmark = pytest.mark.anyio

PATH = "/api/v1/evidence"
BOUNDARY = "----tests7MA4YWxkTrZu0gW"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(name: str, content: bytes, filename: bytes | None = None, media_type: str | None = None) -> bytes:
    head = b'Content-Disposition: form-data; name="' + name.encode() + b'"'
    if filename is not None:
        quoted = filename.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b'"', b"%22")  # as browsers do
        head += b'; filename="' + quoted + b'"'
    if media_type is not None:
        head += f"\r\nContent-Type: {media_type}".encode()
    return b"--" + BOUNDARY.encode() + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


END = b"--" + BOUNDARY.encode() + b"--\r\n"


class Sender:
    def __init__(self, client: httpx.AsyncClient, office: Office, key: str) -> None:
        self.client = client
        self.office = office
        self.headers = {"Authorization": f"Bearer {key}"}

    @property
    def case(self) -> bytes:
        return part("case", str(self.office.case.id).encode())

    async def post(self, body: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(PATH, content=body, headers=self.headers | FORM | given)

    async def exhibits(self) -> list:
        return await self.office.box.exhibits.page(self.office.principal, limit=500)


@pytest.fixture
async def sender(desk_and_box: Office) -> AsyncIterator[Sender]:
    _, key = await desk_and_box.box.api_keys.create(desk_and_box.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(desk_and_box.box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        yield Sender(client, desk_and_box, key.text)


def slug(reply: httpx.Response) -> str:
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    return str(reply.json()["type"]).removeprefix("urn:deedbox:problem:")


async def test_a_form_becomes_an_exhibit_and_the_answer_names_it(sender: Sender) -> None:
    content = os.urandom(300_000)
    labels = part("labels", b"bank\n2026") + part("labels", "für später".encode())
    reply = await sender.post(sender.case + labels + part("file", content, b"a.pdf", "application/pdf") + END)
    assert reply.status_code == 201
    (exhibit,) = await sender.exhibits()
    assert reply.json() == {
        "case": str(sender.office.case.id),
        "content": hashlib.sha256(content).hexdigest(),
        "id": str(exhibit.id),
        "name": "a.pdf",
        "receipt": f"{PATH}/{exhibit.id}/receipt",
        "size": 300_000,
    }
    assert reply.headers["location"] == f"{PATH}/{exhibit.id}"
    assert reply.headers["deedbox-exhibit"] == str(exhibit.id)
    assert reply.headers["deedbox-receipt"] == f"{PATH}/{exhibit.id}/receipt"
    assert (exhibit.labels, exhibit.media_type) == (("bank", "2026", "für später"), "application/pdf")
    assert not exhibit.captured_by_desk
    sequencer = sender.office.run_sequencer()
    try:
        receipt = await sender.client.get(reply.headers["deedbox-receipt"], headers=sender.headers)
    finally:
        sequencer.cancel()
    assert receipt.json().keys() == {"entry", "openings", "proof", "v"}


async def test_an_ordinary_client_s_form_is_understood(sender: Sender) -> None:
    """httpx makes its own: a second implementation of the form."""
    reply = await sender.client.post(
        PATH,
        data={"case": str(sender.office.case.id)},
        files={"file": ("Straße 文書.txt", b"text", "text/plain")},
        headers=sender.headers,
    )
    assert (reply.status_code, reply.json()["name"]) == (201, "Straße 文書.txt")


async def test_any_bytes_arrive_as_they_are(sender: Sender) -> None:
    for content in (b"", b"\r\n", b"--", b"\r\n--" + BOUNDARY.encode()[:-1], b"\0" * 70_000):
        reply = await sender.post(sender.case + part("file", content, b"x") + END)
        assert reply.json()["content"] == hashlib.sha256(content).hexdigest()


async def test_names_of_every_script_are_kept_as_they_are(sender: Sender) -> None:
    # Without what a form's head gives another meaning: backslash and percent signs are quoted differently by each client.
    names = [name for name in (*of_every_script()[::12], *AWKWARD) if "\\" not in name and "%" not in name]
    for name in names:
        reply = await sender.post(sender.case + part("file", b"x", name.encode()) + END)
        assert reply.status_code == 201, (name, reply.text)
    assert [exhibit.name for exhibit in await sender.exhibits()] == names


async def test_names_that_are_not_text_are_kept_raw(sender: Sender) -> None:
    for name in NOT_UNICODE:
        assert (await sender.post(sender.case + part("file", b"x", name) + END)).status_code == 201
    names = [exhibit.name for exhibit in await sender.exhibits()]
    assert names == [name.decode("utf-8", "replace") for name in NOT_UNICODE]


async def test_the_fields_name_and_type_count_before_the_part_s_own(sender: Sender) -> None:
    fields = part("filename", rb"..\100%.weird") + part("filetype", b"text/csv")
    reply = await sender.post(sender.case + fields + part("file", b"x", b"other.txt", "text/plain") + END)
    assert reply.json()["name"] == r"..\100%.weird"
    assert (await sender.exhibits())[0].media_type == "text/csv"


async def test_under_a_key_the_same_again_is_the_same_exhibit(sender: Sender) -> None:
    body = sender.case + part("file", b"x", b"a") + END
    first = await sender.post(body, Idempotency_Key="order-66")
    again = await sender.post(body, Idempotency_Key="order-66")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = await sender.post(sender.case + part("file", b"y", b"a") + END, Idempotency_Key="order-66")
    assert (other.status_code, slug(other)) == (422, "key-reused")
    assert len(await sender.exhibits()) == 1


BROKEN = {
    "no file": ("{case}", END),
    "no case": ("", part("file", b"x", b"a") + END),
    "no end": ("{case}", part("file", b"x", b"a")),
    "cut head": ("{case}", part("file", b"x", b"a")[:40]),
    "two files": ("{case}", part("file", b"x", b"a") + part("file", b"y", b"b") + END),
    "a field after the file": ("{case}", part("file", b"x", b"a") + part("labels", b"late") + END),
    "an unknown field": ("{case}", part("supersedes", b"x") + part("file", b"x", b"a") + END),
    "a field twice": ("{case}{case}", part("file", b"x", b"a") + END),
    "a case that is none": ("", part("case", b"7") + part("file", b"x", b"a") + END),
    "nothing": ("", b""),
    "no form": ("", b"hello"),
}


async def test_a_form_that_is_not_whole_leaves_nothing(sender: Sender) -> None:
    for what, (first, rest) in BROKEN.items():
        reply = await sender.post(first.encode().replace(b"{case}", sender.case) + rest)
        assert (reply.status_code, slug(reply)) == (400, "bad-request"), what
        for table in ("exhibit", "upload", "deskless_upload", "blob"):
            assert await sender.office.box.database.fetch(f"SELECT * FROM {table}") == [], what


async def test_fields_without_end_are_not_held(sender: Sender) -> None:
    for body in (part("labels", b"x\n" * 5_000), b"".join(part("labels", b"x") for _ in range(100))):
        reply = await sender.post(sender.case + body + part("file", b"x", b"a") + END)
        assert (reply.status_code, slug(reply)) == (413, "too-large")


async def test_another_type_of_body_is_refused(sender: Sender) -> None:
    for kind in ("application/json", "multipart/mixed; boundary=x", ""):
        reply = await sender.post(b"{}", Content_Type=kind)
        assert (reply.status_code, slug(reply)) == (415, "form-type"), kind
    for boundary in ("", "x" * 71):
        reply = await sender.post(b"", Content_Type=f"multipart/form-data; boundary={boundary}")
        assert (reply.status_code, slug(reply)) == (400, "bad-request"), boundary


async def test_a_key_that_is_none_is_refused(sender: Sender) -> None:
    body = sender.case + part("file", b"x", b"a") + END
    for key in ("", "x" * 256, "with space", "ü"):
        headers = [*sender.headers.items(), *FORM.items(), ("Idempotency-Key", key.encode("latin-1"))]
        reply = await sender.client.post(PATH, content=body, headers=headers)
        assert (reply.status_code, slug(reply)) == (400, "bad-request"), key


async def test_who_may_not_send_to_a_case_learns_nothing_of_it(sender: Sender) -> None:
    office = sender.office
    account = await office.box.accounts.create("Max Member", "paralegal", "correct horse battery staple")
    _, key = await office.box.api_keys.create(account.id, "tests")
    member = Sender(sender.client, office, key.text)
    barred = await member.post(member.case + part("file", b"x", b"a") + END)
    none = await member.post(part("case", str(office.desk.device).encode()) + part("file", b"x", b"a") + END)
    assert barred.status_code == none.status_code == 404
    assert barred.json() == none.json()
    (await sender.post(sender.case + part("file", b"x", b"a") + END)).raise_for_status()
    (exhibit,) = await sender.exhibits()
    assert (await member.client.get(f"{PATH}/{exhibit.id}/receipt", headers=member.headers)).status_code == 404


async def test_a_full_disk_is_told_before_the_bytes_are_sent(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deedbox_disk.space.free_bytes", lambda _: 64 << 20)
    reply = await sender.post(sender.case + part("file", b"x", b"a") + END)
    assert (reply.status_code, slug(reply)) == (507, "disk-full")


async def test_no_byte_of_it_is_ever_in_a_temporary_file(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))  # whoever wants one fails
    content = os.urandom(3 << 20)

    async def slowly() -> AsyncIterator[bytes]:
        whole = sender.case + part("file", content, b"secret.bin") + END
        for start in range(0, len(whole), 100_000):
            yield whole[start : start + 100_000]

    assert (await sender.post(slowly())).json()["content"] == hashlib.sha256(content).hexdigest()


async def test_the_log_may_take_its_time_over_a_receipt(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    made = (await sender.post(sender.case + part("file", b"x", b"a") + END)).json()
    monkeypatch.setattr("deedbox_server.evidence.receipts.Receipts.of.__defaults__", (0.0,))
    reply = await sender.client.get(made["receipt"], headers=sender.headers)
    assert (reply.status_code, slug(reply)) == (503, "unavailable")
    await sender.office.settle()
    assert (await sender.client.get(made["receipt"], headers=sender.headers)).status_code == 200


# --- the form itself, without a box


async def pieces_of(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted({cut % (len(body) + 1) for cut in cuts}), len(body)]
    for start, end in itertools.pairwise(edges):
        if start < end:
            yield body[start:end]


async def read(body: bytes, cuts: list[int]) -> tuple[dict[str, bytes], bytes]:
    events = form_events(pieces_of(body, cuts), BOUNDARY)
    fields, _ = await fields_before_file(events)
    return fields, b"".join([piece async for piece in file_bytes(events)])


contents = st.binary(max_size=200) | st.lists(
    st.sampled_from([b"\r", b"\n", b"--", BOUNDARY.encode(), b"\r\n--", b"x"]), max_size=12
).map(b"".join).filter(lambda content: b"--" + BOUNDARY.encode() not in content)


@given(contents, st.lists(st.integers(0, 1_000), max_size=8))
async def test_a_form_is_read_the_same_however_it_is_cut(content: bytes, cuts: list[int]) -> None:
    body = part("case", b"7") + part("labels", b"a") + part("labels", b"b") + part("file", content, b"n") + END
    assert await read(body, cuts) == ({"case": b"7", "labels": b"a\nb"}, content)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
async def test_any_bytes_are_a_form_or_a_refusal(body: bytes, cuts: list[int]) -> None:
    with pytest.raises((BadRequest, TooLarge)):
        await read(b"--" + BOUNDARY.encode() + body, cuts)
