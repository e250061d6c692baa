"""What a disposal covers, frozen when it is asked for, so that nobody approves something else than was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict
from deedbox_server.evidence.item import HELD
from deedbox_server.papers import record as paper_record
from deedbox_sync import canonical_json
from deedbox_sync.canonical_json import Fields

MAX_EXHIBITS: Final = 10_000  # of one request: what a person can answer for; a larger case goes in parts first
_MAX_BYTES: Final = 4 << 20  # of the frozen list: 10,000 exhibits take two thirds of it
_DIGEST: Final = 32


@dataclass(frozen=True)
class CoveredExhibit:
    id: UUID
    number: int
    content: bytes
    size: int


@dataclass(frozen=True)
class Coverage:
    """Exhibits by number; `papers` are those that go with them; `counts` says how much else of a whole case goes."""

    exhibits: tuple[CoveredExhibit, ...]
    papers: tuple[UUID, ...]
    counts: Mapping[str, int]


async def gather(db: Database, case: UUID, wanted: Sequence[UUID] | None) -> Coverage:
    """What there is to cover now: these exhibits of a case with the papers that show them, or (None) all of the case.

    BadRequest for exhibits that are not of the case; Conflict where something of the case is still coming in.
    """
    rows = await db.fetch(
        f"SELECT id, number, content, size FROM exhibit WHERE case_id = {{}} ORDER BY number LIMIT {MAX_EXHIBITS + 1}"
        if wanted is None
        else "SELECT id, number, content, size FROM exhibit WHERE case_id = {} ORDER BY number",
        case,
    )
    chosen = [row for row in rows if wanted is None or row["id"] in set(wanted)]
    if wanted is not None and (not wanted or len(chosen) != len(set(wanted))):
        raise BadRequest("choose at least one exhibit, all of them of this case")
    if len(chosen) > MAX_EXHIBITS:
        raise BadRequest(f"one disposal covers at most {MAX_EXHIBITS} exhibits: dispose of some first")
    exhibits = tuple(CoveredExhibit(row["id"], row["number"], row["content"], row["size"]) for row in chosen)
    papers = await _papers(db, case, None if wanted is None else {one.id for one in exhibits})
    counts: dict[str, int] = {}
    if wanted is None:
        await _refuse_what_is_open(db, case)
        for what, table in (("artifacts", "case_artifact"), ("events", "case_event"), ("parties", "case_party")):
            [row] = await db.fetch(f"SELECT count(*) AS rows FROM {table} WHERE case_id = {{}}", case)
            counts[what] = row["rows"]
    return Coverage(exhibits, papers, counts)


def encode(coverage: Coverage) -> bytes:
    return canonical_json.encode(
        {
            "counts": dict(coverage.counts),
            "exhibits": [
                {"content": one.content.hex(), "id": str(one.id), "number": one.number, "size": one.size}
                for one in coverage.exhibits
            ],
            "papers": [str(paper) for paper in coverage.papers],
        }
    )


def parse(data: bytes) -> Coverage:
    fields = Fields(canonical_json.parse_object(data, limit=_MAX_BYTES, where="coverage"), "coverage")
    counts = fields.members("counts")
    exhibits = []
    for one in fields.objects("exhibits"):
        exhibits.append(
            CoveredExhibit(one.uuid("id"), one.integer("number"), one.hex("content", _DIGEST), one.integer("size"))
        )
        one.done()
    papers = tuple(UUID(text) for text in fields.texts("papers"))
    fields.done()
    return Coverage(tuple(exhibits), papers, {name: int(str(number)) for name, number in counts.items()})


async def _papers(db: Database, case: UUID, exhibits: set[UUID] | None) -> tuple[UUID, ...]:
    """All of the case (None), or those that carry the content of one of these: a stickered copy is the exhibit once more."""
    rows = await db.fetch("SELECT id, shows_content, record FROM paper WHERE case_id = {} ORDER BY id", case)
    if exhibits is None:
        return tuple(row["id"] for row in rows)
    return tuple(
        row["id"]
        for row in rows
        if row["shows_content"] and exhibits & {one.id for one in paper_record.parse(row["record"]).exhibits}
    )


async def _refuse_what_is_open(db: Database, case: UUID) -> None:
    for query, what in (
        ("SELECT id FROM upload WHERE case_id = {} AND state = 'open' LIMIT 1", "something is being uploaded to it"),
        (
            "SELECT digest FROM statement WHERE case_id = {} AND state = 'offered' LIMIT 1",
            "a desk has offered something whose bytes are not here yet",
        ),
        (
            f"SELECT id FROM item WHERE case_id = {{}} AND state = '{HELD}' LIMIT 1",
            "things of it are still here",
        ),
    ):
        if await db.fetch(query, case):
            raise Conflict(f"this case cannot be disposed of as a whole yet: {what}")
