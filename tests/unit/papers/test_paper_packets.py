"""Copies with stickers and packets: what leaves the record leaves a trace, and the original stays what it is."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest

from deedbox_server.errors import BadRequest, NotFound
from deedbox_server.evidence.paper_words import grouped
from deedbox_server.papers.exhibit_copy import NoCopy
from deedbox_server.papers.packet import DOCUMENT_LIMIT, ENVELOPE_LIMIT, size_warnings
from deedbox_server.papers.service import Wanted
from deedbox_sync import custody
from deedbox_verify.command import main
from papers_made import Desk, delivery_note, fields_of, text_of

pytestmark = pytest.mark.anyio


async def test_a_copy_carries_the_sticker_on_every_page_and_says_that_it_is_one(papers: Desk) -> None:
    original = papers.exhibits[0]
    paper, pdf = await papers.make("exhibit-copy", [original], numbering="PX-{number:03}")
    text = text_of(pdf)
    assert "Copy of Exhibit PX-001" in text and "The original is unchanged" in text and "Delivery note" in text
    assert grouped(original.content) in text
    assert text.count("PX-001") >= 2 * paper.pages and paper.pages == 2
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert [[float(one) for one in page.mediabox] for page in opened.pages] == [[0, 0, 612, 792]] * 2


async def test_a_picture_becomes_a_page_with_its_sticker_below(papers: Desk) -> None:
    _, pdf = await papers.make(
        "exhibit-copy", [papers.exhibits[1]], numbering="{party} Ex. {letter}", party="Plaintiff"
    )
    assert "Copy of Plaintiff Ex. B" in text_of(pdf)


async def test_the_original_is_untouched_and_its_custody_tells_of_the_copy(papers: Desk) -> None:
    office, original = papers.office, papers.exhibits[0]
    paper, _ = await papers.make("exhibit-copy", [original])
    records = [custody.parse(row["record"]) for row in await office.box.custody.records([original.id])]
    exported = next(record for record in records if record.kind == "exported")
    assert exported.detail["bundle"] == str(paper.id)
    assert paper.shows_content and "viewed" in [record.kind for record in records]  # fetching it is viewing the exhibit
    report = await office.box.verifying.verify(office.principal, original.id)
    assert report.intact


async def test_a_bundle_made_after_a_copy_still_convinces_a_stranger(papers: Desk, tmp_path: Path) -> None:
    office = papers.office
    await papers.make("exhibit-copy", [papers.exhibits[0]])
    prepared = await office.box.bundling.prepare(office.principal, office.case.id, None, "hearing")
    bundle = tmp_path / prepared.file_name
    bundle.write_bytes(b"".join([piece async for piece in prepared.stream()]))
    assert main([str(bundle), "--require", "intact"]) == 0


async def test_what_is_no_pages_gets_no_copy(papers: Desk) -> None:
    for exhibit in (papers.exhibits[2], papers.exhibits[3]):
        with pytest.raises(NoCopy, match="Only PDF, JPEG, PNG and TIFF"):
            await papers.make("exhibit-copy", [exhibit])


async def test_a_damaged_or_locked_document_gets_none_either(papers: Desk) -> None:
    office = papers.office
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(delivery_note())) as opened:
        opened.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
    items = [
        office.desk.item("locked.pdf", locked.getvalue()),
        office.desk.item("torn.pdf", b"%PDF-1.7\n" + b"\x00" * 99),
    ]
    await office.box.intake.batch(office.desk.sender(office.owner.id), items, wait=0)
    exhibits = (await office.box.exhibits.page(office.principal))[-2:]
    for exhibit, words in zip(exhibits, ("Locked with a password", "Damaged"), strict=True):
        with pytest.raises(NoCopy, match=words):
            await papers.make("exhibit-copy", [exhibit])


async def test_a_packet_has_its_papers_in_order_with_contents_bookmarks_and_page_numbers(papers: Desk) -> None:
    office = papers.office
    kinds = ("certificate-902-14", "notice-902", "exhibit-copy", "custody-short")
    parts = [(await papers.make(kind, [papers.exhibits[0]], fields=fields_of(office, kind)))[0] for kind in kinds]
    packet, pdf = await papers.make("packet", papers=[part.id for part in parts], fields={"docket": "1:26-cv-01234"})
    text = text_of(pdf)
    for part in parts:
        assert grouped(part.content)[:39] in text and part.title in text
    pages = 1 + sum(part.pages for part in parts)
    assert packet.pages == pages and f"packet page {pages} of {pages}" in text
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        with opened.open_outline() as outline:
            titles = [item.title for item in outline.root]
        assert titles[0] == "Contents" and len(titles) == 5
        assert [str(one.T) for one in opened.Root.AcroForm.Fields] == ["Box"]
        assert opened.Root.StructTreeRoot.K.K  # the parts' own tags are in it
    assert packet.record.parts == tuple(part.id for part in parts)
    assert packet.shows_content  # there is a copy in it


async def test_a_packet_with_a_copy_is_an_export_of_that_exhibit_again(papers: Desk) -> None:
    office, original = papers.office, papers.exhibits[0]
    copy, _ = await papers.make("exhibit-copy", [original])
    packet, _ = await papers.make("packet", papers=[copy.id])
    records = [custody.parse(row["record"]) for row in await office.box.custody.records([original.id])]
    assert [record.detail["bundle"] for record in records if record.kind == "exported"] == [
        str(copy.id),
        str(packet.id),
    ]


async def test_a_packet_takes_papers_of_its_own_case_only(papers: Desk) -> None:
    office = papers.office
    part, _ = await papers.make("exhibit-list")
    other = await office.box.cases.open(office.principal, "2026-0002", "Another")
    making = await office.box.papers.start(office.principal, Wanted("packet", other.id, papers=[part.id]))
    assert making.task is not None
    with pytest.raises(NotFound):
        await making.task
    with pytest.raises(BadRequest, match="A packet names its papers"):
        await papers.make("packet")


def test_sizes_are_held_to_what_courts_take() -> None:
    assert size_warnings(DOCUMENT_LIMIT) == ()
    assert "25 MB" in size_warnings(DOCUMENT_LIMIT + 1)[0]
    assert "50 MB" in size_warnings(ENVELOPE_LIMIT + 1)[0]


async def test_a_form_for_a_physical_item_has_what_was_given_and_room_for_the_rest(papers: Desk) -> None:
    row = {
        "when": "November 18, 2026, 10:05 Central",
        "released_by": "Anna Ödegård",
        "received_by": "Dana Kowalski",
        "purpose": "Safekeeping",
    }
    _, pdf = await papers.make("custody-form", fields={"item": "P-7", "description": "black telephone"}, rows=[row])
    text = text_of(pdf)
    for part in (
        "Chain of Custody",
        "physical item P-7",
        "black telephone",
        "Anna Ödegård",
        "Safekeeping",
        "Released by, signature",
        "Final disposition",
    ):
        assert part in text
    assert "[to be stated by who handles the item: seal no.]" in text


async def test_a_box_that_closes_gives_up_what_it_is_making(papers: Desk) -> None:
    office = papers.office
    making = await office.box.papers.start(office.principal, Wanted("certificate-902-14", office.case.id))
    await office.box.papers.close()
    assert making.task is not None and making.task.cancelled()
    assert await office.box.papers.of_case(office.principal, office.case.id, None, 10) == []


async def test_a_validation_runs_on_this_box_and_reports_what_it_found(papers: Desk) -> None:
    office = papers.office
    case = await office.box.cases.open(office.principal, "VALIDATION", "Tool validation")
    wanted = Wanted("validation-report", case.id, fields={"agreed": "test exhibits stay in this case"})
    making = await office.box.papers.start(office.principal, wanted)
    assert making.task is not None
    paper = await making.task
    text = text_of((await office.box.papers.pdf(office.principal, paper.id))[1])
    assert "checks gave the expected result" in text and "All " in text
    for part in ("sha256sum", "openssl", "not intact", "identical bytes", "6. Deviations", "7. What was not tested"):
        assert part in text
    assert len(await office.box.exhibits.page(office.principal, case=case.id)) == 9


async def test_a_validation_wants_to_hear_that_its_files_stay(papers: Desk) -> None:
    with pytest.raises(BadRequest, match="leaves test exhibits in this case"):
        await papers.make("validation-report")
