"""A firm's worth of rows, made fast and always the same: cases, parties, events, members, exhibits and their dates.

Rows only: no exhibit has bytes, custody or log entries, and nothing that needs them is asked of such a box. Exhibits come in the
order of time and fall to cases unevenly, as in life: a tenth of the cases has most of them, and one has a hundredth of all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final
from uuid import UUID

from deedbox_server.cases import folding, words
from deedbox_server.database import Database

_BEGAN: Final = datetime(2016, 1, 4, 9, tzinfo=UTC)
_YEARS: Final = timedelta(days=3650)
_AT_ONCE: Final = 20_000  # rows of one insert
_ON_A_CASE: Final = 3  # of the firm's people
_PARTIES: Final = 3
_EVENTS: Final = 8
_DATED: Final = 3  # one exhibit of so many tells a date of itself
_BUSY: Final = 0.8  # of the exhibits fall to a tenth of the cases

_FIRST: Final = (
    *("Anna", "Bela", "Carlos", "Dana", "Emeka", "Farah", "Goran", "Hana", "Igor", "Jürgen"),
    *("Keiko", "Lars", "Maria", "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Siân", "Tomás"),
)
_SYLLABLES: Final = "ba bel dor fen gar hol ing kow lin mar nes ola pet qui ros sen tal ulm ver wen".split()  # noqa: SIM905
_MATTERS: Final = "lease boundary injury estate custody contract patent wages insurance licence".split()  # noqa: SIM905
_COURTS: Final = ("Circuit Court of Cook County", "N.D. Ill.", "Superior Court of Ohio", "C.D. Cal.")
_FILES: Final = "letter scan photograph invoice statement minutes plan recording contract receipt".split()  # noqa: SIM905


@dataclass(frozen=True)
class Firm:
    """What was made, for whoever asks about it. `cases` and their `titles` are in one order."""

    cases: tuple[UUID, ...]
    titles: tuple[str, ...]
    exhibits: int


async def make_firm(
    db: Database, staff: Sequence[UUID], *, cases: int, exhibits: int, tell: Callable[[str], None]
) -> Firm:
    """Rows as the services would leave them. `staff`: accounts that are put on cases in turn."""
    random = Random(1)
    tell(f"making {cases:,} cases with {exhibits:,} exhibits' rows on {db.dialect}")
    ids = [_id(random, _BEGAN + _YEARS * (number / cases)) for number in range(cases)]
    titles = await _cases(db, random, ids, staff)
    indexes = await _drop_indexes(db, "exhibit", "exhibit_date")
    await _exhibits(db, random, ids, exhibits)
    for statement in indexes:
        await db.run_native(statement, ())
    await db.run_native("ANALYZE", ())
    return Firm(tuple(ids), tuple(titles), exhibits)


async def _cases(db: Database, random: Random, ids: Sequence[UUID], staff: Sequence[UUID]) -> list[str]:
    tables: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {
        name: (columns, []) for name, columns in _COLUMNS.items()
    }
    titles: list[str] = []
    vocabulary: set[str] = set()
    for number, case in enumerate(ids):
        at = _BEGAN + _YEARS * (number / len(ids))
        names = [_name(random) for _ in range(_PARTIES)]
        title = f"{names[0].split()[1]} v. {names[1]} ({random.choice(_MATTERS)})"
        titles.append(title)
        matter, docket = f"{at.year}-{number:05}", f"1:{at.year % 100:02}-cv-{number:05}"
        court = random.choice(_COURTS)
        closed = at + timedelta(days=400) if number % 3 else None
        put = {name: rows.append for name, (_, rows) in tables.items()}
        put["legal_case"](
            (
                case,
                matter,
                title,
                at,
                "closed" if closed else "open",
                "litigation",
                names[0],
                court,
                docket,
                json.dumps([]),
                at.date().isoformat(),
                closed,
                at + timedelta(days=random.randrange(400)),
                1,
                folding.key(title),
                folding.name(names[0]).key,
                folding.key(court),
            )
        )
        for turn in range(_ON_A_CASE):
            put["case_member"](
                (case, staff[(number + turn * 7) % len(staff)], "attorney" if turn == 0 else "paralegal")
            )
        found = {(words.CARD, word) for word in folding.all_words((matter, title, docket))}
        for turn, name in enumerate(names):
            party, folded = _id(random, at), folding.name(name)
            put["case_party"]((party, case, "party", name, False, "[]", "[]", 1, at + timedelta(hours=turn)))
            put["party_name"](
                (_id(random, at), case, party, "name", name, folded.key, folded.joined, len(folded.words))
            )
            found |= {(words.PARTY, word) for word in folding.all_words((name,))}
        for place, word in sorted(found):
            put["case_posting"]((word, place, case))
        vocabulary |= {word for _, word in found}
        for turn in range(_EVENTS):
            starts = at + timedelta(days=30 * turn, hours=random.randrange(8))
            put["case_event"](
                (
                    _id(random, at),
                    case,
                    "hearing",
                    f"Hearing {turn}",
                    starts,
                    "UTC",
                    "minute",
                    turn % 4 == 0,
                    1,
                    at,
                    "account:x",
                )
            )
    for name, (columns, rows) in tables.items():
        await _insert(db, name, columns, rows)
    async with db.transaction():
        await words.learn(db, vocabulary)
    return titles


async def _exhibits(db: Database, random: Random, cases: Sequence[UUID], count: int) -> None:
    busy = cases[: max(1, len(cases) // 10)]
    numbers = dict.fromkeys(cases, 0)
    device = _id(random, _BEGAN)
    for start in range(0, count, _AT_ONCE):
        rows: list[tuple[Any, ...]] = []
        dates: list[tuple[Any, ...]] = []
        for place in range(start, min(start + _AT_ONCE, count)):
            case = cases[0] if place % 100 == 0 else random.choice(busy if random.random() < _BUSY else cases)
            numbers[case] += 1
            captured = _BEGAN + _YEARS * (place / count)
            exhibit, name = _id(random, captured), f"{_FILES[place % len(_FILES)]} {place}.pdf"
            content = sha256(b"%d" % place).digest()
            rows.append(
                (
                    exhibit,
                    case,
                    numbers[case],
                    place.to_bytes(32),
                    content,
                    place + 1,
                    UUID(int=place),
                    name,
                    "application/pdf",
                    "[]",
                    captured,
                    captured + timedelta(seconds=2),
                    device,
                    True,
                    "stored",
                )
            )
            if place % _DATED == 0:
                told = captured - timedelta(days=random.randrange(1, 300))
                dates.append((UUID(int=place), case, exhibit, "taken", told, None, "exact", "exif"))
        await db.insert_many("exhibit", _EXHIBIT, rows)
        await db.insert_many("exhibit_date", _DATE, dates)


async def _insert(db: Database, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        await db.insert_many(table, columns, rows[start : start + _AT_ONCE])


async def _drop_indexes(db: Database, *tables: str) -> list[str]:
    """What makes them again: an index that is made at once takes a tenth of the time of one that grows."""
    made: list[str] = []
    for table in tables:
        if db.dialect == "sqlite":
            rows = await db.run_native(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
                (table,),
            )
        else:
            rows = await db.run_native(
                "SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE tablename = $1 AND indexname NOT IN "
                "(SELECT conname FROM pg_constraint)",
                (table,),
            )
        for row in rows:
            await db.run_native(f'DROP INDEX "{row["name"]}"', ())
            made.append(row["sql"])
    return made


def _name(random: Random) -> str:
    family = "".join(random.choice(_SYLLABLES) for _ in range(random.randrange(2, 5)))
    return f"{random.choice(_FIRST)} {family.capitalize()}"


def _id(random: Random, at: datetime) -> UUID:
    """A UUIDv7 of that time (RFC 9562 5.7)."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62 | random.getrandbits(62))


_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "legal_case": (
        *(
            "id",
            "number",
            "title",
            "created",
            "state",
            "kind",
            "client",
            "court",
            "docket",
            "labels",
            "opened",
            "closed",
        ),
        *("updated", "version", "title_key", "client_key", "court_key"),
    ),
    "case_member": ("case_id", "account", "role"),
    "case_party": ("id", "case_id", "kind", "name", "organisation", "aliases", "contacts", "version", "created"),
    "party_name": ("id", "case_id", "party", "kind", "name", "folded", "joined", "words"),
    "case_posting": ("word", "place", "case_id"),
    "case_event": (
        *("id", "case_id", "kind", "title", "starts", "zone", "certainty", "shared", "version", "created", "made_by"),
    ),
}
_EXHIBIT: Final = (
    *("id", "case_id", "number", "statement", "content", "size", "blob", "name", "media_type", "labels", "captured"),
    *("received", "device", "captured_by_desk", "state"),
)
_DATE: Final = ("id", "case_id", "exhibit", "kind", "time", "zone", "certainty", "source")
