"""Statements and bytes become exhibits: once, in journal order, with a receipt, whatever is sent twice or wrong."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest

from deedbox_sync import possession, receipt, uuid7
from deedbox_sync.transfer import Closing, PossessionProof, Result, State
from kit.field_desk import FieldDesk, digest_of
from kit.open_box import Office

pytestmark = pytest.mark.anyio

MIB = 1 << 20


async def stream(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def states(results: Iterable[Result]) -> list[str]:
    return [result.problem.slug if result.problem else result.state.value for result in results]


async def batch(office: Office, items: list, desk: FieldDesk | None = None) -> list[Result]:
    sender = (desk or office.desk).sender(office.owner.id)
    sequencer = asyncio.create_task(office.box.sequencer.run())
    try:
        return await office.box.intake.batch(sender, items)
    finally:
        sequencer.cancel()


async def exhibits(office: Office) -> list:
    return await office.box.exhibits.page(office.principal, case=office.case.id)


async def test_a_batch_of_small_files_becomes_exhibits_with_receipts_that_hold(desk_and_box: Office) -> None:
    contents = [os.urandom(size) for size in (0, 1, 20_000, 200_000)]
    items = [desk_and_box.desk.item(f"Fotó {n}.jpg", content) for n, content in enumerate(contents)]
    results = await batch(desk_and_box, items)
    assert states(results) == ["receipted"] * 4
    for item, result in zip(items, results, strict=True):
        assert result.receipt is not None
        digests = {"statement": digest_of(item.envelope), "content": None}
        receipt.verify_receipt(receipt.parse(result.receipt.encode()), desk_and_box.box.notary.vkey, **digests)
    found = await exhibits(desk_and_box)
    assert [exhibit.number for exhibit in found] == [1, 2, 3, 4]
    for exhibit, content in zip(found, contents, strict=True):
        reader = await desk_and_box.box.vault.open(exhibit.blob)
        assert reader.read_at(0, len(content) + 1) == content
        reader.close()


async def test_the_same_batch_again_gives_the_same_receipts_and_no_second_exhibit(desk_and_box: Office) -> None:
    items = [desk_and_box.desk.item(f"{n}.txt", b"same bytes") for n in range(3)]
    first = await batch(desk_and_box, items)
    again = await batch(desk_and_box, items)
    assert states(again) == ["receipted"] * 3
    assert [result.statement for result in first] == [result.statement for result in again]
    assert len(await exhibits(desk_and_box)) == 3  # identical files are exhibits of their own, sent twice they are not


async def test_one_bad_item_refuses_itself_and_those_after_it(desk_and_box: Office) -> None:
    good, bad, late = (desk_and_box.desk.item(f"{n}.txt", b"content") for n in range(3))
    results = await batch(desk_and_box, [good, replace(bad, content=b"tampered"), late])
    assert states(results) == ["receipted", "size-mismatch", "journal-gap"]
    assert results[2].problem is not None
    assert results[2].problem.expected == 2
    assert states(await batch(desk_and_box, [bad, late])) == ["receipted", "receipted"]


@pytest.mark.parametrize(
    ("what", "slug"),
    [
        ("hash", "hash-mismatch"),
        ("signature", "bad-signature"),
        ("device", "wrong-device"),
        ("case", "unknown-case"),
        ("form", "bad-statement"),
    ],
)
async def test_each_thing_that_can_be_wrong_with_a_statement_has_its_own_name(
    desk_and_box: Office, what: str, slug: str
) -> None:
    desk = desk_and_box.desk
    item = desk.item("a.txt", b"content")
    other = FieldDesk(desk.device, desk.case)
    match what:
        case "hash":
            item = replace(item, content=b"c0ntent")
        case "signature":
            envelope = item.envelope
            at = envelope.index(b'"sig":"') + 10
            item = replace(
                item, envelope=envelope[:at] + (b"A" if envelope[at : at + 1] != b"A" else b"B") + envelope[at + 1 :]
            )
        case "device":
            item = other.item("a.txt", b"content")
        case "case":
            desk.sequence, desk.last = 0, bytes(32)
            item = desk.item("a.txt", b"content", case=desk.device)
        case "form":
            item = replace(item, envelope=b'{"payload":')
    sender = replace(desk.sender(desk_and_box.owner.id), cases=frozenset({desk_and_box.case.id}))
    results = await desk_and_box.box.intake.batch(sender, [item])
    assert states(results) == [slug]
    assert await exhibits(desk_and_box) == []


async def test_another_statement_under_a_used_number_is_refused_and_logged(desk_and_box: Office) -> None:
    desk = desk_and_box.desk
    twin = FieldDesk(desk.device, desk.case)
    twin.key = desk.key
    await batch(desk_and_box, [desk.item("a.txt", b"one")])
    assert states(await batch(desk_and_box, [twin.item("a.txt", b"two")])) == ["journal-conflict"]
    await desk_and_box.settle()
    entries = await desk_and_box.box.database.fetch("SELECT entry FROM log_entry")
    assert sum(b'"device.conflict"' in row["entry"] for row in entries) == 1


async def test_an_offer_is_taken_before_its_bytes_and_finished_when_they_are_all_there(desk_and_box: Office) -> None:
    desk, intake = desk_and_box.desk, desk_and_box.box.intake
    sender = desk.sender(desk_and_box.owner.id)
    large = os.urandom(3 * MIB + 17)
    offered, small = desk.capture("scan.pdf", large), desk.item("note.txt", b"later, and yet first")
    (answer,) = await intake.offers(sender, [offered])
    assert (answer.state, answer.offset) == (State.SEND, 0)
    assert states(await batch(desk_and_box, [small])) == ["receipted"]  # a large file blocks nothing
    assert answer.upload is not None
    assert await intake.put(sender, answer.upload, 0, stream([large[:MIB], large[MIB : 2 * MIB]])) == 2 * MIB
    (again,) = await intake.offers(sender, [offered])
    assert (again.state, again.offset, again.upload) == (State.SEND, 2 * MIB, answer.upload)
    await intake.put(sender, answer.upload, 2 * MIB, stream([large[2 * MIB :]]))
    await desk_and_box.settle()
    assert states(await intake.receipts(sender, [digest_of(offered)], 0)) == ["receipted"]


async def test_bytes_that_are_not_the_offered_ones_are_asked_for_anew(desk_and_box: Office) -> None:
    desk, intake = desk_and_box.desk, desk_and_box.box.intake
    sender = desk.sender(desk_and_box.owner.id)
    offered = desk.capture("scan.pdf", b"true bytes")
    (answer,) = await intake.offers(sender, [offered])
    with pytest.raises(Exception, match="SHA-256"):
        await intake.put(sender, answer.upload, 0, stream([b"fake bytes"]))
    (again,) = await intake.offers(sender, [offered])
    assert again.offset == 0
    assert again.upload != answer.upload
    await intake.put(sender, again.upload, 0, stream([b"true bytes"]))
    await desk_and_box.settle()
    assert states(await intake.receipts(sender, [digest_of(offered)], 0)) == ["receipted"]


async def test_a_large_file_streams_first_and_its_statement_closes_the_upload(desk_and_box: Office) -> None:
    desk, intake = desk_and_box.desk, desk_and_box.box.intake
    sender = desk.sender(desk_and_box.owner.id)
    content, upload = os.urandom(5 * MIB), os.urandom(16).hex()
    assert await intake.create_upload(sender, upload, desk_and_box.case.id, len(content)) == 0
    await intake.put(sender, upload, 0, stream([content]))
    closing = Closing(desk.capture("film.mov", content), upload)
    sequencer = asyncio.create_task(desk_and_box.box.sequencer.run())
    assert states(await intake.close(sender, [closing])) == ["receipted"]
    assert states(await intake.close(sender, [closing])) == ["receipted"]  # the same again
    sequencer.cancel()
    assert len(await exhibits(desk_and_box)) == 1


async def test_held_bytes_are_not_sent_again_after_a_proof_of_possession(desk_and_box: Office) -> None:
    desk, intake = desk_and_box.desk, desk_and_box.box.intake
    sender = desk.sender(desk_and_box.owner.id)
    content = os.urandom(2 * MIB)
    (first,) = await intake.offers(sender, [desk.capture("a.mov", content)])
    await intake.put(sender, first.upload, 0, stream([content]))
    (second, third) = await intake.offers(sender, [desk.capture("b.mov", content), desk.capture("c.mov", content)])
    assert second.state is third.state is State.PROVE
    proof = possession.mac(second.nonce, second.statement)
    proof.update(content)
    false = possession.mac(third.nonce, third.statement)
    false.update(content[1:])
    proofs = [PossessionProof(second.statement, proof.digest()), PossessionProof(third.statement, false.digest())]
    sequencer = asyncio.create_task(desk_and_box.box.sequencer.run())
    results = await intake.prove(sender, proofs)
    sequencer.cancel()
    assert states(results) == ["receipted", "send"]
    found = await exhibits(desk_and_box)
    assert found[0].blob == found[1].blob


async def test_a_lost_statement_is_closed_by_a_gap_statement(desk_and_box: Office) -> None:
    desk = desk_and_box.desk
    await batch(desk_and_box, [desk.item("1.txt", b"1")])
    known = desk.last
    desk.capture("lost.txt", b"lost with its disk")
    desk.last = known
    gap = desk.gap(2, 2)
    sender = desk.sender(desk_and_box.owner.id)
    await desk_and_box.box.intake.offers(sender, [gap])
    await desk_and_box.settle()
    assert states(await desk_and_box.box.intake.receipts(sender, [digest_of(gap)], 0)) == ["receipted"]
    assert states(await batch(desk_and_box, [desk.item("3.txt", b"3")])) == ["receipted"]


async def test_a_file_saved_again_supersedes_the_older_exhibit_and_both_say_so(desk_and_box: Office) -> None:
    desk = desk_and_box.desk
    first = desk.item("draft.docx", b"one")
    second = desk.item("draft.docx", b"two", supersedes=digest_of(first.envelope))
    await batch(desk_and_box, [first])
    await batch(desk_and_box, [second])
    older, newer = await exhibits(desk_and_box)
    assert newer.supersedes == older.id
    records = await desk_and_box.box.custody.records([older.id])
    assert [row["kind"] for row in records] == ["received", "superseded"]


async def test_versions_that_come_in_one_batch_supersede_each_other(desk_and_box: Office) -> None:
    desk = desk_and_box.desk
    versions = [desk.item("draft.docx", b"one")]
    for content in (b"two", b"three"):
        versions.append(desk.item("draft.docx", content, supersedes=digest_of(versions[-1].envelope)))
    await batch(desk_and_box, versions)
    one, two, three = await exhibits(desk_and_box)
    assert [one.supersedes, two.supersedes, three.supersedes] == [None, one.id, two.id]
    records = await desk_and_box.box.custody.records([two.id])
    assert [row["kind"] for row in records] == ["received", "superseded"]


async def test_two_who_read_one_exhibit_at_once_both_leave_their_event(desk_and_box: Office) -> None:
    await batch(desk_and_box, [desk_and_box.desk.item("a.txt", b"one")])
    (exhibit,) = await exhibits(desk_and_box)
    people = [replace(desk_and_box.principal, account=uuid7.new(), name=f"person {n}") for n in range(4)]
    await asyncio.gather(*(desk_and_box.box.exhibits.open(person, exhibit.id, "viewed") for person in people))
    records = await desk_and_box.box.custody.records([exhibit.id])
    assert [row["number"] for row in records] == [1, 2, 3, 4, 5]
