"""Text from pictures: OCRmyPDF with Tesseract over chosen pages of a PDF. Errors of theirs become states of ours only here."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import ocrmypdf
import pikepdf
from ocrmypdf import OcrElement
from ocrmypdf import exceptions as theirs
from PIL import Image

from deedbox_server.documents.derived import BOX_UNITS, PAGE_CHARACTERS, Word, clean
from deedbox_server.documents.reading import Unreadable
from deedbox_server.documents.recognise import tesseract_plugin
from deedbox_server.documents.states import ReadState

# skip: pages with any text stay as they are. redo: text stays, pictures around it are read. force: the page is read as a picture
# and becomes one, for text that has no meaning (fonts without a character map) or forms.
Mode = Literal["skip", "redo", "force"]

_PLUGIN = "deedbox_server.documents.recognise.tesseract_plugin"
# Below this Tesseract guesses which way is up (FINDINGS); its own default of 14 misses true cases.
_SURE_OF_ORIENTATION = 5.0
_PAGE_SECONDS = 300.0
# An A0 plan at 300 dpi has 140 million pixels; a decompression bomb has billions.
MAX_MEGAPIXELS = 250.0
_RECOGNISED_MEGAPIXELS = 80.0


@dataclass(frozen=True)
class RecognisedPage:
    """One page's recognised text, its words with places in that text, and the mean of their confidences."""

    text: str
    words: tuple[Word, ...]
    confidence: int


@dataclass(frozen=True)
class Recognised:
    """Pages by number from 1, and a copy of the document whose pictures can be searched."""

    pages: dict[int, RecognisedPage]
    searchable: bytes
    is_pdfa: bool


def recognise(
    document: Path,
    *,
    pages: tuple[int, ...],
    mode: Mode,
    languages: tuple[str, ...],
    jobs: int,
    on_page: Callable[[float], None],
) -> Recognised:
    """Recognise these pages (numbered from 1) of a PDF in the scratch folder. Unreadable where OCRmyPDF cannot."""
    tesseract_plugin.RECOGNISED.clear()
    tesseract_plugin.ON_PAGE[:] = [on_page]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "searchable.pdf")
        try:
            ocrmypdf.ocr(
                document,
                made,
                language=list(languages),
                pages=",".join(map(str, pages)),
                mode=mode,
                jobs=jobs,
                use_threads=True,
                output_type="auto",
                optimize=0,  # the picture in the copy is the original's, bit for bit
                rotate_pages=True,
                rotate_pages_threshold=_SURE_OF_ORIENTATION,
                tesseract_timeout=_PAGE_SECONDS,
                max_image_mpixels=MAX_MEGAPIXELS,
                max_ocr_image_mpixels=_RECOGNISED_MEGAPIXELS,
                invalidate_digital_signatures=True,  # of the copy; the original keeps its own
                tagged_pdf_mode="ignore",
                progress_bar=True,
                plugins=[_PLUGIN],
            )
        except (theirs.ExitCodeException, Image.DecompressionBombError) as error:
            raise Unreadable(_state_of(error), "recognition") from error
        found = {number + 1: _page(tree) for number, tree in tesseract_plugin.RECOGNISED.items()}
        with pikepdf.open(made) as copy:
            is_pdfa = bool(copy.open_metadata().pdfa_status)
        return Recognised(found, made.read_bytes(), is_pdfa)


def tools() -> tuple[str, ...]:
    return (f"ocrmypdf {ocrmypdf.__version__}", str(tesseract_plugin.TreeEngine()))


def _state_of(error: Exception) -> ReadState:
    for kind, state in (
        (theirs.EncryptedPdfError, ReadState.LOCKED),
        (theirs.MissingDependencyError, ReadState.LANGUAGE_MISSING),
        (theirs.InputFileError, ReadState.DAMAGED),
        (Image.DecompressionBombError, ReadState.TOO_LARGE),
    ):
        if isinstance(error, kind):
            return state
    return ReadState.WORKER_DIED


def _page(tree: OcrElement) -> RecognisedPage:
    """Lines on lines, paragraphs apart, and where each word lies in that text."""
    assert tree.bbox is not None
    width, height = max(tree.bbox.right, 1.0), max(tree.bbox.bottom, 1.0)
    pieces: list[str] = []
    words: list[Word] = []
    at = 0
    for separator, element in _words(tree):
        text = clean(" ".join(element.text.split()))
        box = element.bbox
        if not text or box is None:
            continue
        lead = separator if pieces else ""
        start = at + len(lead)
        if start + len(text) > PAGE_CHARACTERS:
            break
        at = start + len(text)
        pieces += (lead, text)
        edges = (box.left / width, box.top / height, box.right / width, box.bottom / height)
        x0, y0, x1, y1 = (min(max(round(edge * BOX_UNITS), 0), BOX_UNITS) for edge in edges)
        words.append(Word(start, at, round(100 * (element.confidence or 0.0)), (x0, y0, x1, y1)))
    confidences = [word.confidence or 0 for word in words]
    mean = round(sum(confidences) / len(confidences)) if confidences else 0
    return RecognisedPage("".join(pieces), tuple(words), mean)


def _words(tree: OcrElement) -> Iterator[tuple[str, OcrElement]]:
    """Every word in reading order, with what stands before it: nothing sensible for the very first."""
    for paragraph in tree.paragraphs or [tree]:
        before = "\n\n"
        for line in paragraph.lines or [paragraph]:
            for word in line.words:
                yield before, word
                before = " "
            before = "\n"
