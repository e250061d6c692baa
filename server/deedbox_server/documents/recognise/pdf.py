"""A PDF: its own text where it has any, recognised text where a page is a picture, both where it is a stamped scan."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from deedbox_server.documents.derived import MAX_PAGES, PAGE_CHARACTERS, TEXT_CHARACTERS, By, PageText, PageWords, Word
from deedbox_server.documents.reading import Reading, Report, Unreadable
from deedbox_server.documents.recognise import ocr
from deedbox_server.documents.recognise.digital import DigitalPage, read_page
from deedbox_server.documents.recognise.frames import crop, turn
from deedbox_server.documents.recognise.plain import CUT_SHORT
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress
from deedbox_server.documents.worker_request import WorkerRequest
from deedbox_sync.canonical_json import Json

_NO_PAGE = DigitalPage("", (), 0.0, 0.0, 0, garbled=False, needs_recognition=False)
_NO_MORE = replace(_NO_PAGE)  # a page that was not looked at any more
_HUNDREDTHS = 100
PARTLY = "partly-recognised"


def read_pdf(document: BinaryIO, request: WorkerRequest, report: Report) -> Reading:
    """Text and words of every page; a searchable copy where pages had to be recognised.

    Where recognition fails and other pages carry text of their own, these are kept and the note says what failed.
    """
    facts = _facts(document)
    pages = _digital_pages(document)
    note = CUT_SHORT if any(page is _NO_MORE for page in pages) else ""
    wanted = tuple(number for number, page in enumerate(pages, start=1) if page.needs_recognition)
    report(Progress(len(pages) - len(wanted), len(pages)))
    if not wanted:
        return _digital_reading(pages, facts, note)
    chosen = wanted[: request.recognised_pages]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "document.pdf")
        document.seek(0)
        with copy.open("wb") as target:
            copyfileobj(document, target)
        try:
            recognised = ocr.recognise(
                copy,
                pages=chosen,
                mode=_mode(pages, chosen, form=facts["form"] is True),
                languages=request.languages,
                jobs=request.jobs,
                on_page=lambda done: report(Progress(min(int(done), len(pages)), len(pages))),
            )
        except Unreadable as error:
            if len(wanted) == len(pages):
                raise
            return _digital_reading(pages, facts, f"not-recognised:{error.state.value}")
    return merge(pages, recognised, facts, note=PARTLY if len(chosen) < len(wanted) else note)


def merge(pages: Sequence[DigitalPage], recognised: ocr.Recognised, facts: dict[str, Json], *, note: str) -> Reading:
    """One reading of what the pages carry and what was recognised on them."""
    texts: list[PageText] = []
    words: list[PageWords] = []
    with pypdfium2.PdfDocument(recognised.searchable) as copy:
        for number, page in enumerate(pages, start=1):
            sheet = copy[number - 1]
            one, others = _merged(number, page, recognised.pages.get(number), sheet)
            texts.append(one)
            words.append(others)
            sheet.close()
    return Reading(
        tuple(texts),
        (*ocr.tools(), _pdfium()),
        tuple(words),
        {**facts, "searchable_pdfa": recognised.is_pdfa},
        recognised.searchable,
        note,
    )


def _merged(
    number: int, page: DigitalPage, found: ocr.RecognisedPage | None, sheet: pypdfium2.PdfPage
) -> tuple[PageText, PageWords]:
    rotation, (width, height) = sheet.get_rotation(), sheet.get_size()
    turned = (rotation - page.rotation) % 360
    carried = "" if page.garbled and found else page.text
    boxed = [] if page.garbled and found else [_moved(word, 0, turn(word.box, turned)) for word in page.words]
    text, by = carried, By.DIGITAL if carried.strip() else By.NONE
    if found and found.words:
        by = By.MIXED if carried.strip() else By.RECOGNISED
        lead = carried + "\n\n" if carried.strip() else ""
        text = (lead + found.text)[:PAGE_CHARACTERS]
        for word in found.words:
            if len(lead) + word.end > PAGE_CHARACTERS:
                break
            box = crop(word.box, media=sheet.get_mediabox(), shown=sheet.get_cropbox(), rotation=rotation)
            if box is not None:
                boxed.append(_moved(word, len(lead), box))
    confidence = found.confidence if found and found.words else None
    size = (round(width * _HUNDREDTHS), round(height * _HUNDREDTHS))
    return PageText(number, text, by, confidence), PageWords(number, *size, turned, tuple(boxed))


def _digital_reading(pages: Sequence[DigitalPage], facts: dict[str, Json], note: str) -> Reading:
    texts = (
        PageText(number, page.text, By.DIGITAL if page.text.strip() else By.NONE)
        for number, page in enumerate(pages, start=1)
    )
    words = (
        PageWords(number, round(page.width * _HUNDREDTHS), round(page.height * _HUNDREDTHS), 0, page.words)
        for number, page in enumerate(pages, start=1)
    )
    return Reading(tuple(texts), (_pdfium(),), tuple(words), facts, note=note)


def _moved(word: Word, by: int, box: tuple[int, int, int, int]) -> Word:
    return Word(word.start + by, word.end + by, word.confidence, box)


def _mode(pages: Sequence[DigitalPage], chosen: tuple[int, ...], *, form: bool) -> ocr.Mode:
    if any(pages[number - 1].garbled for number in chosen):
        return "force"
    if any(pages[number - 1].text.strip() for number in chosen):
        return "force" if form else "redo"
    return "skip"


def _digital_pages(document: BinaryIO) -> list[DigitalPage]:
    document.seek(0)
    try:
        with pypdfium2.PdfDocument(document) as opened:
            if len(opened) > MAX_PAGES:
                raise Unreadable(ReadState.TOO_LARGE, "pages")
            pages, characters = [], 0
            for index in range(len(opened)):
                pages.append(_page(opened, index) if characters < TEXT_CHARACTERS else _NO_MORE)
                characters += len(pages[-1].text)
            return pages
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD
        raise Unreadable(ReadState.LOCKED if locked else ReadState.DAMAGED, "pdf") from error


def _page(document: pypdfium2.PdfDocument, index: int) -> DigitalPage:
    try:
        return read_page(document, index)
    except pypdfium2.PdfiumError:
        return _NO_PAGE  # one broken page does not hide the others


def _facts(document: BinaryIO) -> dict[str, Json]:
    """What the file says of itself, and what decides how it can be read."""
    document.seek(0)
    try:
        with pikepdf.open(document) as opened:
            root = opened.Root
            if root.get("/NeedsRendering"):
                raise Unreadable(ReadState.UNSUPPORTED, "xfa")
            form = root.get("/AcroForm")
            fields = form is not None and len(form.get("/Fields", ())) > 0
            return {
                "form": fields,
                "kind": "pdf",
                "locked_for_editing": opened.is_encrypted,
                "pages": len(opened.pages),
                "pdfa": str(opened.open_metadata().pdfa_status),
                "signed": form is not None and bool(int(form.get("/SigFlags", 0)) & 1),
            }
    except pikepdf.PasswordError as error:
        raise Unreadable(ReadState.LOCKED, "pdf") from error
    except (pikepdf.PdfError, ValueError, TypeError) as error:
        raise Unreadable(ReadState.DAMAGED, "pdf") from error


def _pdfium() -> str:
    return f"pypdfium2 {pypdfium2.PYPDFIUM_INFO}"
