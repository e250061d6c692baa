"""Where a query's words stand on a page: what to show of it, and which places to mark. The same for every index."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from deedbox_server.documents.derived import Word
from deedbox_server.search.query import Phrase, Query
from deedbox_server.search.tokens import Token, tokens

Range = tuple[int, int]
Box = tuple[int, int, int, int]

SNIPPET = 240  # characters, about three lines of a result list
_LEAD = 60  # of them before the first match
_MAX_BOXES = 500  # on one page; nobody looks at more


@dataclass(frozen=True)
class Snippet:
    """A stretch of a page's text in one line, and the ranges of it that matched."""

    text: str
    highlights: tuple[Range, ...]


def matches(query: Query, text: str) -> list[Range]:
    """The ranges of a text that fit any phrase the query wants, in order, none inside another."""
    found = list(tokens(text))
    places: dict[str, list[int]] = {}
    for place, token in enumerate(found):
        places.setdefault(token.folded, []).append(place)
    spans = {span for phrase in query.wanted for span in _spans(phrase, found, places)}
    return _merged(sorted(spans))


def snippet(text: str, ranges: Sequence[Range]) -> Snippet:
    """The stretch with the most matches, cut at words, with an ellipsis where the page goes on."""
    first = _densest(ranges)
    start = max(0, first - _LEAD)
    end = min(len(text), start + SNIPPET)
    if start:
        start = _after_space(text, start, first)
    if end < len(text):
        end = _before_space(text, end, start)
    lead = "…" if start else ""
    shown = "".join(" " if character.isspace() else character for character in text[start:end])
    shift = len(lead) - start
    marked = tuple(
        (max(low, start) + shift, min(high, end) + shift) for low, high in ranges if low < end and high > start
    )
    return Snippet(f"{lead}{shown}{'…' if end < len(text) else ''}", marked)


def boxes(words: Sequence[Word], ranges: Sequence[Range]) -> tuple[Box, ...]:
    """The boxes of the words that these ranges touch. `words` are in the order of the text."""
    starts = [word.start for word in words]
    touched: dict[int, None] = {}
    for low, high in ranges:
        place = max(bisect_left(starts, low) - 1, 0)
        while place < len(words) and words[place].start < high:
            if words[place].end > low:
                touched[place] = None
            place += 1
    return tuple(words[place].box for place in list(touched)[:_MAX_BOXES])


def _spans(phrase: Phrase, found: list[Token], places: dict[str, list[int]]) -> list[Range]:
    *rest, last = phrase.words
    if rest:
        starts = places.get(rest[0], [])
    elif phrase.prefix:
        starts = [place for word, at in places.items() if word.startswith(last) for place in at]
    else:
        starts = places.get(last, [])
    length = len(phrase.words)
    spans = []
    for start in starts:
        if start + length > len(found):
            continue
        words = [token.folded for token in found[start : start + length]]
        fits = words[-1].startswith(last) if phrase.prefix else words[-1] == last
        if fits and words[:-1] == rest:
            spans.append((found[start].start, found[start + length - 1].end))
    return spans


def _merged(spans: list[Range]) -> list[Range]:
    merged: list[Range] = []
    for low, high in spans:
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _densest(ranges: Sequence[Range]) -> int:
    """The start of the match after which most others follow within a snippet."""
    room = SNIPPET - _LEAD
    starts = [low for low, _ in ranges]
    if not starts:
        return 0
    return max(starts, key=lambda low: (bisect_left(starts, low + room) - bisect_left(starts, low), -low))


def _after_space(text: str, start: int, limit: int) -> int:
    at = next((at for at in range(start, limit) if text[at].isspace()), None)
    return start if at is None else at + 1


def _before_space(text: str, end: int, limit: int) -> int:
    at = next((at for at in range(end, max(limit, end - _LEAD), -1) if text[at].isspace()), None)
    return end if at is None else at
