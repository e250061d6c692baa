"""Names and titles as plain words, so that ways of writing one thing meet: script, accents, letter case, punctuation, digraphs,
company forms, titles of persons.

What is promised: Müller, Mueller and MÜLLER fold alike, so do Ødegård and Oedegaard, 李小龙 and Li Xiaolong, Acme Inc. and ACME.
Han characters are read as Mandarin with the family name first; a Japanese name in Han characters is not met by its reading.
Where folding goes too far it makes two names one, never one name two: a conflict check errs on that side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import jellyfish
from anyascii import anyascii

MAX_WORDS: Final = 100  # of one text; the longest title has room for as many
MAX_WORD: Final = 40  # letters; what is longer is a number or an address, and found by its beginning

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[\uac00-\ud7a3]+")
_ARABIC_ARTICLE: Final = re.compile(r"\b\u0627\u0644(?=[\u0621-\u064a]{2})")
_APOSTROPHES: Final = re.compile(r"['`\u2018\u2019\u02bc\u02bb\u02b9]")
_DOTTED: Final = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?")
_WORD: Final = re.compile(r"[a-z0-9]+")
_DIGRAPHS: Final = (
    ("ae", "a"),
    ("oe", "o"),
    ("ue", "u"),
    ("aa", "a"),
)  # ä, ö, ü, å as they are written without the sign
_TOO_SHORT_FOR_A_DIGRAPH: Final = 3  # letters: `sue` stays
# Both codes are made for English; these are how names are written elsewhere (Iwanow and Ivanov, Arsenij and Arseny).
_HEARD: Final = (("tsch", "ch"), ("sch", "sh"), ("cz", "ch"), ("sz", "sh"), ("w", "v"), ("j", "y"))

# Lists of words read better as text than as lists.
COMPANY_FORMS: Final = frozenset(
    """ab ag ao aps as asa bhd bv bvba co company corp corporation cv doo eg ev gbr gmbh inc incorporated jsc kg kgaa kk lc
    limited limitada llc lllp llp lp ltd ltda mbh nv oao ohg ooo oy oyj pa pao pc plc pllc pte pty pvt sa sab sae sarl sas scs
    sdn se sl snc spa spk spzoo srl sro ug vof zao zoo""".split()  # noqa: SIM905
)
_BEFORE: Final = frozenset(
    "ao jsc mr mrs ms miss dr prof hon judge sir dame lord oao ooo pao pt the zao herr frau mme".split()  # noqa: SIM905
)
_AFTER: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "esq", "phd", "md"})
_CONNECTORS: Final = frozenset({"and", "und", "et", "of", "the", "al", "el"})


@dataclass(frozen=True)
class FoldedName:
    """A name's words without forms and titles; `key` has them sorted, `joined` has them in their order in one."""

    words: tuple[str, ...]
    joined: str

    @property
    def key(self) -> str:
        return " ".join(sorted(self.words))


@dataclass(frozen=True)
class Sounds:
    """How a word sounds: Metaphone, and the match rating approach's codex; "" for what is no word of letters."""

    metaphone: str
    codex: str


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text, in order; each is of a-z and 0-9, at most MAX_WORD long."""
    if not text.isascii():
        text = _ARABIC_ARTICLE.sub("al ", unicodedata.normalize("NFKC", text))
        text = anyascii(_APOSTROPHES.sub("", _HAN.sub(_family_name_first, text)))
    plain = _APOSTROPHES.sub("", text).lower()
    if "." in plain:
        plain = _DOTTED.sub(_company_form, plain)
    return tuple(_without_digraphs(word)[:MAX_WORD] for word in _WORD.findall(plain)[:MAX_WORDS])


def name(text: str) -> FoldedName:
    """A person's or company's name. One that consists of nothing but forms and titles keeps them."""
    found = words(text)
    kept = tuple(word for word in _bare(found) if word not in _CONNECTORS)
    return FoldedName(kept or found, "".join(kept or found))


def key(text: str) -> str:
    """A short text as one folded line: for equality and for order."""
    return " ".join(words(text))


def index_words(text: str) -> frozenset[str]:
    """The words that a text is found by: a number also without its leading zeros."""
    found = words(text)
    return frozenset(found) | {word.lstrip("0") for word in found if word.isdigit() and word.strip("0")}


def trigrams(word: str) -> frozenset[str]:
    """Each three letters of the word between two spaces."""
    padded = f" {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


@lru_cache(50_000)  # the words of a large firm's names; each a few dozen bytes
def sounds(word: str) -> Sounds:
    if not word.isalpha():
        return Sounds("", "")
    for written, heard in _HEARD:
        word = word.replace(written, heard)
    # The rating leaves out vowels but for the first letter; y inside a word is one, most of all where it stands for и or ي.
    return Sounds(jellyfish.metaphone(word), jellyfish.match_rating_codex(word[0] + word[1:].replace("y", "i")))


def all_words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in index_words(text))


def _family_name_first(found: re.Match[str]) -> str:
    """Han characters and Hangul syllables stand for one syllable each: 李小龙 is Li Xiaolong, 欧阳修文 Ouyang Xiuwen."""
    syllables = [anyascii(character).strip() for character in found[0]]
    if not 2 <= len(syllables) <= 4:
        return f" {' '.join(syllables)} "
    family = 2 if len(syllables) == 4 else 1
    return f" {''.join(syllables[:family])} {''.join(syllables[family:])} ".title()


def _company_form(found: re.Match[str]) -> str:
    """`l.l.c.` is a company form; `j.r.r.` are initials."""
    together = found[0].replace(".", "")
    return f" {together} " if together in COMPANY_FORMS else " ".join(together)


def _without_digraphs(word: str) -> str:
    if len(word) <= _TOO_SHORT_FOR_A_DIGRAPH:
        return word
    for digraph, letter in _DIGRAPHS:
        word = word.replace(digraph, letter)
    return word


def _bare(found: tuple[str, ...]) -> tuple[str, ...]:
    start, end = 0, len(found)
    while end - start > 1 and (found[end - 1] in COMPANY_FORMS or found[end - 1] in _AFTER | _CONNECTORS):
        end -= 1
    while end - start > 1 and found[start] in _BEFORE:
        start += 1
    return found[start:end]
