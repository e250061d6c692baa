"""tus 1.0 as the box speaks it: each extension, each refusal, and that another's upload looks like none. On both databases."""

import base64
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from httpx import Response

from deedbox_server.evidence import deskless
from deedbox_server.evidence.upload_rows import MAX_OPEN
from deedbox_server.people.accounts import Account
from deedbox_sync import receipt
from kit.listening import people_app
from kit.names import AWKWARD, NOT_UNICODE, of_every_script
from kit.open_box import Office, office

pytestmark = pytest.mark.anyio

UPLOADS = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class Sender:
    """One account's program."""

    def __init__(self, client: httpx.AsyncClient, office: Office, key: str) -> None:
        self.client = client
        self.office = office
        self.headers = TUS | {"Authorization": f"Bearer {key}"}

    def metadata(self, filename: str | bytes = "a.txt", **more: str) -> str:
        pairs = {"case": str(self.office.case.id), "filename": filename} | more
        return ",".join(f"{name} {encoded(value)}" for name, value in pairs.items())

    async def ask(self, method: str, path: str, content: bytes | None = None, **headers: str) -> Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, path, content=content, headers=self.headers | given)

    async def create(self, size: int, **headers: str) -> str:
        given = {"Upload_Length": str(size), "Upload_Metadata": self.metadata()} | headers
        reply = await self.ask("POST", UPLOADS, **given)
        assert reply.status_code == 201, reply.text
        return reply.headers["location"]

    async def patch(self, upload: str, offset: int, content: bytes, **headers: str) -> Response:
        return await self.ask("PATCH", upload, content, Upload_Offset=str(offset), **(BYTES_ARGS | headers))

    async def offset(self, upload: str) -> int:
        reply = await self.ask("HEAD", upload)
        assert reply.status_code == 200
        return int(reply.headers["upload-offset"])

    async def send(self, content: bytes, filename: str | bytes = "a.txt", **more: str) -> str:
        """A whole upload; returns the exhibit's id."""
        upload = await self.create(len(content), Upload_Metadata=self.metadata(filename, **more))
        if not content:
            return (await self.ask("HEAD", upload)).headers["deedbox-exhibit"]
        reply = await self.patch(upload, 0, content)
        assert reply.status_code == 204, reply.text
        return reply.headers["deedbox-exhibit"]


BYTES_ARGS = {"Content_Type": "application/offset+octet-stream"}


async def key_of(office: Office, account: Account) -> str:
    _, text = await office.box.api_keys.create(account.id, "tests")
    return text.text


