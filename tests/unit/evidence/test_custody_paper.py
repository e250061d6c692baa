"""The custody paper says what happened on one page an exhibit, and nothing that people typed can change its setting."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pikepdf
import pypdfium2
import pytest

from deedbox_server.evidence.custody_paper import CustodyPaper, PaperExhibit, render_custody
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.canonical_json import Json
from deedbox_sync.custody import Actor, CustodyRecord
from deedbox_sync.file_facts import FileFacts
from deedbox_sync.statement import ReadException
from sync_samples import NOON, capture_statement

ANNA = "account:0195a3c4-0000-7000-8000-00000000a44a"
EXPORT: Mapping[str, Json] = {"bundle": "x", "purpose": "a purpose " * 40}
RECEIVED: Mapping[str, Json] = {"captured": True}


def record(number: int, kind: str, minutes: float, detail: Mapping[str, Json] | None = None) -> CustodyRecord:
    time = NOON + timedelta(minutes=minutes)
    return CustodyRecord(
        UUID(int=5), number, kind, time, Actor(ANNA, "Anna Example", "session"), bytes(32), detail or {}, bytes(32)
    )


def exhibit(*records: CustodyRecord | None, name: str = "contract.pdf", bracket: Bracket | None = None) -> PaperExhibit:
    captured = capture_statement(file=FileFacts(name, ("Fälle", "2026"), 7, 1_773_489_600_000_000_000))
    return PaperExhibit(
        7, captured, bytes(range(32)), True, 41, (record(1, "received", 1, RECEIVED), *records), bracket
    )


def paper(*exhibits: PaperExhibit, title: str = "Doe v. Example Ltd.") -> CustodyPaper:
    return CustodyPaper(UUID(int=9), NOON, "2026-0042", title, "deedbox/0/1", 15, exhibits)


def pages(data: bytes) -> list[str]:
    """The text of each page, with breaks within words taken out."""
    document = pypdfium2.PdfDocument(data)
    texts = [page.get_textpage().get_text_bounded().replace("\u200b", "") for page in document]
    return [" ".join(text.split()) for text in texts]


def test_it_tells_source_acquisition_digests_and_events() -> None:
    exported = record(3, "exported", 90, {"bundle": "x", "purpose": "disclosure"})
    (text,) = pages(render_custody(paper(exhibit(record(2, "viewed", 30), exported))))
    for said in (
        "Custody of Exhibit 7",
        "2026-0042 · Doe v. Example Ltd.",
        "contract.pdf",
        "Fälle / 2026",
        "March 14, 2026, 13:00:00 Europe/Berlin (UTC+1)",
        "Anna, authenticated by os session, at Anna's laptop",
        "entry 41, March 14, 2026, 12:01:00 UTC by the box’s clock",
        "no outside time stamp",
        "disclosure",
        "Viewed once by one person",
        "page 1 of 1",
        "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f",
    ):
        assert said in text, said


def test_the_footer_of_each_page_has_number_and_digest() -> None:
    data = render_custody(paper(exhibit(), replace(exhibit(), number=8)))
    texts = pages(data)
    assert ["page 1 of 2" in texts[0], "page 2 of 2" in texts[1]] == [True, True]
    digest = "ed70 02b4 39e9 ac84 5f22 357d 822b ac14 4473 0fbd b601 6d3e c943 2297 b9ec 9f73"
    assert all(digest in text for text in texts)
    assert "Exhibit 8 of bundle" in texts[1]


def test_the_bracket_is_told_with_those_who_vouch_for_it() -> None:
    bracket = Bracket(NOON - timedelta(hours=1), "drand quicknet round 7", NOON + timedelta(hours=1), "Example TSA")
    (text,) = pages(render_custody(paper(exhibit(bracket=bracket))))
    assert "Not before March 14, 2026, 11:00:00 UTC, by drand quicknet round 7" in text
    assert "Not after March 14, 2026, 13:00:00 UTC, by Example TSA" in text
    assert "from not before to not after, by outsiders" in text
    assert "no outside time stamp" not in text


def test_a_side_of_the_bracket_that_nobody_vouches_for_is_told_as_such() -> None:
    only_after = Bracket(not_after=NOON + timedelta(hours=1), not_after_by="Example TSA")
    (text,) = pages(render_custody(paper(exhibit(bracket=only_after))))
    assert "Not before no outsider says" in text
    assert "not after, by outsiders" in text
    only_before = Bracket(not_before=NOON - timedelta(hours=1), not_before_by="drand quicknet round 7")
    (text,) = pages(render_custody(paper(exhibit(bracket=only_before))))
    assert "Not after no outsider says" in text
    assert "not before, by outsiders" in text


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        ({"finding": "ahead", "offset_ms": 63_158_400_000}, "Desk’s clock was 2 years ahead of the box’s"),
        ({"finding": "behind", "offset_ms": -600_000}, "Desk’s clock was 10 minutes behind the box’s"),
        ({"finding": "agrees", "offset_ms": -40}, "Desk’s clock agreed with the box’s to 1 second"),
        ({"finding": "unknown", "offset_ms": None}, "Desk’s clock had not been held against the box’s"),
    ],
)
def test_what_was_found_of_the_desks_clock_is_told(clock: Mapping[str, Json], told: str) -> None:
    one = exhibit()
    received = record(1, "received", 1, {"captured": True, "clock": clock})
    (text,) = pages(render_custody(paper(replace(one, records=(received,)))))
    assert told in text
    assert ("clocks disagree" in text) == (clock["finding"] in ("ahead", "behind"))


def test_withheld_events_are_counted() -> None:
    (text,) = pages(
        render_custody(paper(exhibit(None, None, record(4, "exported", 9, {"bundle": "x", "purpose": None}))))
    )
    assert "2 events are withheld" in text
    assert "All 4 events" in text


def test_what_came_without_a_desk_is_not_called_captured() -> None:
    one = replace(exhibit(), by_desk=False)
    (text,) = pages(render_custody(paper(one)))
    assert "not by a desk of the firm" in text
    assert "by the desk’s clock" not in text


@pytest.mark.parametrize(
    "text",
    ['#panic("x")', '#import "/etc/passwd": *', "$x$ *b* _i_ `c` @r <l> = h", "\\u{41}", "]) #sys.inputs", "// gone"],
)
def test_markup_in_names_is_only_text(text: str) -> None:
    (page,) = pages(render_custody(paper(exhibit(name=text.replace("/", "_")), title=text)))
    squeezed = page.replace(" ", "")
    assert text.replace("/", "_").replace(" ", "") in squeezed
    assert text.replace(" ", "") in squeezed


def test_a_name_that_turns_its_direction_is_shown_as_it_is() -> None:
    (page,) = pages(render_custody(paper(exhibit(name="exe\u202efdp.txt"))))
    assert "exe\\u{202e}fdp.txt" in page.replace(" ", "")


@pytest.mark.parametrize("name", ["証拠.pdf", "دليل.pdf", "😀.txt", "\U0001f9ff\U000e0101\U0010fffd.txt", "x" * 255])
def test_names_in_every_script_make_a_page(name: str) -> None:
    assert len(pages(render_custody(paper(exhibit(name=name))))) == 1


def test_a_busy_life_still_makes_a_page() -> None:
    forms = ["text", "searchable-pdf", "words", "thumbnail", "transcript", "redacted"]
    busy = [record(2 + at, "derived", 2, {"form": form, "producer": "p"}) for at, form in enumerate(forms)]
    busy += [record(8 + at, "downloaded", 10 + at) for at in range(40)]
    busy += [record(48, "exported", 9000, {"bundle": "x", "purpose": "a purpose " * 40})]
    (text,) = pages(render_custody(paper(exhibit(*busy))))
    assert "thumbnail, and 2 more" in text
    assert "text, searchable pdf, words, thumbnail, transcript, redacted" in text
    assert "40 times, last on Mar 14, 2026, 12:49:00 (47)" in text


def test_it_is_letter_size_and_archivable_with_its_fonts_inside() -> None:
    with pikepdf.open(io.BytesIO(render_custody(paper(exhibit())))) as document:
        assert [float(value) for value in document.pages[0].mediabox] == [0, 0, 612, 792]
        metadata = document.open_metadata()
        assert metadata.pdfa_status == "2B"
        fonts = [font for page in document.pages for font in page.Resources.Font.values()]
        embedded = [font.DescendantFonts[0].FontDescriptor for font in fonts]
        assert embedded
        assert all("/FontFile2" in one or "/FontFile3" in one for one in embedded)


def test_a_long_paper_counts_its_pages_through() -> None:
    """Set in parts, joined into one; here one exhibit takes two pages, which moves all numbers after it."""
    reasons = tuple(ReadException("read-error", "sector " * 200) for _ in range(9))
    wordy = replace(exhibit(name="w" * 255), captured=capture_statement(exceptions=reasons, purpose="p " * 200))
    many = [replace(exhibit(), number=number) for number in range(1, 61)]
    data = render_custody(paper(*many[:30], _tall(wordy), *many[31:]))
    texts = pages(data)
    total = len(texts)
    assert total == 61
    assert [f"page {number} of {total}" in text for number, text in enumerate(texts, 1)] == [True] * total
    assert data == render_custody(paper(*many[:30], _tall(wordy), *many[31:]))
    with pikepdf.open(io.BytesIO(data)) as document:
        assert document.open_metadata().pdfa_status == "2B"
        assert "/StructTreeRoot" not in document.Root


def _tall(one: PaperExhibit) -> PaperExhibit:
    """More events than fit beside long words."""
    forms = [record(2 + at, "derived", 2, {"form": f"form-{at}", "producer": "p"}) for at in range(4)]
    downloads = [record(6 + at, "downloaded" if at % 2 else "exported", 5 + at, EXPORT) for at in range(8)]
    return replace(one, records=(*one.records, *forms, *downloads))


def test_it_is_the_same_twice() -> None:
    assert render_custody(paper(exhibit())) == render_custody(paper(exhibit()))
