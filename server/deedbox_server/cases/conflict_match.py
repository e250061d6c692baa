"""Whether two names may be one: exactly, by initials, as part of each other, by sound, or nearly. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from deedbox_server.cases import folding
from deedbox_server.cases.conflict import How
from deedbox_server.cases.folding import FoldedName

DEFAULT_THRESHOLD: Final = 85  # of the token-set ratio; below it, half of all Johnsons would be Jacksons

# How sure each way makes one, 0 … 100: an order for whoever looks, not a probability.
_EXACT: Final = 100
_PART: Final = 85
_PART_OF_ONE_WORD: Final = 60  # Smith, of John Smith
_INITIALS: Final = 85
_PHONETIC: Final = 75
_PHONETIC_OF_ONE_WORD: Final = 50
_MORE_WORDS: Final = 5  # less for each word that only one of the names has
_NEARLY: Final = 0.9  # of the ratio: what is spelt otherwise is never as sure as what is not


@dataclass(frozen=True)
class Match:
    how: How
    sure: int


def compare(asked: FoldedName, found: FoldedName, threshold: int = DEFAULT_THRESHOLD) -> Match | None:
    """The surest way in which two names meet, if they do."""
    if asked.key == found.key or asked.joined == found.joined:
        return Match("exact", _EXACT)
    matches = [one for one in (_aligned(asked, found), _fuzzy(asked, found, threshold)) if one is not None]
    return max(matches, key=lambda one: one.sure, default=None)


def sound_alike(one: str, other: str) -> bool:
    a, b = folding.sounds(one), folding.sounds(other)
    return (a.metaphone != "" and a.metaphone == b.metaphone) or (a.codex != "" and a.codex == b.codex)


def _aligned(asked: FoldedName, found: FoldedName) -> Match | None:
    """Every word of the shorter name has its own in the longer: the same, its initial, or one that sounds alike."""
    short, long = sorted((asked.words, found.words), key=len)
    left = list(long)
    ways: list[str] = []
    for way, meets in (("same", _same), ("sound", _sound), ("initial", _initial)):
        for word in short[:]:
            partner = next((one for one in left if meets(word, one)), None)
            if partner is not None:
                left.remove(partner)
                short = _without(short, word)
                ways.append(way)
    if short or not ways or ("same" not in ways and "sound" not in ways):
        return None
    more = _MORE_WORDS * len(left)
    if "sound" in ways:
        return Match("phonetic", (_PHONETIC_OF_ONE_WORD if len(ways) == 1 and left else _PHONETIC) - min(more, 25))
    if "initial" in ways:
        return Match("initials", _INITIALS - min(more, 25))
    return Match("part", _PART_OF_ONE_WORD if len(ways) == 1 else _PART - min(more, 25))


def _fuzzy(asked: FoldedName, found: FoldedName, threshold: int) -> Match | None:
    one, other = " ".join(asked.words), " ".join(found.words)
    ratio = fuzz.ratio(asked.joined, found.joined)
    if not set(asked.words) <= set(found.words) and not set(found.words) <= set(asked.words):
        ratio = max(ratio, fuzz.token_set_ratio(one, other))  # of which a name that is part of the other is always 100
    return Match("fuzzy", int(ratio * _NEARLY)) if ratio >= threshold else None


def _same(one: str, other: str) -> bool:
    return one == other


def _sound(one: str, other: str) -> bool:
    return len(one) > 1 and len(other) > 1 and sound_alike(one, other)


def _initial(one: str, other: str) -> bool:
    return (len(one) == 1 or len(other) == 1) and one[0] == other[0]


def _without(words: tuple[str, ...], word: str) -> tuple[str, ...]:
    at = words.index(word)
    return words[:at] + words[at + 1 :]