@asynccontextmanager
async def sending(made: Office) -> AsyncIterator[Sender]:
    # In the test's own event loop: a database belongs to one.
    transport = httpx.ASGITransport(people_app(made.box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.lan:8443") as client:
        yield Sender(client, made, await key_of(made, made.owner))


@pytest.fixture
async def sender(desk_and_box: Office) -> AsyncIterator[Sender]:
    async with sending(desk_and_box) as made:
        yield made


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Sender]:
    """For what is refused before any database is asked: one will do."""
    async with office(tmp_path) as opened, sending(opened) as made:
        yield made


def slug(reply: Response) -> str:
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    assert reply.headers["tus-resumable"] == "1.0.0"
    body = reply.json()
    assert body["status"] == reply.status_code
    return str(body["type"]).removeprefix("urn:deedbox:problem:")


async def exhibits(sender: Sender) -> list:
    return await sender.office.box.exhibits.page(sender.office.principal, case=sender.office.case.id, limit=500)


# --- what it does


async def test_anybody_may_ask_what_it_can_do(door: Sender) -> None:
    for path in (UPLOADS, f"{UPLOADS}/{'0' * 32}"):
        reply = await door.client.options(path)
        assert reply.status_code == 204
        assert reply.headers["tus-version"] == reply.headers["tus-resumable"] == "1.0.0"
        assert reply.headers["tus-extension"] == "creation,creation-with-upload,checksum,termination,expiration"
        assert reply.headers["tus-checksum-algorithm"] == "sha256,sha1"
        assert reply.headers["tus-max-size"] == str(1 << 40)


async def test_an_upload_in_pieces_becomes_one_exhibit_with_a_receipt_that_holds(sender: Sender) -> None:
    content = os.urandom(100_000)
    upload = await sender.create(len(content))
    assert upload.startswith(f"{UPLOADS}/")
    first = await sender.patch(upload, 0, content[:60_000])
    assert (first.status_code, first.headers["upload-offset"]) == (204, "60000")
    assert "deedbox-exhibit" not in first.headers
    assert await sender.offset(upload) == 60_000
    last = await sender.patch(upload, 60_000, content[60_000:])
    assert (last.status_code, last.headers["upload-offset"]) == (204, "100000")
    (exhibit,) = await exhibits(sender)
    assert last.headers["deedbox-exhibit"] == str(exhibit.id)
    assert exhibit.content == hashlib.sha256(content).digest()
    assert not exhibit.captured_by_desk
    sequencer = sender.office.run_sequencer()
    try:
        reply = await sender.ask("GET", last.headers["deedbox-receipt"])
    finally:
        sequencer.cancel()
    assert reply.headers["content-type"] == "application/json"
    verified = receipt.parse(reply.content)
    vkey = sender.office.box.notary.vkey
    entry = receipt.verify_receipt(verified, vkey, statement=exhibit.statement, content=exhibit.content)
    assert entry.kind == "exhibit.received"


async def test_a_finished_upload_says_so_whenever_it_is_asked(sender: Sender) -> None:
    upload = await sender.create(3)
    done = await sender.patch(upload, 0, b"abc")
    for _ in range(2):
        reply = await sender.ask("HEAD", upload)
        assert reply.headers["deedbox-exhibit"] == done.headers["deedbox-exhibit"]
        assert (reply.headers["upload-offset"], reply.headers["upload-length"]) == ("3", "3")
        assert "upload-expires" not in reply.headers
    again = await sender.patch(upload, 3, b"")
    assert (again.status_code, again.headers["deedbox-exhibit"]) == (204, done.headers["deedbox-exhibit"])
    assert len(await exhibits(sender)) == 1


async def test_head_is_not_cached_and_repeats_the_metadata_as_it_was_given(sender: Sender) -> None:
    metadata = sender.metadata("naïve café.txt", mine="kept") + ",flag"
    upload = await sender.create(5, Upload_Metadata=metadata)
    reply = await sender.ask("HEAD", upload)
    assert reply.headers["upload-metadata"] == metadata
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["upload-length"] == "5"


async def test_a_file_of_no_bytes_is_an_exhibit_at_once(sender: Sender) -> None:
    reply = await sender.ask("POST", UPLOADS, Upload_Length="0", Upload_Metadata=sender.metadata("empty"))
    assert reply.status_code == 201
    (exhibit,) = await exhibits(sender)
    assert (exhibit.size, exhibit.name, str(exhibit.id)) == (0, "empty", reply.headers["deedbox-exhibit"])
    assert await sender.offset(reply.headers["location"]) == 0


async def test_the_first_bytes_may_come_with_the_creation(sender: Sender) -> None:
    given = {"Upload_Length": "6", "Upload_Metadata": sender.metadata()} | BYTES_ARGS
    reply = await sender.ask("POST", UPLOADS, b"abc", **given)
    assert (reply.status_code, reply.headers["upload-offset"]) == (201, "3")
    assert (await sender.patch(reply.headers["location"], 3, b"def")).status_code == 204
    whole = await sender.ask("POST", UPLOADS, b"abcdef", **given)
    assert (whole.status_code, whole.headers["upload-offset"]) == (201, "6")
    assert len(await exhibits(sender)) == 2
    assert whole.headers["deedbox-exhibit"]


async def test_bytes_without_an_upload_of_their_type_are_no_creation(sender: Sender) -> None:
    given = {"Upload_Length": "3", "Upload_Metadata": sender.metadata(), "Content_Type": "text/plain"}
    reply = await sender.ask("POST", UPLOADS, b"abc", **given)
    assert (reply.status_code, slug(reply)) == (415, "upload-type")
    assert await sender.office.box.database.fetch("SELECT id FROM upload") == []


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
async def test_bytes_count_only_under_their_right_checksum(sender: Sender, algorithm: str) -> None:
    content = os.urandom(3 << 20)
    half = len(content) // 2

    def checksum(data: bytes) -> str:
        return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"

    upload = await sender.create(len(content))
    assert (await sender.patch(upload, 0, content[:half])).status_code == 204
    wrong = await sender.patch(upload, half, content[half:-1] + b"?", Upload_Checksum=checksum(content[half:]))
    assert (wrong.status_code, slug(wrong)) == (460, "checksum-mismatch")
    assert await sender.offset(upload) == half
    right = await sender.patch(upload, half, content[half:], Upload_Checksum=checksum(content[half:]))
    assert right.status_code == 204
    (exhibit,) = await exhibits(sender)
    assert exhibit.content == hashlib.sha256(content).digest()


async def test_a_creation_whose_bytes_fail_leaves_nothing(sender: Sender) -> None:
    given = {"Upload_Length": "3", "Upload_Metadata": sender.metadata()} | BYTES_ARGS
    reply = await sender.ask("POST", UPLOADS, b"abc", Upload_Checksum=f"sha256 {encoded(bytes(32))}", **given)
    assert (reply.status_code, slug(reply)) == (460, "checksum-mismatch")
    assert await sender.office.box.database.fetch("SELECT id FROM upload") == []
    assert await sender.office.box.database.fetch("SELECT upload FROM deskless_upload") == []


async def test_termination_forgets_the_bytes(sender: Sender) -> None:
    upload = await sender.create(6)
    await sender.patch(upload, 0, b"abc")
    gone = await sender.ask("DELETE", upload)
    assert (gone.status_code, gone.headers["tus-resumable"]) == (204, "1.0.0")
    for reply in (await sender.ask("DELETE", upload), await sender.patch(upload, 3, b"def")):
        assert (reply.status_code, slug(reply)) == (404, "not-found")
    assert (await sender.ask("HEAD", upload)).status_code == 404
    blobs = sender.office.box.settings.data / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()] == []


