"""The rows that move with an exhibit from case to case, and those that stay to say that a number was taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import Conflict
from deedbox_server.evidence.moving import Move
from deedbox_sync import uuid7

# Each by the end of an index: a case may have a hundred thousand exhibits.
_LAST: Final = (
    "SELECT id, (SELECT max(number) FROM exhibit WHERE exhibit.case_id = legal_case.id) AS here,"
    " (SELECT max(number) FROM refiled_exhibit WHERE refiled_exhibit.case_id = legal_case.id) AS gone,"
    " (SELECT max(number) FROM tombstone WHERE tombstone.case_id = legal_case.id AND what = 'exhibit') AS disposed"
    " FROM legal_case WHERE id IN "
)


async def last_numbers(db: Database, cases: Collection[UUID]) -> dict[UUID, int]:
    """The highest exhibit number that each of these cases has given, also to what left it or was disposed of; 0 for none.

    In the transaction that gives the next one, with the cases' rows locked.
    """
    rows = await db.fetch_in(_LAST, sorted(cases))
    return {row["id"]: max(row["here"] or 0, row["gone"] or 0, row["disposed"] or 0) for row in rows}


class RefiledRows:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, exhibits: Sequence[UUID], *, locking: bool = False) -> list[Row]:
        """Case, number and blob of these exhibits."""
        suffix = " ORDER BY id FOR UPDATE" if locking and self._db.dialect == "postgres" else " ORDER BY id"
        return await self._db.fetch_in(
            "SELECT id, case_id, number, blob FROM exhibit WHERE id IN ", sorted(exhibits), suffix=suffix
        )

    async def shared(self, exhibits: Collection[UUID], blobs: Sequence[UUID]) -> set[UUID]:
        """Those of the blobs that other exhibits have too: a desk need not send again what its case holds."""
        rows = await self._db.fetch_in("SELECT id, blob FROM exhibit WHERE blob IN ", sorted(set(blobs)))
        return {row["blob"] for row in rows if row["id"] not in exhibits}

    async def derived_blobs(self, exhibits: Sequence[UUID]) -> set[UUID]:
        rows = await self._db.fetch_in("SELECT blob FROM derived WHERE exhibit IN ", sorted(exhibits))
        return {row["blob"] for row in rows}

    async def refuse_unless_open(self, case: UUID) -> None:
        row = await self._db.fetch_one("SELECT state FROM legal_case WHERE id = {}", case)
        if row is None or row["state"] != "open":
            raise Conflict("The case that this is to go to is not open: open it first.")

    async def numbers(self, move: Move) -> dict[UUID, int]:
        """Each exhibit's number in the new case: the one that it had there before, else the next. The case's row is locked."""
        before = await self._db.fetch_in(
            "SELECT exhibit, number FROM refiled_exhibit WHERE case_id = {} AND returned IS NULL AND exhibit IN ",
            sorted(move.exhibits),
            move.target,
        )
        numbers = {row["exhibit"]: int(row["number"]) for row in before}
        last = (await last_numbers(self._db, {move.target}))[move.target]
        for exhibit in move.exhibits:
            if exhibit not in numbers:
                last += 1
                numbers[exhibit] = last
        return numbers

    async def leave(self, exhibits: Mapping[UUID, Row], move: Move, actor: str, now: datetime) -> None:
        """What stays in the old case: that these numbers were given, and are taken."""
        await self._db.execute_many(
            "INSERT INTO refiled_exhibit (id, exhibit, case_id, number, to_case, time, actor) "
            "VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (case_id, number) DO UPDATE "
            "SET to_case = excluded.to_case, time = excluded.time, "
            "actor = excluded.actor, returned = NULL",
            [(uuid7.new(), one, move.origin, row["number"], move.target, now, actor) for one, row in exhibits.items()],
        )

    async def arrive(self, exhibits: Iterable[tuple[int, UUID, UUID]], case: UUID, now: datetime) -> None:
        """Each exhibit (number, blob, id) lies in this case now; where it has come back, its old row says so."""
        exhibits = list(exhibits)
        await self._db.execute_many(
            "UPDATE refiled_exhibit SET returned = {} WHERE exhibit = {} AND case_id = {} AND returned IS NULL",
            [(now, one, case) for _, _, one in exhibits],
        )
        await self._db.execute_many(
            "UPDATE exhibit SET case_id = {}, number = {}, blob = {} WHERE id = {}",
            [(case, number, blob, one) for number, blob, one in exhibits],
        )

    async def take_along(self, move: Move, now: datetime) -> None:
        """What names an exhibit with its case. Holds on it go with it; an artifact of the old case no longer has it; whoever
        looked at it in this quarter hour did so in the other case, and the next look is a custody event again."""
        ids = sorted(move.exhibits)
        await self._db.execute_many(
            "UPDATE exhibit_date SET case_id = {} WHERE exhibit = {}", [(move.target, one) for one in ids]
        )
        await self._db.execute_many(
            "UPDATE legal_hold SET case_id = {} WHERE kind = 'exhibit' AND subject = {} AND lifted IS NULL",
            [(move.target, one) for one in ids],
        )
        await self._db.execute_many(
            "UPDATE case_artifact SET removed = {}, version = version + 1 "
            "WHERE exhibit = {} AND case_id = {} AND removed IS NULL",
            [(now, one, move.origin) for one in ids],
        )
        await self._db.execute_many("DELETE FROM view_mark WHERE exhibit = {}", [(one,) for one in ids])
