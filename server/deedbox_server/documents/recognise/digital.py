"""The text that a PDF carries as text, page by page, with the place of every word (pdfium).

Every page of every PDF passes here first; only where this finds too little to be the page's text is the page recognised as a
picture.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from deedbox_server.documents.derived import BOX_UNITS, PAGE_CHARACTERS, Word, clean

# Fewer letters and digits than this on a page that is mostly picture are a stamp or a page number on a scan, not its text.
_STAMP = 120
_PICTURE = 0.5  # share of the page that pictures cover
_LEAST = 8  # letters and digits that make a page's text at all
_GARBLED = 0.25  # share of characters without meaning, as from fonts without a character map
_OBJECTS = 2000  # page objects looked at; pictures of scans come first
_CARRIAGE_RETURN = 0x0D
_HYPHEN = 0x02  # pdfium's sign for a hyphen at a line's end
_PRIVATE_USE = range(0xE000, 0xF900)


@dataclass(frozen=True)
class DigitalPage:
    """What one page carries. `width` and `height` in points as shown, turned by the page's own `rotation`."""

    text: str
    words: tuple[Word, ...]
    width: float
    height: float
    rotation: int
    garbled: bool
    needs_recognition: bool


def read_page(document: pypdfium2.PdfDocument, index: int) -> DigitalPage:
    """Page `index`, from 0. pypdfium2.PdfiumError where pdfium cannot load it."""
    page = document[index]
    try:
        letters = _letters(page)
        text, words = _text_and_words(letters)
        meaningful = sum(character.isalnum() for character in text)
        senseless = sum(letter.code == 0xFFFD or letter.code in _PRIVATE_USE for letter in letters)
        garbled = senseless > _GARBLED * max(len(letters), 1)
        pictured, empty = _pictures(page)
        lacking = garbled or meaningful < _LEAST or (pictured > _PICTURE and meaningful < _STAMP)
        width, height = page.get_size()
        return DigitalPage(text, words, width, height, page.get_rotation(), garbled, lacking and not empty)
    finally:
        page.close()


@dataclass(frozen=True)
class _Letter:
    code: int
    box: tuple[int, int, int, int] | None


def _letters(page: pypdfium2.PdfPage) -> list[_Letter]:
    """pdfium's characters in its reading order; UTF-16 halves are joined, and what is no word has no box."""
    textpage = page.get_textpage()
    try:
        found: list[_Letter] = []
        high = 0
        for index in range(min(textpage.count_chars(), PAGE_CHARACTERS)):
            code = pdfium.FPDFText_GetUnicode(textpage.raw, index)
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000 and high:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            high = 0
            if code == _HYPHEN:
                found += (_Letter(ord("-"), _box(page, textpage, index)), _Letter(ord("\n"), None))
            elif code and code != _CARRIAGE_RETURN:  # every line ends with both
                found.append(_Letter(code, None if chr(code).isspace() else _box(page, textpage, index)))
        return found
    finally:
        textpage.close()


def _box(page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, index: int) -> tuple[int, int, int, int] | None:
    """The character's box on the page as shown: pdfium applies crop box and rotation."""
    edges = [ctypes.c_double() for _ in range(4)]
    left, right, bottom, top = edges
    if not pdfium.FPDFText_GetCharBox(textpage.raw, index, left, right, bottom, top):
        return None
    corners = []
    for x, y in ((left, top), (right, bottom)):
        across, down = ctypes.c_int(), ctypes.c_int()
        if not pdfium.FPDF_PageToDevice(page.raw, 0, 0, BOX_UNITS, BOX_UNITS, 0, x, y, across, down):
            return None
        corners.append((min(max(across.value, 0), BOX_UNITS), min(max(down.value, 0), BOX_UNITS)))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _text_and_words(letters: list[_Letter]) -> tuple[str, tuple[Word, ...]]:
    text = clean(
        "".join(chr(letter.code) for letter in letters)
    )  # keeps every place: no line end here is two characters
    words: list[Word] = []
    for start, end in _runs(text):
        boxes = [box for letter in letters[start:end] if (box := letter.box) is not None]
        if boxes:
            words.append(Word(start, end, None, _around(boxes)))
    return text, tuple(words)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    start = None
    for at, character in enumerate(text):
        if character.isspace():
            if start is not None:
                yield start, at
                start = None
        elif start is None:
            start = at
    if start is not None:
        yield start, len(text)


def _around(boxes: list[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _pictures(page: pypdfium2.PdfPage) -> tuple[float, bool]:
    """The share of the page that pictures cover (overlaps counted twice), and whether the page is empty."""
    width, height = page.get_size()
    covered, seen = 0.0, 0
    for thing in page.get_objects(max_depth=3):
        seen += 1
        if seen > _OBJECTS:
            break
        if thing.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            covered += max(right - left, 0.0) * max(top - bottom, 0.0)
    return covered / max(width * height, 1.0), seen == 0
