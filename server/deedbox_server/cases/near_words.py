"""Words of the vocabulary that are near a given one: spelt much alike, begun alike, or sounding alike.

The vocabulary is that of all cases, so nothing of it reaches anybody: what is found with these words is found within the
wall, and nothing is left out for there being too many words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import fuzz

from deedbox_server.cases import folding
from deedbox_server.database import Database

_SHARE: Final = 0.3  # of its trigrams that a near word has: one wrong letter of five costs three of five
_SHORT: Final = 3  # letters up to which one trigram in common is enough

_DIGIT: Final = re.compile("[0-9]")


async def spelt(db: Database, words: Sequence[str], *, least: float, beginnings: bool) -> list[dict[str, float]]:
    """For each word those that are spelt alike at `least` (0 … 100), with how much; with `beginnings`, those too that begin with
    it, as if it were still being written.
    """
    asked = [(place, word, folding.trigrams(word)) for place, word in enumerate(words)]
    if not asked:
        return []
    parts, args = [], []
    for place, word, trigrams in asked:
        marks = ", ".join(["{}"] * len(trigrams))
        parts.append(
            f"SELECT {place} AS place, word FROM case_word_trigram WHERE trigram IN ({marks})"
            " GROUP BY word HAVING COUNT(*) >= {}"
        )
        args += [*sorted(trigrams), _needed(word, len(trigrams))]
    near: list[dict[str, float]] = [{} for _ in words]
    for row in await db.fetch(" UNION ALL ".join(parts), *args):
        asked_word, found = words[row["place"]], row["word"]
        score = _alike(asked_word, found, beginnings=beginnings)
        if score >= least:
            near[row["place"]][found] = score
    return near


async def sounding(db: Database, words: Iterable[str]) -> dict[str, set[str]]:
    """For each word those that sound like it, by either code."""
    sounds = {word: folding.sounds(word) for word in words}
    found = {word: set[str]() for word in sounds}
    for column, codes in (
        ("sound", {word: one.metaphone for word, one in sounds.items()}),
        ("codex", {word: one.codex for word, one in sounds.items()}),
    ):
        wanted = sorted({code for code in codes.values() if code})
        rows = await db.fetch_in(f"SELECT word, {column} AS code FROM case_word WHERE {column} IN", wanted)
        by_code: dict[str, list[str]] = {}
        for row in rows:
            by_code.setdefault(row["code"], []).append(row["word"])
        for word, code in codes.items():
            found[word].update(by_code.get(code, ()))
    return found


def _needed(word: str, trigrams: int) -> int:
    if len(word) <= _SHORT:
        return 1
    return max(2, int(trigrams * _SHARE + 0.5))


def _alike(asked: str, found: str, *, beginnings: bool) -> float:
    if asked == found:
        return 100.0
    if beginnings and len(asked) > 1 and found.startswith(asked):
        return 97.0 - 10.0 * (1 - len(asked) / len(found))  # the more of it is written, the surer
    if _DIGIT.search(asked) or _DIGIT.search(found):
        return 0.0  # another number is another number
    return fuzz.ratio(asked, found)
