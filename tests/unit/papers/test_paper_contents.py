"""Each paper says what a court looks for in it, from the record or from the declarant, and never more than the record proves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deedbox_server.errors import Unavailable
from deedbox_server.evidence.paper_words import grouped
from deedbox_server.papers.service import Wanted
from papers_made import FIELDS, NAME_IN_MANY_SCRIPTS, Desk, fields_of, papers_desk, text_of

pytestmark = pytest.mark.anyio

PERJURY = "I declare under penalty of perjury"
# What must be in each, by where it comes from: the law, the declarant, the record of the photograph.
ELEMENTS = {
    "certificate-902-11": [
        "Fed. R. Evid. 902(11)",
        "803(6)(A)",
        "28 U.S.C. § 1746",
        PERJURY,
        "at or near the time",
        "by someone with knowledge",
        "in the course of that regularly conducted activity",
        "regular practice of that activity",
        "custodian of the records",
        FIELDS["declarant"],
        FIELDS["employer"],
        FIELDS["title"],
        FIELDS["qualification"],
        FIELDS["made_by"],
        FIELDS["kept"],
        FIELDS["practice"],
        FIELDS["court"].upper(),
        FIELDS["docket"],
        "November 20, 2026 at Chicago, Illinois",
    ],
    "certificate-902-13": [
        "Fed. R. Evid. 902(13)",
        PERJURY,
        "produces an accurate result",
        FIELDS["qualification"],
        FIELDS["tested"],
        FIELDS["working_order"],
        "computes its SHA-256 digest",
        "append-only log",
        "paired with the system",
    ],
    "certificate-902-14": [
        "Fed. R. Evid. 902(14)",
        PERJURY,
        FIELDS["declarant"],
        FIELDS["employer"],
        FIELDS["qualification"],
        "USB stick",
        "SanDisk Ultra",
        "serial number 4C53-0001",
        "account pat",
        FIELDS["source_device"],  # source device and medium
        FIELDS["acquired"],
        "Oak Park, Illinois",
        "UTC",
        "Europe/Berlin (UTC+1)",  # who, when, where, with the zone
        "deedbox-tests 1",
        FIELDS["settings"],
        FIELDS["protection"],  # tool, version, settings, write blocker
        "SHA-256 when taken",
        "SHA-256 of the copy",
        "SHA-512 of the copy",
        "one file",
        "bytes",  # algorithm, digests, count, size
        "Read again",
        "The two are identical",
        FIELDS["hash_checked"],  # re-hash, its date, the match
        "Storage",
        "custody event",
        "Exceptions none while reading",  # storage, custody, exceptions
        "No one outside the firm had confirmed",  # no outside anchor: said
    ],
    "notice-902": [
        "902(11), (13) and (14)",
        "Please take notice",
        "made available to you for inspection",
        FIELDS["inspect_at"],
        FIELDS["inspect_when"],
        FIELDS["contact"],
        FIELDS["to"],
        FIELDS["proceeding"],
        "fair opportunity to challenge",
        "Certificate of service",
        FIELDS["served_by"],
    ],
    "certificate-illinois": [
        "735 ILCS 5/1-109",
        "Under penalties as provided by law pursuant to Section 1-109",
        "on information and belief",
        FIELDS["practice"],
        FIELDS["hash_checked"],
    ],
    "custody-short": ["Custody of Exhibit 2", "short form", "SanDisk Ultra", "received"],
    "custody-full": [
        "full form",
        "Every custody event",
        "Digests of the custody records",
        "device:",
        "SHA-256 of the copy",
        "Outside time",
        "Storage",
        "Exceptions",
    ],
    "exhibit-list": ["Exhibit List", "offered by Plaintiff", "door.jpg", "captured"],
}


@pytest.mark.parametrize("kind", ELEMENTS)
async def test_a_paper_has_every_element_that_is_looked_for(papers: Desk, kind: str) -> None:
    photo = papers.exhibits[1]
    _, pdf = await papers.make(kind, [photo], fields=fields_of(papers.office, kind))
    text = text_of(pdf)
    missing = [one for one in ELEMENTS[kind] if one not in text]
    assert not missing, text
    assert grouped(photo.content) in text  # in the footer of its pages, if nowhere else
    assert re.search(r"page 1 of \d", text)


async def test_what_the_declarant_has_not_stated_stays_a_marked_line(papers: Desk) -> None:
    _, pdf = await papers.make("certificate-902-14", [papers.exhibits[1]])
    text = text_of(pdf)
    for what in ("full name", "employer", "position", "how and when the declarant compared the digest"):
        assert f"[to be stated by the declarant: {what}" in text
    assert "[to be stated by counsel: the court’s case number]" in text
    assert "under the laws of the United States of America" in text  # the form that serves both within and outside


async def test_a_signing_within_the_united_states_takes_the_shorter_form(papers: Desk) -> None:
    _, pdf = await papers.make("certificate-902-11", [papers.exhibits[0]], fields={"executed_in": "within"})
    assert "under penalty of perjury that the foregoing is true and correct" in text_of(pdf)


async def test_whose_each_statement_is_stands_beside_it(papers: Desk) -> None:
    _, pdf = await papers.make(
        "certificate-902-14", [papers.exhibits[0]], fields=fields_of(papers.office, "certificate-902-14")
    )
    text = text_of(pdf)
    assert text.count("declarant") > 5 and text.count("record ") > 3
    assert "what is the declarant’s own statement, which the record does not show" in text


async def test_what_came_without_a_desk_is_received_and_never_captured(papers: Desk) -> None:
    (sent,) = [one for one in papers.exhibits if not one.captured_by_desk]
    _, pdf = await papers.make("certificate-902-13", [sent])
    text = text_of(pdf)
    assert "sent to the system without a desk" in text
    assert "not by a desk of the firm" in text
    assert "was captured" not in text and "A desk is a program" not in text


async def test_names_in_every_script_and_of_every_length_are_told(papers: Desk) -> None:
    _, pdf = await papers.make("certificate-902-14", papers.exhibits)
    text = text_of(pdf)
    for part in ("証拠", "Übergrößenträger.txt"):
        assert part in text
    assert "n" * 240 + ".bin" in text.replace(" ", "")
    assert NAME_IN_MANY_SCRIPTS in [one.name for one in papers.exhibits]


async def test_what_people_typed_is_words_and_never_markup(papers: Desk) -> None:
    office = papers.office
    name = "\u202egpj.exe #let x = 1 $ \\ * _ @ <a>.txt"
    await office.box.intake.batch(office.desk.sender(office.owner.id), [office.desk.item(name, b"x")], wait=0)
    exhibit = (await office.box.exhibits.page(office.principal))[-1]
    fields = {"declarant": '#panic("x") *bold* $y$', "court": "محكمة"}
    _, pdf = await papers.make("certificate-902-14", [exhibit], fields=fields)
    text = text_of(pdf)
    assert 'My name is #panic("x") *bold* $y$.' in text
    assert (
        r"\u{202e}gpj.exe #let x = 1 $ \ * _ @ <a>.txt" in text
    )  # what turns the direction of reading is shown as what it is
    assert "1 byte, one file" in text


async def test_an_empty_exhibit_has_the_digest_of_nothing_and_counsel_is_told(papers: Desk) -> None:
    empty = papers.exhibits[2]
    paper, pdf = await papers.make("certificate-902-14", [empty])
    assert "e3b0 c442 98fc 1c14" in text_of(pdf) and "0 bytes, one file" in text_of(pdf)
    notes = text_of(await papers.office.box.papers.notes(papers.office.principal, paper.id))
    assert "The SHA-256 is the one of every empty file" in notes


async def test_faults_while_reading_are_in_the_certificate_itself(papers: Desk) -> None:
    _, pdf = await papers.make("certificate-902-14", papers.exhibits)
    assert "While Exhibit 4 was read: live change: it grew while it was read." in text_of(pdf)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("certificate-902-11", "UNCONFIRMED: the words of the declaration follow 28 U.S.C. § 1746"),
        ("certificate-illinois", "UNCONFIRMED: Illinois Rule of Evidence 902(11)"),
        ("certificate-902-13", "cannot vouch for itself"),
        ("certificate-902-14", "Whether the copy that is offered in court is that copy, the declarant checks"),
    ],
)
async def test_notes_for_counsel_say_what_is_not_checked_or_confirmed(papers: Desk, kind: str, told: str) -> None:
    paper, pdf = await papers.make(kind, [papers.exhibits[0]])
    notes = text_of(await papers.office.box.papers.notes(papers.office.principal, paper.id))
    assert told in notes and "For the file, not for filing" in notes
    assert "UNCONFIRMED" not in text_of(pdf)


async def test_the_illinois_paper_cites_no_rule_that_is_unconfirmed(papers: Desk) -> None:
    _, pdf = await papers.make("certificate-illinois", [papers.exhibits[0]])
    text = text_of(pdf)  # digests and identifiers have any digits
    assert not re.search(r"\b902\b|Evid", text.partition("Schedule A")[0])


async def test_a_draft_has_the_notes_in_front_and_leaves_nothing_behind(papers: Desk) -> None:
    office = papers.office
    wanted = Wanted("certificate-902-14", office.case.id, [papers.exhibits[0].id], draft=True)
    text = text_of(await office.box.papers.draft(office.principal, wanted))
    assert text.startswith("Notes for counsel") and "draft, not signed" in text
    assert await office.box.papers.of_case(office.principal, office.case.id, None, 10) == []


async def test_a_copy_that_no_longer_agrees_is_said_in_capitals(papers: Desk) -> None:
    photo = papers.exhibits[1]
    database = papers.office.box.database
    await database.execute("UPDATE exhibit SET blob = {} WHERE id = {}", papers.exhibits[0].blob, photo.id)
    paper, pdf = await papers.make(
        "certificate-902-14", [await papers.office.box.exhibits.get(papers.office.principal, photo.id)]
    )
    text = text_of(pdf)
    assert "does NOT agree with the record" in text and "The two are identical" not in text
    notes = text_of(await papers.office.box.papers.notes(papers.office.principal, paper.id))
    assert "Do not file this certificate" in notes


async def test_an_exhibit_that_is_not_in_the_log_yet_is_given_no_place_there(tmp_path: Path) -> None:
    async with papers_desk(tmp_path, sequencing=False) as desk:
        await desk.office.box.intake.batch(
            desk.office.desk.sender(desk.office.owner.id), [desk.office.desk.item("new.txt", b"new")], wait=0
        )
        exhibit = (await desk.office.box.exhibits.page(desk.office.principal))[-1]
        paper, pdf = await desk.make("certificate-902-13", [exhibit])
        assert "not yet in the log" in text_of(pdf)
        notes = text_of(await desk.office.box.papers.notes(desk.office.principal, paper.id))
        assert "were not in the log yet" in notes
        with pytest.raises(Unavailable):
            await desk.make("custody-short", [exhibit])


async def test_a_list_of_three_hundred_exhibits(papers: Desk) -> None:
    office = papers.office
    more = [office.desk.item(f"file {number}.txt", str(number).encode()) for number in range(294)]
    await office.box.intake.batch(office.desk.sender(office.owner.id), more, wait=0)
    exhibits = await office.box.exhibits.page(office.principal, limit=500)
    paper, pdf = await papers.make("exhibit-list", numbering="PX-{number:03}")
    text = text_of(pdf)
    assert len(paper.record.exhibits) == 300
    assert "PX-001" in text and "PX-300" in text and grouped(exhibits[-1].content)[:39] in text
