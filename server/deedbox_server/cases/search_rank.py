"""Which cases have the words of a question, the surest first, within the wall and in few rows.

A question of several words is answered from its rarest word's cases; one of a single word from its nearest words' cases, of
each no more than are ranked. Nothing that is counted on the way decides what is found, only by which path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_server.cases import words
from deedbox_server.database import Database
from deedbox_server.people.permissions import Wall

RANKED: Final = 100  # cases that are ranked; who has to look further asks more exactly
_FEW: Final = 400  # cases with a word up to which it is quicker to look what else they have
_NEAREST: Final = 8  # words of a single-word question that are looked up each for itself

Near = Mapping[str, float]


@dataclass(frozen=True)
class Candidate:
    """A case with how well its words fit: the sum over the question's words of how near the nearest one is (0 … 100)."""

    case: UUID
    number: str
    title_key: str
    total: int


@dataclass(frozen=True)
class Within:
    """The walls of the asker, for what stands on cards and for what is the firm's, and the state that is asked for."""

    card: Wall
    firm: Wall
    state: str | None

    def of(self, place: str) -> Wall:
        return self.card if place == words.CARD else self.firm

    @property
    def in_state(self) -> tuple[str, tuple[str, ...]]:
        """A condition on postings, and its values."""
        if self.state is None:
            return "", ()
        return " AND case_posting.case_id IN (SELECT id FROM legal_case WHERE state = {})", (self.state,)


async def candidates(db: Database, near: Sequence[Near], needed: int, within: Within) -> list[Candidate]:
    """The cases that have words near to at least `needed` of the question's words; at most RANKED, the best."""
    if sum(bool(one) for one in near) < needed:
        return []
    if len(near) == 1:
        return await _with_facts(db, await _of_one_word(db, near[0], within))
    totals = await _of_words(db, near, needed, within, await _rarest(db, near, needed))
    return await _with_facts(db, totals)


async def _of_one_word(db: Database, near: Near, within: Within) -> dict[UUID, int]:
    """Nearest words first; of each no more cases than are ranked, so that a common one costs no more than a rare one."""
    in_order = sorted(near, key=lambda word: (-near[word], word))
    nearest = in_order[:_NEAREST]
    nearest += [""] * (_NEAREST - len(nearest))  # one statement for all
    state, state_args = within.in_state
    parts: list[str] = []
    args: list[object] = []
    for word in nearest:
        for place in (words.CARD, words.PARTY):
            wall = within.of(place)
            parts.append(
                "SELECT word, case_id FROM (SELECT case_posting.word, case_posting.case_id FROM case_posting"
                f" WHERE case_posting.word = {{}} AND case_posting.place = {{}} AND {wall.at('case_posting.case_id')}{state}"
                f" ORDER BY case_posting.case_id DESC LIMIT {RANKED}) AS part{len(parts)}"
            )
            args += [word, place, *wall.args, *state_args]
    best: dict[UUID, int] = {}
    for row in await db.fetch(" UNION ALL ".join(parts), *args):
        best[row["case_id"]] = max(best.get(row["case_id"], 0), round(near[row["word"]]))
    if len(best) < RANKED and len(in_order) > _NEAREST:
        rest = {word: near[word] for word in in_order[_NEAREST:]}
        for case, total in (await _of_words(db, [rest], 1, within, None)).items():
            best.setdefault(case, total)
    return best


async def _rarest(db: Database, near: Sequence[Near], needed: int) -> list[str] | None:
    """Words of which each case that has enough of the question has one: those of the rarest word, or words; None where even
    they are common.
    """
    parts, args = [], list[object]()
    for place, found in enumerate(near):
        marks = ", ".join(["{}"] * _padded(len(found)))
        parts.append(
            f"SELECT {place} AS place, COUNT(*) AS many FROM"
            f" (SELECT 1 AS one FROM case_posting WHERE word IN ({marks}) LIMIT {_FEW}) AS few{place}"
        )
        args += [*found, *[""] * (_padded(len(found)) - len(found))]
    counted = sorted((row["many"], row["place"]) for row in await db.fetch(" UNION ALL ".join(parts), *args))
    rarest = counted[: len(near) - needed + 1]
    if rarest[-1][0] >= _FEW:
        return None
    return sorted({word for _, place in rarest for word in near[place]})


async def _of_words(
    db: Database, near: Sequence[Near], needed: int, within: Within, rarest: Sequence[str] | None
) -> dict[UUID, int]:
    values = [(word, token, round(score)) for token, found in enumerate(near) for word, score in found.items()]
    values += [("", 0, 0)] * (_padded(len(values)) - len(values))
    listed = ", ".join(["(CAST({} AS text), CAST({} AS integer), CAST({} AS integer))"] * len(values))
    origin, origin_args = "near JOIN case_posting ON case_posting.word = near.word", list[object]()
    begin = f"WITH near(word, token, score) AS (VALUES {listed})"
    if rarest is not None:
        padded = [*rarest, *[""] * (_padded(len(rarest)) - len(rarest))]
        begin += (
            f", few AS (SELECT DISTINCT case_id FROM case_posting WHERE word IN ({', '.join(['{}'] * len(padded))}))"
        )
        origin_args = [*padded]
        # CROSS JOIN has SQLite read the few cases first and then what they have; elsewhere it is a join like any other.
        origin = "few CROSS JOIN case_posting JOIN near ON near.word = case_posting.word AND case_posting.case_id = few.case_id"
    state, state_args = within.in_state
    rows = await db.fetch(
        f"{begin} SELECT case_id, SUM(score) AS total FROM"
        f" (SELECT case_posting.case_id, near.token, MAX(near.score) AS score FROM {origin}"
        f" WHERE ((case_posting.place = {{}} AND {within.card.at('case_posting.case_id')})"
        f" OR (case_posting.place = {{}} AND {within.firm.at('case_posting.case_id')})){state}"
        " GROUP BY case_posting.case_id, near.token) AS best"
        " GROUP BY case_id HAVING COUNT(*) >= CAST({} AS integer) ORDER BY total DESC, case_id DESC LIMIT {}",
        *(part for value in values for part in value),
        *origin_args,
        words.CARD,
        *within.card.args,
        words.PARTY,
        *within.firm.args,
        *state_args,
        needed,
        RANKED,
    )
    return {row["case_id"]: int(row["total"]) for row in rows}


async def _with_facts(db: Database, totals: Mapping[UUID, int]) -> list[Candidate]:
    best = sorted(totals, key=lambda case: (totals[case], case), reverse=True)[:RANKED]
    rows = await db.fetch_in("SELECT id, number, title_key FROM legal_case WHERE id IN", best)
    return [Candidate(row["id"], row["number"], row["title_key"] or "", totals[row["id"]]) for row in rows]


def _padded(count: int) -> int:
    """A power of two: few lengths make few statements, which databases prepare and remember."""
    return 1 << max(count - 1, 0).bit_length()
