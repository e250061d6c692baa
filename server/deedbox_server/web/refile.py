"""Refiling over HTTP (EV-15): an exhibit goes to its right case, and its old one says that a number left."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server import cursor as cursors
from deedbox_server.errors import BadRequest
from deedbox_server.evidence.refile import LeftNumber, Refiling
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_sync import timestamp

_PAGE: Final = 100
_MAX_PAGE: Final = 500


class RefileOrder(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`case` is the right one; `with_newer` takes along what supersedes the exhibit."""

    case: UUID
    reason: str | None = None
    with_newer: bool = False


class RefiledExhibit(msgspec.Struct, frozen=True):
    """Where an exhibit is now, and under which number."""

    id: str
    case: str
    number: int


class RefiledAnswer(msgspec.Struct, frozen=True):
    """`moved` is false where all of it was there already."""

    items: list[RefiledExhibit]
    moved: bool


class LeftItem(msgspec.Struct, frozen=True):
    """A number that stays taken. `exhibit`, `case` and `now` only for whoever may see it where it is."""

    number: int
    refiled: str
    exhibit: str | None
    case: str | None
    now: int | None


class LeftList(msgspec.Struct, frozen=True):
    """A page of them, by number."""

    items: list[LeftItem]
    next: str | None


@post("/api/v1/evidence/{exhibit:uuid}/refile", status_code=200, opt=operation("evidence.refile"))
async def refile(
    exhibit: FromPath[UUID],
    data: JSONBody[RefileOrder],
    refiling: NamedDependency[Refiling],
    principal: NamedDependency[Principal],
) -> RefiledAnswer:
    """Move an exhibit that was filed under the wrong case. Repeating it changes nothing; refiling back undoes it."""
    done = await refiling.refile(principal, exhibit, data.case, data.reason, with_newer=data.with_newer)
    return RefiledAnswer([RefiledExhibit(str(one.id), str(one.case), one.number) for one in done.exhibits], done.moved)


@get("/api/v1/cases/{case:uuid}/refiled", opt=operation("evidence.read"))
async def numbers_that_left(
    case: FromPath[UUID],
    refiling: NamedDependency[Refiling],
    principal: NamedDependency[Principal],
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int] = _PAGE,
) -> LeftList:
    """The exhibit numbers of a case that are taken by exhibits which were refiled elsewhere."""
    if not 1 <= limit <= _MAX_PAGE:
        raise BadRequest(f"A page has 1 to {_MAX_PAGE} rows.")
    (after,) = cursors.decode(cursor, int) if cursor is not None else (0,)
    rows = await refiling.left(principal, case, after=int(after), limit=limit)
    more = cursors.encode(rows[-1].number) if len(rows) == limit else None
    return LeftList([_left(row) for row in rows], more)


def _left(row: LeftNumber) -> LeftItem:
    return LeftItem(
        number=row.number,
        refiled=timestamp.encode(row.time),
        exhibit=str(row.exhibit) if row.exhibit else None,
        case=str(row.now_in) if row.now_in else None,
        now=row.now_number,
    )
