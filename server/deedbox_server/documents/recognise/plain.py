"""Plain text, whatever its age: UTF-8, UTF-16 with its mark, else the single-byte set of Windows; cut into pages."""

from collections.abc import Iterator
from typing import BinaryIO

from deedbox_server.documents.derived import MAX_PAGES, TEXT_CHARACTERS, By, PageText, clean
from deedbox_server.documents.reading import Reading

# About a printed page: small enough to show around a hit, large enough that a phrase seldom lies across two.
PAGE = 4000
CUT_SHORT = "cut-short"


def read_plain(document: BinaryIO) -> Reading:
    """The text in pages: a form feed starts a new one, and so does the last line end before PAGE characters."""
    return paged(decode(document.read(4 * TEXT_CHARACTERS)))


def paged(text: str) -> Reading:
    """A reading of this text, cut into pages and cut short at TEXT_CHARACTERS."""
    pages = list(_pages(text[:TEXT_CHARACTERS]))
    note = CUT_SHORT if len(text) > TEXT_CHARACTERS or len(pages) > MAX_PAGES else ""
    numbered = enumerate(pages[:MAX_PAGES], start=1)
    return Reading(tuple(PageText(number, clean(page), By.DIGITAL) for number, page in numbered), (), note=note)


def decode(data: bytes) -> str:
    """Text of these bytes; what fits no reading becomes U+FFFD."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:  # the document was cut inside a character
            return data[: error.start].decode("utf-8-sig")
        return data.decode("cp1252", errors="replace")


def _pages(text: str) -> Iterator[str]:
    for sheet in text.split("\f"):
        at = 0
        while len(sheet) - at > PAGE:
            end = max(sheet.rfind("\n", at, at + PAGE), sheet.rfind("\r", at, at + PAGE)) + 1
            if end <= at:
                end = sheet.rfind(" ", at, at + PAGE) + 1
            if end <= at:
                end = at + PAGE
            yield sheet[at:end]
            at = end
        yield sheet[at:]
