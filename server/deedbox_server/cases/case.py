"""A case as it is read and written: its facts, what a new one takes, what may be changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from deedbox_server.cases import docket, folding, plain_text
from deedbox_server.database import Row
from deedbox_server.errors import BadRequest

MAX_LABELS: Final = 50  # of one case; more are no help to anybody
MAX_LABEL: Final = 60
MAX_KEY: Final = 200  # characters of a title that it is sorted by; they travel in cursors

Line = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_LINE)]
Number = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_NUMBER)]
Labels = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL)], ...], msgspec.Meta(max_length=MAX_LABELS)
]

# Times of rows that were not made by this package's own hand may be missing: then they are the oldest there can be.
COLUMNS: Final = (
    "legal_case.id, legal_case.number, legal_case.title, legal_case.created, legal_case.state, legal_case.kind, "
    "legal_case.client, legal_case.court, legal_case.docket, legal_case.jurisdiction, legal_case.labels, legal_case.opened, "
    "legal_case.closed, legal_case.state_reason, legal_case.title_key, "
    'COALESCE(legal_case.updated, legal_case.created) AS "updated [timestamptz]", '
    "COALESCE(legal_case.version, 1) AS version"
)


@dataclass(frozen=True)
class Case:
    """One matter. `outside`: read by somebody to whom only the card is shown (number, title, court, docket, state)."""

    id: UUID
    number: str
    title: str
    created: datetime
    state: str
    kind: str | None = None
    client: str | None = None
    court: str | None = None
    docket: str | None = None
    jurisdiction: str | None = None
    labels: tuple[str, ...] = ()
    opened: date | None = None
    closed: datetime | None = None
    state_reason: str | None = None
    updated: datetime | None = None
    version: int = 1
    outside: bool = False


class NewCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What opens a case. Without `number` the firm's pattern gives one; `conflict_check` is the check made at intake."""

    title: Line
    number: Number | None = None
    kind: Line | None = None
    client: Line | None = None
    court: Line | None = None
    docket: Number | None = None
    jurisdiction: Line | None = None
    labels: Labels = ()
    opened: date | None = None
    conflict_check: UUID | None = None


class CaseChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a case is to be changed: what is not named stays, null takes away."""

    title: Line | UnsetType = UNSET
    number: Number | UnsetType = UNSET
    kind: Line | UnsetType | None = UNSET
    client: Line | UnsetType | None = UNSET
    court: Line | UnsetType | None = UNSET
    docket: Number | UnsetType | None = UNSET
    jurisdiction: Line | UnsetType | None = UNSET
    labels: Labels | UnsetType = UNSET
    opened: date | UnsetType = UNSET


@dataclass(frozen=True)
class Facts:
    """What of a case people write, checked and in normal form."""

    number: str
    title: str
    kind: str | None
    client: str | None
    court: str | None
    docket: str | None
    jurisdiction: str | None
    labels: tuple[str, ...]
    opened: date | None

    @property
    def stored(self) -> dict[str, object]:
        """Column to value, folded ones included."""
        return {
            "number": self.number,
            "title": self.title,
            "kind": self.kind,
            "client": self.client,
            "court": self.court,
            "docket": self.docket,
            "jurisdiction": self.jurisdiction,
            "labels": json.dumps(self.labels, ensure_ascii=False),
            "opened": None if self.opened is None else self.opened.isoformat(),
            "title_key": folding.key(self.title)[:MAX_KEY],
            "client_key": name_key(self.client),
            "court_key": court_key(self.court),
        }


def facts_of(new: NewCase, number: str, opened: date) -> Facts:
    """BadRequest says which member does not do."""
    return Facts(
        plain_text.line(number, "A matter number", plain_text.MAX_NUMBER),
        plain_text.line(new.title, "A title"),
        plain_text.optional_line(new.kind, "The kind"),
        plain_text.optional_line(new.client, "The client"),
        plain_text.optional_line(new.court, "The court"),
        docket.normalise(new.docket),
        plain_text.optional_line(new.jurisdiction, "The jurisdiction"),
        labels_of(new.labels),
        opened,
    )


def changed(case: Case, change: CaseChange) -> Facts:
    """A case's facts after a change. BadRequest as `facts_of`."""

    def told(name: str) -> str | None:
        value: str | UnsetType | None = getattr(change, name)
        old: str | None = getattr(case, name)
        return old if isinstance(value, UnsetType) else value

    new = NewCase(
        told("title") or "",
        kind=told("kind"),
        client=told("client"),
        court=told("court"),
        docket=told("docket"),
        jurisdiction=told("jurisdiction"),
        labels=case.labels if isinstance(change.labels, UnsetType) else change.labels,
    )
    opened = case.opened if isinstance(change.opened, UnsetType) else change.opened
    if opened is None:
        opened = case.created.date()
    return facts_of(new, told("number") or "", opened)


def labels_of(given: tuple[str, ...]) -> tuple[str, ...]:
    """Each label once, whatever its letter case, in the order given."""
    found = {folding.key(label) or label: plain_text.line(label, "A label", MAX_LABEL) for label in reversed(given)}
    if len(given) > MAX_LABELS:
        raise BadRequest(f"A case has at most {MAX_LABELS} labels.")
    return tuple(reversed(found.values()))


def label_key(label: str) -> str:
    """What a label is found by."""
    return folding.key(label) or label


def name_key(name: str | None) -> str | None:
    """What a client is found by: forms of companies and letter case do not count."""
    return None if name is None else folding.name(name).key or name


def court_key(court: str | None) -> str | None:
    """What a court is found by: U.S. District Court and US District Court are one."""
    return None if court is None else "".join(folding.words(court)) or court


def read(row: Row, *, outside: bool = False) -> Case:
    """A case of a row with COLUMNS."""
    opened = row["opened"]
    return Case(
        id=row["id"],
        number=row["number"],
        title=row["title"],
        created=row["created"],
        state=row["state"],
        kind=row["kind"],
        client=row["client"],
        court=row["court"],
        docket=row["docket"],
        jurisdiction=row["jurisdiction"],
        labels=tuple(json.loads(row["labels"])) if row["labels"] else (),
        opened=None if opened is None else date.fromisoformat(opened),
        closed=row["closed"],
        state_reason=row["state_reason"],
        updated=row["updated"],
        version=row["version"],
        outside=outside,
    )
