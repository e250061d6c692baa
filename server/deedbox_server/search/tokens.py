"""Text as the words that an index holds: the same cut and the same folding for every document, every query, both databases.

A word is a run of letters, digits and their marks. Case, accents and forms of one letter are folded (Łódź is lodz, ﬁne is
fine). Scripts that are written without spaces between words give a word for each sign, so that a query's signs are found in
their order anywhere; so does Hangul, whose endings would hide its words. A word broken at a line's end is one word again.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

# Longer runs are no words; a prefix of one is found by it. SHA-512 in hex has 128.
MAX_TOKEN = 128

# Letters that have no decomposition, though people type them without their stroke.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)

# Scripts without spaces between words: Thai and Lao, Tibetan, Myanmar, Hangul, Khmer, Kana, Bopomofo, Han and their extensions.
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3005-\u3007\u3040-\u312f"
    "\u3130-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# A hyphen at a line's end, between letters of which the second is a small one, is the printer's and not the writer's.
_BROKEN = re.compile("[-\u00ad\u2010]\n[ \t]*")
_ASCII = re.compile("[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A folded word and where it stands: text[start:end]."""

    folded: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The words of a text in their order."""
    pattern = _ASCII if text.isascii() else _pattern()
    waiting: Token | None = None
    for found in pattern.finditer(text):
        token = Token(_fold(found[0]), found.start(), found.end())
        if waiting is not None and _is_one_word(text, waiting.end, token.start):
            token = Token((waiting.folded + token.folded)[:MAX_TOKEN], waiting.start, token.end)
        elif waiting is not None and waiting.folded:
            yield waiting
        waiting = token
    if waiting is not None and waiting.folded:
        yield waiting


def folded(text: str) -> tuple[str, ...]:
    """Only the words."""
    return tuple(token.folded for token in tokens(text))


def _is_one_word(text: str, end: int, start: int) -> bool:
    return (
        start - end >= 2
        and end >= 2
        and text[end - 2 : end].isalpha()
        and text[start].islower()
        and _BROKEN.fullmatch(text, end, start) is not None
    )


@lru_cache(maxsize=65536)
def _fold(word: str) -> str:
    if word.isascii():
        return word.lower()[:MAX_TOKEN]
    spread = unicodedata.normalize("NFD", "".join(map(_plain_form, word)).casefold())
    kept = "".join(character for character in spread if not _is_accent(character)).translate(_PLAIN)
    return "".join(filter(_is_of_word, unicodedata.normalize("NFC", kept)))[:MAX_TOKEN]


def _plain_form(character: str) -> str:
    """What a full-width letter or a ligature stands for; a fraction or a parenthesised number stays what it is."""
    plain = unicodedata.normalize("NFKC", character)
    return plain if plain.isalnum() else character


def _is_of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _is_accent(character: str) -> bool:
    """A mark over a Latin, Greek, Cyrillic, Hebrew or Arabic letter: writers leave it out. Vowel signs of other scripts stay."""
    code = ord(character)
    return unicodedata.combining(character) != 0 and (
        0x0300 <= code < 0x0370
        or 0x0483 <= code < 0x0488
        or 0x0591 <= code < 0x05C8
        or 0x0610 <= code < 0x06EE
        or 0x1AB0 <= code < 0x1B00
        or 0x1DC0 <= code < 0x1E00
        or 0x20D0 <= code < 0x2100
        or 0xFE20 <= code < 0xFE30
    )


@cache
def _pattern() -> re.Pattern[str]:
    marks = _marks()
    return re.compile(f"[{_UNSPACED}][{marks}]*|(?:(?![{_UNSPACED}])[^\\W_]|(?![{_UNSPACED}])[{marks}])+")


def _marks() -> str:
    """All combining marks, as the inside of a character class; made once, from what this Python knows of Unicode."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
