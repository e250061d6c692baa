"""Bytes without a desk become one exhibit under the box's own name, whatever breaks meanwhile. On both databases."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_server.audit import Report, Sources, audit
from deedbox_server.errors import DiskFull, JournalGap, NotFound, OffsetMismatch, Suspended
from deedbox_server.evidence import deskless as deskless_module
from deedbox_server.evidence.deskless import LIFE, KeyReused, Progress
from deedbox_server.evidence.pieces import Checksum, ChecksumMismatch
from deedbox_server.evidence.turns import BoxStops, TakenOver
from deedbox_server.evidence.upload_metadata import encode_metadata
from deedbox_server.vault.open_part import OpenPart
from deedbox_server.vault.writer import BlobWriter
from deedbox_sync import custody, dsse, note, statement
from deedbox_sync.device_record import PAIRED, parse_device_record
from deedbox_sync.statement import NO_DIGEST, CaptureStatement
from deedbox_verify.command import main as verify
from kit.open_box import Office, reopened

pytestmark = pytest.mark.anyio


async def stream(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def pairs(office: Office, name: str = "a.txt") -> dict[str, bytes]:
    return {"case": str(office.case.id).encode(), "filename": name.encode()}


async def begun(office: Office, size: int, name: str = "a.txt") -> str:
    progress = await office.box.deskless.begin(office.principal, size, encode_metadata(pairs(office, name)))
    return progress.upload


async def sent(office: Office, content: bytes, name: str = "a.txt") -> UUID:
    upload = await begun(office, len(content), name)
    progress = await office.box.deskless.append(office.principal, upload, 0, stream([content]))
    assert progress.exhibit is not None
    return progress.exhibit


async def taken(office: Office, content: bytes, key: str | None = None, name: str = "a.txt") -> UUID:
    result = await office.box.deskless.take(office.principal, pairs(office, name), stream([content]), key=key)
    return result.exhibit


async def exhibits(office: Office) -> list:
    return await office.box.exhibits.page(office.principal, case=office.case.id, limit=500)


async def audited(office: Office) -> Report:
    await office.settle()
    box, report = office.box, Report()
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    return report


def box_id(office: Office) -> UUID:
    return note.parse_origin(office.box.notary.origin)[0]


def files(office: Office) -> list[Path]:
    data = office.box.settings.data
    return [path for folder in ("blobs", "uploads") for path in (data / folder).rglob("*") if path.is_file()]


# --- what is said of it


async def test_the_statement_is_the_box_s_own_and_says_only_what_it_knows(desk_and_box: Office) -> None:
    await sent(desk_and_box, b"first", "one")
    await sent(desk_and_box, b"second", "two")
    rows = await desk_and_box.box.database.fetch(
        "SELECT envelope FROM statement WHERE device = {} ORDER BY sequence", box_id(desk_and_box)
    )
    payloads = [dsse.parse(row["envelope"]).payload for row in rows]
    one, two = (statement.parse_payload(payload) for payload in payloads)
    assert isinstance(one, CaptureStatement)
    assert isinstance(two, CaptureStatement)
    assert (one.method, one.tool.name, one.case) == ("upload", "deedbox-server", desk_and_box.case.id)
    assert (one.file.name, one.file.path, one.file.size, one.file.modified_ns) == ("one", (), 5, None)
    assert (one.operator.name, one.operator.account) == (desk_and_box.owner.name, desk_and_box.owner.id)
    assert one.operator.authenticated == "password"  # as the principal of these tests was recognised
    assert (one.journal.sequence, one.journal.previous) == (1, NO_DIGEST)
    assert (two.journal.sequence, two.journal.previous) == (2, statement.digest(payloads[0]))


async def test_custody_says_received_without_a_desk_and_by_whom(desk_and_box: Office) -> None:
    exhibit = await sent(desk_and_box, b"abc")
    (row,) = await desk_and_box.box.custody.records([exhibit])
    record = custody.parse(row["record"])
    assert (record.kind, record.actor.id) == ("received", f"account:{desk_and_box.owner.id}")
    assert (record.actor.via, record.actor.name) == ("password", desk_and_box.owner.name)
    assert (record.detail["lane"], record.detail["captured"]) == ("upload", False)
    assert not (await desk_and_box.box.exhibits.get(desk_and_box.principal, exhibit)).captured_by_desk


async def test_the_box_is_a_device_of_its_own_since_its_first_start_and_once(
    desk_and_box: Office, office_url: str | None, tmp_path: Path
) -> None:
    await asyncio.gather(*(desk_and_box.box.deskless.introduce() for _ in range(3)))
    async with reopened(tmp_path, office_url) as again:
        await again.deskless.introduce()
    rows = await desk_and_box.box.database.fetch(
        "SELECT record FROM trust_record WHERE device = {}", box_id(desk_and_box)
    )
    (record,) = [parse_device_record(row["record"]) for row in rows]
    assert (record.kind, record.by, record.account) == (PAIRED, "box", box_id(desk_and_box))
    report = await audited(desk_and_box)
    assert report.findings == []
    assert report.counts["trust records"] == 2  # the office's desk, and the box


async def test_the_box_is_neither_listed_nor_revoked_nor_let_in_as_a_desk(desk_and_box: Office) -> None:
    box = desk_and_box.box
    await box.deskless.introduce()
    assert [device.id for device in await box.devices.all()] == [desk_and_box.desk.device]
    with pytest.raises(NotFound):
        await box.devices.revoke(box_id(desk_and_box), desk_and_box.principal)
    row = await box.database.fetch_one("SELECT serial FROM certificate WHERE device = {}", box_id(desk_and_box))
    assert row is not None
    with pytest.raises(Exception, match="has not issued"):
        await box.devices.by_serial(row["serial"])


async def test_a_bundle_of_it_convinces_a_stranger_that_it_was_received_not_captured(
    desk_and_box: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box, desk = desk_and_box.box, desk_and_box.desk
    await sent(desk_and_box, os.urandom(150_000), "Überweisung № 7.pdf")
    await box.intake.batch(desk.sender(desk_and_box.owner.id), [desk.item("b.txt", b"by a desk")], wait=0)
    await taken(desk_and_box, b"")
    sequencer = desk_and_box.run_sequencer()
    try:
        prepared = await box.bundling.prepare(desk_and_box.principal, desk_and_box.case.id, None, None)
    finally:
        sequencer.cancel()
    path, trust = tmp_path / prepared.file_name, tmp_path / "trust.json"
    with path.open("wb") as file:
        async for piece in prepared.stream():
            file.write(piece)
    trust.write_text(json.dumps({"logs": [box.notary.vkey], "witnesses": [], "tsa_roots": [], "devices": {}}))
    assert verify([str(path), "--trust", str(trust), "--require", "intact,attributed", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["attributed"]["how"] for one in told["exhibits"]] == ["received", "captured", "received"]


# --- what breaks


async def test_killed_between_bytes_and_commit_it_becomes_one_exhibit_when_asked_again(
    desk_and_box: Office, office_url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await begun(desk_and_box, 6)
    monkeypatch.setattr(desk_and_box.box.committer, "commit", _dies)
    with pytest.raises(Killed):
        await desk_and_box.box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc", b"def"]))
    async with reopened(tmp_path, office_url) as again:
        first = await again.deskless.look(desk_and_box.principal, upload)
        second = await again.deskless.look(desk_and_box.principal, upload)
    assert first.exhibit == second.exhibit
    (exhibit,) = await exhibits(desk_and_box)
    assert (exhibit.id, exhibit.content) == (first.exhibit, hashlib.sha256(b"abcdef").digest())
    assert (await audited(desk_and_box)).findings == []


async def test_killed_between_bytes_and_commit_it_becomes_an_exhibit_though_nobody_asks(
    desk_and_box: Office, office_url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await begun(desk_and_box, 3)
    monkeypatch.setattr(desk_and_box.box.committer, "commit", _dies)
    with pytest.raises(Killed):
        await desk_and_box.box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    async with reopened(tmp_path, office_url) as again:
        await again.deskless.tidy()
        await again.deskless.tidy()
    assert len(await exhibits(desk_and_box)) == 1


async def test_done_but_reported_lost_is_found_again(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, upload = desk_and_box.box.committer.commit, await begun(desk_and_box, 3)

    async def done_but_lost(*arguments: object) -> list[UUID]:
        await commit(*arguments)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(desk_and_box.box.committer, "commit", done_but_lost)
    with pytest.raises(Killed):
        await desk_and_box.box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    with pytest.raises(Killed):
        await taken(desk_and_box, b"in one go", "key")
    monkeypatch.undo()
    found = await desk_and_box.box.deskless.look(desk_and_box.principal, upload)
    again = await taken(desk_and_box, b"in one go", "key")
    assert [exhibit.id for exhibit in await exhibits(desk_and_box)] == [found.exhibit, again]


class Killed(Exception):
    """Stands for the end of the process: nothing in the box expects it."""


async def _dies(*_: object) -> list[UUID]:
    raise Killed


async def test_while_the_log_is_suspended_bytes_are_kept_and_no_offset_is_a_lie(desk_and_box: Office) -> None:
    box, upload = desk_and_box.box, await begun(desk_and_box, 3)
    await box.database.execute("UPDATE log_head SET suspended = {} WHERE id = 1", "a test")
    await box.deskless.introduce()  # a start does not fail for it
    with pytest.raises(Suspended):
        await box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    with pytest.raises(Suspended):  # else its sender would take it for done
        await box.deskless.look(desk_and_box.principal, upload)
    await box.deskless.tidy()
    await box.database.execute("UPDATE log_head SET suspended = NULL WHERE id = 1")
    await box.deskless.tidy()
    assert len(await exhibits(desk_and_box)) == 1


async def test_what_came_before_a_cut_connection_counts(desk_and_box: Office) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionResetError

    deskless, upload = desk_and_box.box.deskless, await begun(desk_and_box, 6)
    with pytest.raises(ConnectionResetError):
        await deskless.append(desk_and_box.principal, upload, 0, cut())
    assert (await deskless.look(desk_and_box.principal, upload)).offset == 2
    with pytest.raises(ConnectionResetError):  # under a checksum, only all or nothing
        checksum = Checksum("sha256", hashlib.sha256(b"abcdef").digest())
        await deskless.append(desk_and_box.principal, upload, 2, cut(), checksum=checksum)
    assert (await deskless.look(desk_and_box.principal, upload)).offset == 2


async def test_a_refused_checksum_rolls_back_to_the_offset_before_whatever_was_written(desk_and_box: Office) -> None:
    deskless, upload = desk_and_box.box.deskless, await begun(desk_and_box, 9 << 20)
    content = os.urandom(9 << 20)
    half = 4 << 20
    await deskless.append(desk_and_box.principal, upload, 0, stream([content[:half]]))
    wrong = Checksum("sha1", bytes(20))
    pieces = [content[start : start + 65_536] for start in range(half, len(content), 65_536)]
    for _ in range(2):
        with pytest.raises(ChecksumMismatch):
            await deskless.append(desk_and_box.principal, upload, half, stream(pieces), checksum=wrong)
    right = Checksum("sha1", hashlib.sha1(content[half:]).digest())
    await deskless.append(desk_and_box.principal, upload, half, stream(pieces), checksum=right)
    (exhibit,) = await exhibits(desk_and_box)
    assert exhibit.content == hashlib.sha256(content).digest()
    assert (await audited(desk_and_box)).findings == []


async def test_a_full_disk_loses_nothing_and_the_upload_goes_on_when_there_is_room(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    deskless, upload = desk_and_box.box.deskless, await begun(desk_and_box, 6)
    with monkeypatch.context() as full:
        full.setattr(BlobWriter, "_fix_on_disk", _full)
        with pytest.raises(DiskFull):
            await deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    assert (await deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))).offset == 3
    with monkeypatch.context() as full:
        full.setattr(OpenPart, "close_with", _full)
        with pytest.raises(DiskFull):  # at the finish, with every byte durable
            await deskless.append(desk_and_box.principal, upload, 3, stream([b"def"]))
    progress = await deskless.look(desk_and_box.principal, upload)
    assert progress.exhibit is not None
    assert (await audited(desk_and_box)).findings == []


def _full(*_: object) -> None:
    raise DiskFull


async def test_a_number_that_another_process_took_is_signed_anew(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, tries = desk_and_box.box.committer.commit, []

    async def second_time(*arguments: object) -> list[UUID]:
        tries.append(arguments)
        if len(tries) == 1:
            raise JournalGap(1)
        return await commit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(desk_and_box.box.committer, "commit", second_time)
    await sent(desk_and_box, b"abc")
    assert len(tries) == 2
    assert len(await exhibits(desk_and_box)) == 1


# --- many at once


async def test_uploads_at_once_each_get_their_number_and_their_place_in_the_journal(desk_and_box: Office) -> None:
    contents = [os.urandom(1_000 + number) for number in range(12)]
    await asyncio.gather(
        *(sent(desk_and_box, content) for content in contents[:6]),
        *(taken(desk_and_box, content) for content in contents[6:]),
    )
    found = await exhibits(desk_and_box)
    assert [exhibit.number for exhibit in found] == list(range(1, 13))
    assert {exhibit.content for exhibit in found} == {hashlib.sha256(content).digest() for content in contents}
    assert (await audited(desk_and_box)).findings == []


async def test_a_newer_request_takes_over_from_one_whose_sender_is_dead(desk_and_box: Office) -> None:
    arrived = asyncio.Event()

    async def dead() -> AsyncIterator[bytes]:
        yield b"abc"
        arrived.set()
        await asyncio.Event().wait()

    deskless, upload = desk_and_box.box.deskless, await begun(desk_and_box, 6)
    older = asyncio.create_task(deskless.append(desk_and_box.principal, upload, 0, dead()))
    await arrived.wait()
    assert (await deskless.look(desk_and_box.principal, upload)).offset == 3
    with pytest.raises(TakenOver):
        await older
    assert (await deskless.append(desk_and_box.principal, upload, 3, stream([b"def"]))).exhibit is not None


async def test_a_box_that_stops_keeps_what_came(desk_and_box: Office, office_url: str | None, tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"abc"
        arrived.set()
        await asyncio.Event().wait()

    upload = await begun(desk_and_box, 6)
    sending = asyncio.create_task(desk_and_box.box.deskless.append(desk_and_box.principal, upload, 0, slow()))
    await arrived.wait()
    desk_and_box.box.deskless.stop()
    with pytest.raises(BoxStops):
        await sending
    async with reopened(tmp_path, office_url) as again:
        assert (await again.deskless.look(desk_and_box.principal, upload)).offset == 3


async def test_the_same_bytes_many_times_at_once_are_one_exhibit(desk_and_box: Office) -> None:
    deskless, upload = desk_and_box.box.deskless, await begun(desk_and_box, 3)
    results = await asyncio.gather(
        *(deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"])) for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Progress) for result in results) == 1
    assert all(isinstance(result, Progress | OffsetMismatch | TakenOver) for result in results)
    assert len(await exhibits(desk_and_box)) == 1


# --- in one go


async def test_the_same_key_again_is_the_same_exhibit(desk_and_box: Office) -> None:
    first = await desk_and_box.box.deskless.take(
        desk_and_box.principal, pairs(desk_and_box), stream([b"a", b"b"]), key="k"
    )
    again = await desk_and_box.box.deskless.take(desk_and_box.principal, pairs(desk_and_box), stream([b"ab"]), key="k")
    assert (first.again, again.again) == (False, True)
    assert first.exhibit == again.exhibit
    assert await taken(desk_and_box, b"ab") != first.exhibit  # without a key, two requests are two exhibits
    assert len(await exhibits(desk_and_box)) == 2


@pytest.mark.parametrize("changed", ["bytes", "name", "labels"])
async def test_a_key_used_for_something_else_is_refused(desk_and_box: Office, changed: str) -> None:
    await taken(desk_and_box, b"ab", "k")
    told = pairs(desk_and_box, "b.txt" if changed == "name" else "a.txt")
    if changed == "labels":
        told["labels"] = b"other"
    with pytest.raises(KeyReused):
        pieces = stream([b"AB" if changed == "bytes" else b"ab"])
        await desk_and_box.box.deskless.take(desk_and_box.principal, told, pieces, key="k")
    assert len(await exhibits(desk_and_box)) == 1


async def test_a_key_is_its_account_s_own(desk_and_box: Office) -> None:
    box = desk_and_box.box
    other = await box.accounts.create("Other Owner", "administrator", "correct horse battery staple")
    _, key = await box.api_keys.create(other.id, "tests")
    stranger = await box.api_keys.by_text(key.text)
    first = await taken(desk_and_box, b"ab", "k")
    second = await box.deskless.take(stranger, pairs(desk_and_box), stream([b"ab"]), key="k")
    assert (second.again, second.exhibit == first) == (False, False)


async def test_what_does_not_end_well_leaves_nothing(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield os.urandom(3 << 20)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await desk_and_box.box.deskless.take(desk_and_box.principal, pairs(desk_and_box), cut(), key="k")
    with monkeypatch.context() as broken:
        broken.setattr(desk_and_box.box.committer, "commit", _dies)
        with pytest.raises(Killed):
            await taken(desk_and_box, b"abc", "k")
    for table in ("upload", "deskless_upload", "blob"):
        assert await desk_and_box.box.database.fetch(f"SELECT * FROM {table}") == []
    assert files(desk_and_box) == []
    assert await taken(desk_and_box, b"abc", "k")


# --- what nobody asks for any more


def later(office: Office, monkeypatch: pytest.MonkeyPatch, passed: timedelta) -> None:
    """Let so much time pass for uploads."""
    clock = office.box.deskless._clock
    monkeypatch.setattr(office.box.deskless, "_clock", lambda: clock() + passed)


async def test_an_unfinished_upload_expires_with_its_bytes_and_keys(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, upload = desk_and_box.box, await begun(desk_and_box, 6)
    await box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    row = await box.database.fetch_one("SELECT blob FROM upload WHERE id = {}", upload)
    assert row is not None
    later(desk_and_box, monkeypatch, LIFE - timedelta(minutes=1))
    await box.deskless.tidy()
    assert (await box.deskless.look(desk_and_box.principal, upload)).offset == 3
    later(desk_and_box, monkeypatch, timedelta(minutes=2))
    await box.deskless.tidy()
    with pytest.raises(NotFound):
        await box.deskless.look(desk_and_box.principal, upload)
    assert files(desk_and_box) == []
    assert await box.keys.part_keys([row["blob"]]) == {}
    assert await box.database.fetch("SELECT upload FROM deskless_upload") == []


async def test_bytes_prolong_an_upload(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    box, upload = desk_and_box.box, await begun(desk_and_box, 6)
    later(desk_and_box, monkeypatch, LIFE - timedelta(minutes=1))
    await box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    later(desk_and_box, monkeypatch, LIFE - timedelta(minutes=1))
    await box.deskless.tidy()
    assert (await box.deskless.look(desk_and_box.principal, upload)).offset == 3


async def test_a_finished_upload_outlives_what_was_said_of_it(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, upload = desk_and_box.box, await begun(desk_and_box, 3)
    done = await box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    later(desk_and_box, monkeypatch, LIFE + timedelta(minutes=1))
    await box.deskless.tidy()
    assert await box.database.fetch("SELECT upload FROM deskless_upload") == []
    found = await box.deskless.look(desk_and_box.principal, upload)
    assert (found.exhibit, found.offset, found.metadata) == (done.exhibit, 3, None)


async def test_a_desk_s_uploads_are_none_of_its_business(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    box, desk = desk_and_box.box, desk_and_box.desk
    sender = desk.sender(desk_and_box.owner.id)
    upload = "0" * 32
    await box.intake.create_upload(sender, upload, desk_and_box.case.id, 6)
    await box.intake.put(sender, upload, 0, stream([b"abc"]))
    later(desk_and_box, monkeypatch, 10 * LIFE)
    await box.deskless.tidy()
    assert await box.uploads.offset(upload, f"device:{desk.device}") == 3


async def test_an_upload_that_rests_gives_its_memory_back_and_goes_on(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, upload = desk_and_box.box, await begun(desk_and_box, 6)
    await box.deskless.append(desk_and_box.principal, upload, 0, stream([b"abc"]))
    monkeypatch.setattr(deskless_module, "REST_SECONDS", -1.0)
    await box.deskless.tidy()
    assert box.uploads._live == {}
    assert (await box.deskless.append(desk_and_box.principal, upload, 3, stream([b"def"]))).exhibit is not None