async def test_what_is_evidence_cannot_be_terminated(sender: Sender) -> None:
    upload = await sender.create(3)
    await sender.patch(upload, 0, b"abc")
    reply = await sender.ask("DELETE", upload)
    assert (reply.status_code, slug(reply)) == (403, "upload-is-evidence")
    assert len(await exhibits(sender)) == 1


async def test_each_answer_says_when_an_unfinished_upload_expires(sender: Sender) -> None:
    created = await sender.ask("POST", UPLOADS, Upload_Length="6", Upload_Metadata=sender.metadata())
    patched = await sender.patch(created.headers["location"], 0, b"abc")
    for reply in (created, patched):
        assert reply.headers["upload-expires"].endswith(" GMT")
        left = parsedate_to_datetime(reply.headers["upload-expires"]) - datetime.now(UTC)
        assert abs(left - deskless.LIFE) < timedelta(minutes=1)


async def test_a_sender_that_cannot_say_patch_says_it_in_a_header(sender: Sender) -> None:
    upload = await sender.create(3)
    reply = await sender.ask("POST", upload, b"abc", Upload_Offset="0", X_HTTP_Method_Override="PATCH", **BYTES_ARGS)
    assert (reply.status_code, reply.headers["upload-offset"]) == (204, "3")
    other = await sender.create(3)
    assert (await sender.ask("POST", other, X_HTTP_Method_Override="DELETE")).status_code == 204
    refused = await sender.ask("POST", other)
    assert (refused.status_code, slug(refused)) == (400, "bad-request")


# --- what it refuses


async def test_another_version_of_tus_is_refused(door: Sender) -> None:
    for method in ("POST", "HEAD", "PATCH", "DELETE"):
        for version in (None, "0.2.2", "1.0.1", "1.0.0, 1.0.0"):
            headers = {name: value for name, value in door.headers.items() if name != "Tus-Resumable"}
            if version is not None:
                headers["Tus-Resumable"] = version
            path = UPLOADS if method == "POST" else f"{UPLOADS}/{'0' * 32}"
            reply = await door.client.request(method, path, headers=headers)
            assert (reply.status_code, reply.headers["tus-version"]) == (412, "1.0.0"), (method, version)
            assert method == "HEAD" or slug(reply) == "tus-version"


async def test_without_a_key_nothing_is_taken(door: Sender) -> None:
    for method in ("POST", "HEAD", "PATCH", "DELETE"):
        path = UPLOADS if method == "POST" else f"{UPLOADS}/{'0' * 32}"
        reply = await door.client.request(method, path, headers=TUS)
        assert (reply.status_code, reply.headers["tus-resumable"]) == (401, "1.0.0")


