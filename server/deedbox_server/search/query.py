"""What people type into the search field, as a tree. There is no wrong query: whatever is typed means something, or nothing.

words beside each other     all of them, on one page
"some words"                these words in this order; so do words joined by other signs: O'Brien, 12/2024
word*                       what begins so (two signs at least)
one OR two                  pages with either; binds looser than words beside each other
-word, -"some words"        not pages with that; something must be wanted beside it
"""

import re
from dataclasses import dataclass

from deedbox_server.search.tokens import folded

# More than anyone types; what lies beyond is not looked at.
MAX_QUERY = 1000
# Each costs the index a look-up on every page that is left.
MAX_PHRASES = 50
# One sign begins a large part of all words.
_SHORTEST_PREFIX = 2

_PIECE = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?(?P<star>\*?)|(?P<word>[^\s"]+))')


@dataclass(frozen=True)
class Phrase:
    """Folded words that follow each other; with `prefix` the last may go on."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True)
class Group:
    """Pages with all of `wanted`, which is never empty, and none of `barred`."""

    wanted: tuple[Phrase, ...]
    barred: tuple[Phrase, ...] = ()


@dataclass(frozen=True)
class Query:
    """Pages that fit any of the groups; without groups, no page."""

    groups: tuple[Group, ...] = ()

    @property
    def wanted(self) -> tuple[Phrase, ...]:
        """Every phrase that is looked for, to be shown where it is found."""
        return tuple(phrase for group in self.groups for phrase in group.wanted)


def parse_query(text: str) -> Query:
    """The query of any text at all."""
    groups: list[Group] = []
    wanted: list[Phrase] = []
    barred: list[Phrase] = []
    count = 0
    negated = False
    for piece in _PIECE.finditer(text[:MAX_QUERY]):
        word = piece["word"]
        if word == "OR" and not piece["minus"]:
            _close(groups, wanted, barred)
            wanted, barred = [], []
            continue
        if word in ("AND", "NOT") and not piece["minus"]:
            negated = word == "NOT"
            continue
        phrase = _phrase(word if word is not None else piece["phrase"], star=bool(piece["star"]))
        if phrase is not None and count < MAX_PHRASES:
            (barred if piece["minus"] or negated else wanted).append(phrase)
            count += 1
        negated = False
    _close(groups, wanted, barred)
    return Query(tuple(groups))


def _close(groups: list[Group], wanted: list[Phrase], barred: list[Phrase]) -> None:
    if wanted:
        groups.append(Group(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(barred))))


def _phrase(text: str, *, star: bool) -> Phrase | None:
    words = folded(text)
    if not words:
        return None
    return Phrase(words, (star or text.endswith("*")) and len(words[-1]) >= _SHORTEST_PREFIX)
