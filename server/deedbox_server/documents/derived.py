"""The texts and words that reading makes of an exhibit, as `formats/derived.md` writes them.

Parsed strictly even by the box that wrote them: a worker, taken to be hostile, made them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from deedbox_sync.canonical_json import Fields, Json, encode, parse_object
from deedbox_sync.errors import FormatError

TEXT, WORDS, FACTS, SEARCHABLE_PDF = "text", "words", "facts", "searchable-pdf"
JSON_TYPE, PDF_TYPE = "application/json", "application/pdf"

# Boxes are in ten-thousandths of the page's width and height: fine enough for a highlight, free of units and rounding.
BOX_UNITS = 10_000
# A dense page of a legal form has 8,000 characters; a page of plain text is cut at 4,000 by its reader.
PAGE_CHARACTERS = 100_000
# All pages together: a novel has half a million.
TEXT_CHARACTERS = 20_000_000
MAX_PAGES = 100_000
# What JSON may take: every character as six bytes of escape, and then its words.
_TEXT_LIMIT = 6 * TEXT_CHARACTERS + (1 << 20)
_WORDS_LIMIT = 512 << 20
_FACTS_LIMIT = 1 << 20
_TURNS = (0, 90, 180, 270)
# Control characters have no place in text; U+2028 and U+2029 are line ends in disguise, lone surrogates are not text at all.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")


class By(StrEnum):
    """How a page's text came about."""

    DIGITAL = "digital"
    RECOGNISED = "recognised"
    MIXED = "mixed"
    NONE = "none"


@dataclass(frozen=True)
class PageText:
    """One page's text; `confidence` (0 … 100, the mean of its recognised words) only where something was recognised."""

    page: int
    text: str
    by: By
    confidence: int | None = None


@dataclass(frozen=True)
class Word:
    """text[start:end] of its page, and its box (left, top, right, bottom) in BOX_UNITS of the page as it is shown."""

    start: int
    end: int
    confidence: int | None
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class PageWords:
    """A page's words in the order of its text. `width` and `height` are in hundredths of a point, as shown.

    `turned` says by how many degrees clockwise the searchable copy shows the page further than the original does.
    """

    page: int
    width: int
    height: int
    turned: int
    words: tuple[Word, ...]


def clean(text: str) -> str:
    """Text as it is kept: no longer than a page may be, line ends as line feeds, control and other non-characters as spaces."""
    return _UNWANTED.sub(" ", _LINE_END.sub("\n", text[:PAGE_CHARACTERS]))


def encode_text(pages: Sequence[PageText]) -> bytes:
    items: list[Json] = [
        {"by": page.by.value, "confidence": page.confidence, "page": page.page, "text": page.text} for page in pages
    ]
    return encode({"form": TEXT, "pages": items, "v": 1})


def parse_text(data: bytes) -> tuple[PageText, ...]:
    fields = _open(data, TEXT, _TEXT_LIMIT)
    pages = tuple(_page_text(item) for item in fields.objects("pages"))
    fields.done()
    _in_order([page.page for page in pages], fields)
    return pages


def encode_words(pages: Sequence[PageWords]) -> bytes:
    items: list[Json] = [
        {
            "height": page.height,
            "page": page.page,
            "turned": page.turned,
            "width": page.width,
            "words": [[word.start, word.end, word.confidence, *word.box] for word in page.words],
        }
        for page in pages
    ]
    return encode({"form": WORDS, "pages": items, "v": 1})


def parse_words(data: bytes) -> tuple[PageWords, ...]:
    fields = _open(data, WORDS, _WORDS_LIMIT)
    pages = tuple(_page_words(item) for item in fields.objects("pages"))
    fields.done()
    _in_order([page.page for page in pages], fields)
    return pages


def encode_facts(facts: Mapping[str, Json]) -> bytes:
    return encode({"facts": facts, "form": FACTS, "v": 1})


def parse_facts(data: bytes) -> Mapping[str, Json]:
    fields = _open(data, FACTS, _FACTS_LIMIT)
    facts = fields.members("facts")
    fields.done()
    return facts


def _open(data: bytes, form: str, limit: int) -> Fields:
    fields = Fields(parse_object(data, limit=limit, where=form), form)
    fields.literal("v", 1)
    fields.literal("form", form)
    return fields


def _page_text(fields: Fields) -> PageText:
    text = fields.text("text")
    if text != clean(text):
        raise fields.fault("text", "is too long or holds control characters")
    by = fields.text("by")
    if by not in tuple(By):
        raise fields.fault("by", "is not a known way")
    page = PageText(_page_number(fields), text, By(by), fields.optional_integer("confidence", high=100))
    fields.done()
    return page


def _page_words(fields: Fields) -> PageWords:
    turned = fields.integer("turned", high=270)
    if turned not in _TURNS:
        raise fields.fault("turned", "is not a quarter turn")
    words = []
    reached = 0
    for item in fields.array("words"):
        word = _word(item, fields)
        if word.start < reached:
            raise fields.fault("words", "are not in order")
        reached = word.end
        words.append(word)
    page = PageWords(_page_number(fields), fields.integer("width"), fields.integer("height"), turned, tuple(words))
    fields.done()
    return page


def _word(item: Json, fields: Fields) -> Word:
    if not isinstance(item, list) or len(item) != 7:
        raise fields.fault("words", "has an item that is no word")
    start, end, confidence, *box = item
    if confidence is not None and not _within(confidence, 100):
        raise fields.fault("words", "has a confidence out of bounds")
    if not all(_within(edge, BOX_UNITS) for edge in box) or box[0] > box[2] or box[1] > box[3]:
        raise fields.fault("words", "has a box out of bounds")
    if not _within(start, PAGE_CHARACTERS) or not _within(end, PAGE_CHARACTERS) or start >= end:
        raise fields.fault("words", "has a place out of bounds")
    return Word(start, end, confidence, (box[0], box[1], box[2], box[3]))


def _within(value: Json, high: int) -> bool:
    return type(value) is int and 0 <= value <= high


def _page_number(fields: Fields) -> int:
    return fields.integer("page", low=1, high=MAX_PAGES)


def _in_order(numbers: list[int], fields: Fields) -> None:
    if any(one >= other for one, other in pairwise(numbers)):
        raise FormatError(f"{fields.where}.pages", "are not in order")