UNREADABLE: tuple[dict[str, str], ...] = (
    {},
    {"Upload_Length": "x"},
    {"Upload_Length": "-1"},
    {"Upload_Length": "1.5"},
    {"Upload_Length": "9" * 30},
    {"Upload_Defer_Length": "1"},
    {"Upload_Length": "1", "Upload_Concat": "partial"},
    {"Upload_Length": "1", "Upload_Checksum": "md5 AAAA"},
    {"Upload_Length": "1", "Upload_Checksum": "sha256"},
    {"Upload_Length": "1", "Upload_Checksum": "sha256 AAAA"},
    {"Upload_Length": "1", "Upload_Metadata": ""},
    {"Upload_Length": "1", "Upload_Metadata": "case"},
    {"Upload_Length": "1", "Upload_Metadata": "case !!!"},
    {"Upload_Length": "1", "Upload_Metadata": f"case {encoded('not a case')}"},
    {"Upload_Length": "1", "Upload_Metadata": "x " + "A" * 9_000},
)


async def test_a_creation_that_cannot_be_read_is_refused(door: Sender) -> None:
    for headers in UNREADABLE:
        reply = await door.ask("POST", UPLOADS, **({"Upload_Metadata": door.metadata()} | headers))
        assert (reply.status_code, slug(reply)) == (400, "bad-request"), headers


async def test_an_upload_for_no_case_or_one_behind_the_wall_is_not_found(sender: Sender) -> None:
    box = sender.office.box
    member = Sender(sender.client, sender.office, await key_of(sender.office, await _member(sender.office)))
    replies = [
        await sender.ask("POST", UPLOADS, Upload_Length="1", Upload_Metadata=f"case {encoded(str(uuid4()))}"),
        await member.ask("POST", UPLOADS, Upload_Length="1", Upload_Metadata=member.metadata()),
    ]
    assert [(reply.status_code, slug(reply)) for reply in replies] == [(404, "not-found")] * 2
    assert replies[0].json() == replies[1].json()
    assert await box.database.fetch("SELECT id FROM upload") == []


async def _member(office: Office) -> Account:
    return await office.box.accounts.create("Max Member", "paralegal", "correct horse battery staple")


async def test_another_s_upload_looks_like_none(sender: Sender) -> None:
    office = sender.office
    other = await office.box.accounts.create("Other Owner", "administrator", "correct horse battery staple")
    stranger = Sender(sender.client, office, await key_of(office, other))
    upload = await sender.create(6)
    await sender.patch(upload, 0, b"abc")
    for path in (upload, f"{UPLOADS}/{'0' * 32}", f"{UPLOADS}/not-an-upload"):
        replies = [await stranger.ask("DELETE", path), await stranger.patch(path, 3, b"def")]
        assert [(reply.status_code, slug(reply)) for reply in replies] == [(404, "not-found")] * 2
        assert replies[0].json() == {
            "type": "urn:deedbox:problem:not-found",
            "title": "Nothing is here",
            "status": 404,
        }
        assert (await stranger.ask("HEAD", path)).status_code == 404
    assert await sender.offset(upload) == 3


async def test_who_leaves_a_case_no_longer_sends_to_it(sender: Sender) -> None:
    office = sender.office
    account = await _member(office)
    await office.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(office.case.id, account.id, "paralegal")]
    )
    member = Sender(sender.client, office, await key_of(office, account))
    upload = await member.create(3)
    await office.box.database.execute("DELETE FROM case_member WHERE account = {}", account.id)
    reply = await member.patch(upload, 0, b"abc")
    assert (reply.status_code, slug(reply)) == (404, "not-found")


async def test_bytes_that_do_not_start_where_the_upload_ends_are_refused(sender: Sender) -> None:
    upload = await sender.create(6)
    await sender.patch(upload, 0, b"abc")
    for offset in (0, 2, 4, 6, 7):
        reply = await sender.patch(upload, offset, b"x")
        assert (reply.status_code, slug(reply), reply.json()["offset"]) == (409, "offset-mismatch", 3)


