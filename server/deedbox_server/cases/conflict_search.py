"""Which names of all cases meet those that are asked about: candidates by indexed words, sounds and trigrams, then one by one.

A name is looked at if every word of the shorter of the two has one near it, spelt or sounding (of three and more all but one, and
initials count), or if both are the same written in one. What can meet by no word (one firm's names in two languages) is not
found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_server.cases import conflict_match, folding, near_words
from deedbox_server.cases.conflict import AskedName
from deedbox_server.cases.conflict_match import Match
from deedbox_server.cases.folding import FoldedName
from deedbox_server.database import Database, Row
from deedbox_server.people.permissions import Wall

_LEAST: Final = 70.0  # how alike a word is spelt at least for its names to be looked at
_INLINE: Final = 100  # names that are compared without leaving the event loop

_NAME: Final = (
    "party_name.id, party_name.case_id, party_name.party, party_name.kind, party_name.name, party_name.folded,"
    " party_name.joined"
)


@dataclass(frozen=True)
class Met:
    """A name of a party that an asked name met. `inside`: the asker sees its case as one of the firm."""

    asked: str
    case: UUID
    party: UUID | None
    found: str
    name_kind: str
    match: Match
    inside: bool


async def meet(
    db: Database, names: Sequence[AskedName], inside: Wall, *, but: UUID | None, threshold: int
) -> list[Met]:
    """The surest way in which each asked person meets each party of any case, but those of one; surest first."""
    texts = [(place, text) for place, one in enumerate(names) for text in (one.name, *one.aliases)]
    folded = {text: folding.name(text) for _, text in texts}
    near = await _near(db, sorted({word for one in folded.values() for word in one.words}))
    best: dict[tuple[int, UUID, UUID | None], Met] = {}
    for place, text in texts:
        rows = await _candidates(db, folded[text], near, inside, but)
        if len(rows) <= _INLINE:
            met = _compared(text, folded[text], rows, threshold)
        else:
            met = await asyncio.to_thread(_compared, text, folded[text], rows, threshold)
        for one in met:
            key = (place, one.case, one.party)
            if key not in best or best[key].match.sure < one.match.sure:
                best[key] = one
    return sorted(best.values(), key=lambda one: (-one.match.sure, one.found, one.case))


async def _near(db: Database, words: Sequence[str]) -> Mapping[str, set[str]]:
    spelt = await near_words.spelt(db, words, least=_LEAST, beginnings=False)
    sounding = await near_words.sounding(db, words)
    return {word: {word, word[0], *spelt[place], *sounding[word]} for place, word in enumerate(words)}


async def _candidates(
    db: Database, asked: FoldedName, near: Mapping[str, set[str]], inside: Wall, but: UUID | None
) -> list[Row]:
    wanted = sorted({other for word in asked.words for other in near[word]})
    if not wanted:
        return []
    marks = ", ".join(["{}"] * len(wanted))
    count, initials = len(set(asked.words)), sum(len(word) == 1 for word in set(asked.words))
    flag = f"CASE WHEN {inside.on('party_name.case_id')} THEN 1 ELSE 0 END AS inside"
    not_of, but_args = ("", []) if but is None else (" AND party_name.case_id <> {}", [but])
    rows = await db.fetch(
        f"SELECT {_NAME}, {flag} FROM party_name JOIN"
        f" (SELECT name, COUNT(*) AS words FROM party_name_word WHERE word IN ({marks}) GROUP BY name) AS met"
        " ON met.name = party_name.id"
        " WHERE met.words + CAST({} AS integer) >= CASE"
        " WHEN party_name.words > CAST({} AS integer) THEN CAST({} AS integer)"
        f" WHEN party_name.words > 2 THEN party_name.words - 1 ELSE party_name.words END{not_of}",
        *inside.args,
        *wanted,
        initials,
        count,
        count - 1 if count > 2 else count,
        *but_args,
    )
    known = {row["id"] for row in rows}
    rows += [
        row
        for row in await db.fetch(
            f"SELECT {_NAME}, {flag} FROM party_name WHERE (folded = {{}} OR joined = {{}}){not_of}",
            *inside.args,
            asked.key,
            asked.joined,
            *but_args,
        )
        if row["id"] not in known
    ]
    return rows


def _compared(text: str, asked: FoldedName, rows: Sequence[Row], threshold: int) -> list[Met]:
    met = []
    for row in rows:
        found = FoldedName(tuple(row["folded"].split(" ")), row["joined"])
        match = conflict_match.compare(asked, found, threshold)
        if match is not None:
            met.append(Met(text, row["case_id"], row["party"], row["name"], row["kind"], match, bool(row["inside"])))
    return met
