"""Lists of cases: filters, sorts, and cursors that rows which come or go meanwhile do not shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from deedbox_server import cursor
from deedbox_server.cases import case as facts
from deedbox_server.cases import plain_text
from deedbox_server.cases.case import Case
from deedbox_server.cases.page import DEFAULT_LIMIT, Page, limit_of, page, uuid_of
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_sync import timestamp
from deedbox_sync.errors import FormatError


@dataclass(frozen=True)
class _Sort:
    """What is sorted by: the expression that an index has, how a cursor's text becomes its value, and a case its text. A sort
    that is not `on_card` is by what outsiders do not see, and so shows them nothing.
    """

    expression: str
    parse: Callable[[str], object]
    text_of: Callable[[Case, str], str]
    on_card: bool


def _time(text: str) -> datetime:
    try:
        return timestamp.parse(text)
    except FormatError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None


def _plain(text: str) -> str:
    return plain_text.optional_line(text, "The cursor") or ""


SORTS: Final[Mapping[str, _Sort]] = MappingProxyType(
    {
        "number": _Sort("legal_case.number", _plain, lambda case, _: case.number, True),
        "title": _Sort("COALESCE(legal_case.title_key, '')", _plain, lambda _, key: key, True),
        "opened": _Sort(
            "COALESCE(legal_case.opened, '')",
            _plain,
            lambda case, _: "" if case.opened is None else str(case.opened),
            False,
        ),
        "updated": _Sort(
            "COALESCE(legal_case.updated, legal_case.created)",
            _time,
            lambda case, _: timestamp.encode(case.updated or case.created),
            False,
        ),
    }
)


@dataclass(frozen=True)
class Wanted:
    """Which cases, in which order; `sort` with a `-` before it is the other way round. `opened_to` and `updated_to` are left out
    themselves. Of state and court outsiders may ask; any other filter leaves them without an answer.
    """

    state: str | None = None
    court: str | None = None
    kind: str | None = None
    client: str | None = None
    label: str | None = None
    member: UUID | None = None
    opened_from: date | None = None
    opened_to: date | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    sort: str = "number"
    after: str | None = None
    limit: int = DEFAULT_LIMIT


class Listing:
    def __init__(self, db: Database, permissions: Permissions, clock: Clock = system_clock) -> None:
        self._db = db
        self._permissions = permissions
        self._clock = clock

    async def page(self, principal: Principal, wanted: Wanted) -> Page[Case]:
        """A page of the cases that the principal may see; outsiders get cards. One query along the sort's index, or, for who
        is on few cases, from those."""
        self._permissions.require(principal, "case.list")
        size = limit_of(wanted.limit)
        name = wanted.sort.removeprefix("-")
        if name not in SORTS:
            raise BadRequest(f"sort is one of {', '.join(SORTS)}, with - before it the other way round.")
        sort, backwards = SORTS[name], wanted.sort.startswith("-")
        inside = self._permissions.wall(principal, "party.read")
        conditions, args, on_card = self._filters(wanted)
        seen = self._permissions.wall(principal, "case.read") if on_card and sort.on_card else inside
        if wanted.after is not None:
            text, case = cursor.decode(wanted.after, str, str)
            conditions.append(f"({sort.expression}, legal_case.id) {'<' if backwards else '>'} ({{}}, {{}})")
            args += [sort.parse(str(text)), uuid_of(str(case))]
        way = "DESC" if backwards else "ASC"
        many = await self._permissions.is_on_many(self._db, principal)
        visible = seen.at("legal_case.id") if many else seen.on("legal_case.id")
        rows = await self._db.fetch(
            f"SELECT {facts.COLUMNS}, CASE WHEN {inside.at('legal_case.id')} THEN 1 ELSE 0 END AS inside FROM legal_case"
            f" WHERE {' AND '.join([visible, *conditions])}"
            f" ORDER BY {sort.expression} {way}, legal_case.id {way} LIMIT {{}}",
            *inside.args,
            *seen.args,
            *args,
            size + 1,
        )
        keys = {row["id"]: row["title_key"] or "" for row in rows}
        cases = [facts.read(row, outside=not row["inside"]) for row in rows]
        return page(cases, size, lambda one: cursor.encode(sort.text_of(one, keys[one.id]), str(one.id)))

    def _filters(self, wanted: Wanted) -> tuple[list[str], list[object], bool]:
        """Conditions, their values, and whether all of them are about what stands on a card."""
        card: list[tuple[str, object]] = []
        firm: list[tuple[str, object]] = []
        if wanted.state is not None:
            card.append(("legal_case.state = {}", _line(wanted.state, "state")))
        if wanted.court is not None:
            card.append(("legal_case.court_key = {}", facts.court_key(_line(wanted.court, "court"))))
        if wanted.kind is not None:
            firm.append(("legal_case.kind = {}", _line(wanted.kind, "kind")))
        if wanted.client is not None:
            firm.append(("legal_case.client_key = {}", facts.name_key(_line(wanted.client, "client"))))
        if wanted.label is not None:
            label = facts.label_key(_line(wanted.label, "label"))
            firm.append(("legal_case.id IN (SELECT case_id FROM case_label WHERE label = {})", label))
        for condition, value in (
            ("COALESCE(legal_case.opened, '') >= {}", wanted.opened_from and wanted.opened_from.isoformat()),
            ("COALESCE(legal_case.opened, '') < {}", wanted.opened_to and wanted.opened_to.isoformat()),
            ("COALESCE(legal_case.updated, legal_case.created) >= {}", wanted.updated_from),
            ("COALESCE(legal_case.updated, legal_case.created) < {}", wanted.updated_to),
        ):
            if isinstance(value, datetime) and value.tzinfo is None:
                raise BadRequest("A time has an offset: 2026-03-01T09:00:00Z.")
            if value is not None:
                firm.append((condition, value))
        if wanted.opened_to is not None:
            firm.append(("legal_case.opened <> {}", ""))
        conditions, args = [one for one, _ in card + firm], [value for _, value in card + firm]
        if wanted.member is not None:
            conditions.append(
                "legal_case.id IN (SELECT case_id FROM case_member WHERE account = {} AND (until IS NULL OR until > {}))"
            )
            args += [wanted.member, self._clock()]
        return conditions, args, not firm and wanted.member is None


def _line(text: str, what: str) -> str:
    return plain_text.line(text, f"The filter {what}")