async def test_an_offset_that_is_no_number_is_refused(door: Sender) -> None:
    upload = await door.create(6)
    for offset in ("", "x", "-1", "3.0"):
        reply = await door.ask("PATCH", upload, b"x", Upload_Offset=offset, **BYTES_ARGS)
        assert (reply.status_code, slug(reply)) == (400, "bad-request"), offset


async def test_bytes_of_another_type_are_refused(sender: Sender) -> None:
    upload = await sender.create(3)
    reply = await sender.ask("PATCH", upload, b"abc", Upload_Offset="0", Content_Type="application/octet-stream")
    assert (reply.status_code, slug(reply)) == (415, "upload-type")


async def test_more_bytes_than_announced_are_refused_before_any_is_read(sender: Sender) -> None:
    upload = await sender.create(3)
    reply = await sender.patch(upload, 0, b"abcd")
    assert (reply.status_code, slug(reply)) == (413, "too-large")
    assert await sender.offset(upload) == 0


async def test_more_bytes_than_announced_in_chunks_are_refused_where_they_begin(sender: Sender) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"cdef"

    upload = await sender.create(3)
    headers = sender.headers | BYTES | {"Upload-Offset": "0", "Transfer-Encoding": "chunked"}
    reply = await sender.client.patch(upload, content=chunks(), headers=headers)
    assert (reply.status_code, slug(reply)) == (413, "too-large")
    assert await sender.offset(upload) in (0, 2)  # what the client's chunks become on their way is its own affair
    assert await exhibits(sender) == []


async def test_a_file_too_large_for_any_box_is_refused(sender: Sender) -> None:
    reply = await sender.ask("POST", UPLOADS, Upload_Length=str((1 << 40) + 1), Upload_Metadata=sender.metadata())
    assert (reply.status_code, slug(reply)) == (413, "too-large")


async def test_what_does_not_fit_the_disk_is_refused_before_it_is_sent(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await sender.create(3)
    monkeypatch.setattr("deedbox_disk.space.free_bytes", lambda _: (64 << 20) + 2)
    created = await sender.ask("POST", UPLOADS, Upload_Length="3", Upload_Metadata=sender.metadata())
    for reply in (created, await sender.patch(upload, 0, b"abc")):
        assert (reply.status_code, slug(reply)) == (507, "disk-full")
    monkeypatch.undo()
    assert (await sender.patch(upload, 0, b"abc")).status_code == 204


async def test_a_program_gone_wrong_cannot_begin_uploads_for_ever(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_OPEN > 100
    monkeypatch.setattr("deedbox_server.evidence.upload_rows.MAX_OPEN", 2)
    first, second = await sender.create(1), await sender.create(1)
    reply = await sender.ask("POST", UPLOADS, Upload_Length="1", Upload_Metadata=sender.metadata())
    assert (reply.status_code, slug(reply)) == (429, "too-many-uploads")
    assert (await sender.patch(first, 0, b"x")).status_code == 204  # an exhibit is no unfinished upload
    assert (await sender.ask("DELETE", second)).status_code == 204
    assert await sender.create(1)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_other_methods_are_none(sender: Sender, method: str) -> None:
    reply = await sender.ask(method, await sender.create(1))
    assert reply.status_code == 405
    assert "PATCH" in reply.headers["allow"]


# --- names


async def test_names_of_every_script_are_kept_as_they_are(sender: Sender) -> None:
    names = [*of_every_script()[::12], *AWKWARD]
    for name in names:
        await sender.send(b"x", name)
    assert [exhibit.name for exhibit in await exhibits(sender)] == names


async def test_names_that_are_not_text_are_kept_raw_in_the_statement(sender: Sender) -> None:
    for name in NOT_UNICODE:
        await sender.send(b"x", name)
    assert [exhibit.name for exhibit in await exhibits(sender)] == [
        name.decode("utf-8", "replace") for name in NOT_UNICODE
    ]


async def test_labels_and_type_are_the_sender_s(sender: Sender) -> None:
    await sender.send(b"x", "statement", filetype="Text/CSV; charset=utf-8", labels="bank\n 2026 \n\nbank")
    await sender.send(b"x", "photo.jpg", filetype="text/html")
    one, two = await exhibits(sender)
    assert (one.labels, one.media_type) == (("bank", "2026"), "text/csv")
    assert (two.labels, two.media_type) == ((), "image/jpeg")  # the name tells, as for desks
