"""Find cases by words, also misspelt or only begun, in number, title and docket number, and for the firm in clients' and
parties' names.

Which case is found, how high it stands and what is suggested depends on the case itself, the question and the wall, and on no
case that the asker does not see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from rapidfuzz import fuzz

from deedbox_server import cursor
from deedbox_server.cases import case as facts
from deedbox_server.cases import folding, near_words, plain_text, search_rank
from deedbox_server.cases.case import Case
from deedbox_server.cases.page import Page, limit_of
from deedbox_server.cases.search_rank import Candidate, Within
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.permissions import Wall

MAX_QUERY: Final = 200  # characters
MAX_TOKENS: Final = 8  # words of a question; more do not make it clearer
_LEAST: Final = (
    72.0  # how alike a word is at least: one wrong letter of five is 80, two letters changed places of seven are 86
)
_STOP: Final = frozenset({"and", "against", "in", "of", "re", "the", "v", "versus", "vs"})
_SPELLING_WEIGHT: Final = 0.8  # the rest is how well the whole question fits the title
_WHOLE_NUMBER: Final = 1000  # a score beyond every other: somebody typed the matter number


@dataclass(frozen=True)
class Shown:
    """Where a case has what was asked for: `number`, `title`, `docket`, `client`, `party`."""

    place: str
    text: str


@dataclass(frozen=True)
class Found:
    """A case that was found: how well (0 … 1000), and by what."""

    case: Case
    score: int
    shown: tuple[Shown, ...]


@dataclass(frozen=True)
class Answer:
    """A page of what was found. `suggestion`: the question with its words as the best case spells them, where they differ."""

    page: Page[Found]
    suggestion: str | None


@dataclass(frozen=True)
class _Ranked:
    case: UUID
    score: int
    number: str


class CaseSearch:
    def __init__(self, db: Database, permissions: Permissions) -> None:
        self._db = db
        self._permissions = permissions

    async def find(
        self,
        principal: Principal,
        question: str,
        *,
        state: str | None = None,
        after: str | None = None,
        limit: int = 20,
    ) -> Answer:
        """The cases that fit best, best first, at most `search_rank.RANKED` in all. BadRequest for a question without words."""
        self._permissions.require(principal, "case.list")
        size = limit_of(limit)
        tokens = _tokens(question)
        near = await near_words.spelt(self._db, tokens, least=_LEAST, beginnings=True)
        seen, inside = self._permissions.wall(principal, "case.read"), self._permissions.wall(principal, "party.read")
        within = Within(seen, inside, state)
        found_cases = await search_rank.candidates(self._db, near, _needed(len(tokens)), within)
        asked = " ".join(tokens)
        ranked = sorted(
            (_Ranked(one.case, _score(one, asked, len(tokens)), one.number) for one in found_cases), key=_place
        )
        ranked = _after(ranked, after)
        part = ranked[:size]
        found = await self._shown(part, near, seen, inside)
        following = None
        if len(ranked) > size:
            following = cursor.encode(part[-1].score, part[-1].number, str(part[-1].case))
        suggestion = _suggestion(question, tokens, near, found[0]) if found and after is None else None
        return Answer(Page(tuple(found), following), suggestion)

    async def _shown(
        self, ranked: Sequence[_Ranked], near: Sequence[Mapping[str, float]], seen: Wall, inside: Wall
    ) -> list[Found]:
        """The cases of a page, whole, in its order. Those that went out of sight since they were ranked are left out."""
        marks = ", ".join(["{}"] * len(ranked))
        if not ranked:
            return []
        rows = await self._db.fetch(
            f"SELECT {facts.COLUMNS}, CASE WHEN {inside.at('legal_case.id')} THEN 1 ELSE 0 END AS inside FROM legal_case"
            f" WHERE {seen.at('legal_case.id')} AND id IN ({marks})",
            *inside.args,
            *seen.args,
            *(one.case for one in ranked),
        )
        cases = {row["id"]: facts.read(row, outside=not row["inside"]) for row in rows}
        names: dict[UUID, list[str]] = {}
        firm = [case.id for case in cases.values() if not case.outside]
        for row in await self._db.fetch_in(
            "SELECT party_name.case_id, party_name.name FROM party_name JOIN case_party ON case_party.id = party_name.party"
            " WHERE case_party.removed IS NULL AND party_name.case_id IN",
            firm,
        ):
            names.setdefault(row["case_id"], []).append(row["name"])
        wanted = {word for found in near for word in found}
        return [
            Found(cases[one.case], one.score, _places(cases[one.case], names.get(one.case, ()), wanted))
            for one in ranked
            if one.case in cases
        ]


def _tokens(question: str) -> list[str]:
    asked = plain_text.line(question, "The question", MAX_QUERY)
    found = list(dict.fromkeys(folding.words(asked)))[:MAX_TOKENS]
    if not found:
        raise BadRequest("The question has no words to look for.")
    return [word for word in found if word not in _STOP] or found


def _needed(tokens: int) -> int:
    """How many of a question's words a case has: all of two, all but one of more."""
    return tokens if tokens <= 2 else tokens - 1


def _score(one: Candidate, asked: str, tokens: int) -> int:
    if folding.key(one.number) == asked:
        return _WHOLE_NUMBER
    spelling = one.total / tokens
    title = fuzz.token_set_ratio(asked, one.title_key)
    return int(9.99 * (_SPELLING_WEIGHT * spelling + (1 - _SPELLING_WEIGHT) * title))


def _place(one: _Ranked) -> tuple[int, str, str]:
    return (-one.score, one.number, str(one.case))


def _after(ranked: list[_Ranked], after: str | None) -> list[_Ranked]:
    if after is None:
        return ranked
    score, number, case = cursor.decode(after, int, str, str)
    place = (-int(score), str(number), str(case))
    return [one for one in ranked if _place(one) > place]


def _places(case: Case, names: Sequence[str], wanted: set[str]) -> tuple[Shown, ...]:
    texts = [("number", case.number), ("title", case.title), ("docket", case.docket)]
    if not case.outside:
        texts += [("client", case.client), *(("party", name) for name in names)]
    return tuple(
        Shown(place, text)
        for place, text in texts
        if text is not None and not wanted.isdisjoint(folding.index_words(text))
    )


def _suggestion(question: str, tokens: Sequence[str], near: Sequence[Mapping[str, float]], best: Found) -> str | None:
    """The question in the spelling of the case that fits best: of what is shown of that case, and of nothing else."""
    spelt = {folded: piece for shown in best.shown for piece in shown.text.split() for folded in folding.words(piece)}
    changed: dict[str, str] = {}
    for token, found in zip(tokens, near, strict=True):
        if token in spelt or any(word.startswith(token) for word in spelt):
            continue
        known = [word for word in found if word in spelt]
        if known:
            changed[token] = spelt[max(known, key=lambda word: found[word])].strip(".,;:()")
    if not changed:
        return None
    pieces = [(piece, folding.words(piece)) for piece in question.split()]
    return " ".join(next((changed[word] for word in folded if word in changed), piece) for piece, folded in pieces)
