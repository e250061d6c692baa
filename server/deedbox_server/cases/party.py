"""A party as it is read and written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from deedbox_server.cases import plain_text
from deedbox_server.cases.names import Name
from deedbox_server.database import Row
from deedbox_server.errors import BadRequest

PartyKind = Literal[
    "client",
    "opposing-party",
    "co-party",
    "counsel",
    "witness",
    "expert",
    "judge",
    "court-staff",
    "mediator",
    "arbitrator",
    "insurer",
    "guardian",
    "creditor",
    "third-party",
    "other",
]
AliasKind = Literal["alias", "former", "trading"]
ContactKind = Literal["email", "phone", "address", "web", "other"]

MAX_ALIASES: Final = 50  # of one party; holdings with more write them as parties
MAX_CONTACTS: Final = 50
MAX_REPRESENTED: Final = 100  # parties that one counsel stands for
MAX_CONTACT: Final = 500

# Light on purpose: what a person wrote down is kept if it could be one. Whether it works is found out by using it.
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ()./-]{2,30}(?: ?(?:x|ext\.?) ?[0-9]{1,8})?", re.IGNORECASE)

Line = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_LINE)]
Notes = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_TEXT)]


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another name of a party."""

    name: Line
    kind: AliasKind = "alias"


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way to reach a party: `label` says which (home, work, chambers)."""

    kind: ContactKind
    value: Annotated[str, msgspec.Meta(max_length=MAX_CONTACT)]
    label: Annotated[str, msgspec.Meta(max_length=60)] = ""


Aliases = Annotated[tuple[Alias, ...], msgspec.Meta(max_length=MAX_ALIASES)]
Contacts = Annotated[tuple[Contact, ...], msgspec.Meta(max_length=MAX_CONTACTS)]
Represented = Annotated[tuple[UUID, ...], msgspec.Meta(max_length=MAX_REPRESENTED)]


class NewParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who has to do with a case. `counsel_for`: the parties of this case that it stands for."""

    kind: PartyKind
    name: Line
    organisation: bool = False
    aliases: Aliases = ()
    contacts: Contacts = ()
    counsel_for: Represented = ()
    firm: Line | None = None
    bar_number: Line | None = None
    notes: Notes | None = None


class PartyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a party is to be changed: what is not named stays."""

    kind: PartyKind | UnsetType = UNSET
    name: Line | UnsetType = UNSET
    organisation: bool | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    contacts: Contacts | UnsetType = UNSET
    counsel_for: Represented | UnsetType = UNSET
    firm: Line | UnsetType | None = UNSET
    bar_number: Line | UnsetType | None = UNSET
    notes: Notes | UnsetType | None = UNSET


@dataclass(frozen=True)
class Party:
    """A party of a case; a removed one is kept, and still counts in conflict checks."""

    id: UUID
    case: UUID
    facts: NewParty
    version: int
    created: datetime
    removed: datetime | None

    @property
    def names(self) -> list[Name]:
        """What a conflict check finds it by."""
        return [Name("name", self.facts.name), *(Name(alias.kind, alias.name) for alias in self.facts.aliases)]


def checked(new: NewParty) -> NewParty:
    """In normal form; BadRequest says which member does not do."""
    if len(new.aliases) > MAX_ALIASES or len(new.contacts) > MAX_CONTACTS or len(new.counsel_for) > MAX_REPRESENTED:
        raise BadRequest("A party has too many aliases, contacts or parties that it stands for.")
    return NewParty(
        new.kind,
        plain_text.line(new.name, "A name"),
        new.organisation,
        tuple(Alias(plain_text.line(alias.name, "An alias"), alias.kind) for alias in new.aliases),
        tuple(_contact(contact) for contact in new.contacts),
        tuple(dict.fromkeys(new.counsel_for)),
        plain_text.optional_line(new.firm, "The firm"),
        plain_text.optional_line(new.bar_number, "The bar number"),
        plain_text.optional_text(new.notes, "Notes"),
    )


def merged(old: NewParty, change: PartyChange) -> NewParty:
    """A party's facts after a change, checked."""
    told = {name: getattr(change, name) for name in change.__struct_fields__}
    return checked(msgspec.structs.replace(old, **{name: value for name, value in told.items() if value is not UNSET}))


def stored(facts: NewParty) -> dict[str, object]:
    """Column to value."""
    return {
        "kind": facts.kind,
        "name": facts.name,
        "organisation": facts.organisation,
        "aliases": _json(facts.aliases),
        "contacts": _json(facts.contacts),
        "counsel_for": json.dumps([str(party) for party in facts.counsel_for]),
        "firm": facts.firm,
        "bar_number": facts.bar_number,
        "notes": facts.notes,
    }


COLUMNS: Final = (
    "id, case_id, kind, name, organisation, aliases, "
    "contacts, counsel_for, firm, bar_number, notes, version, created, removed"
)


def read(row: Row) -> Party:
    """A party of a row with COLUMNS."""
    facts = NewParty(
        row["kind"],
        row["name"],
        row["organisation"],
        msgspec.json.decode(row["aliases"], type=tuple[Alias, ...]),
        msgspec.json.decode(row["contacts"], type=tuple[Contact, ...]),
        msgspec.json.decode(row["counsel_for"] or "[]", type=tuple[UUID, ...]),
        row["firm"],
        row["bar_number"],
        row["notes"],
    )
    return Party(row["id"], row["case_id"], facts, row["version"], row["created"], row["removed"])


def _contact(contact: Contact) -> Contact:
    value = plain_text.text(contact.value, "A contact", MAX_CONTACT)
    form = {"email": _EMAIL, "phone": _PHONE}.get(contact.kind)
    if form is not None and not form.fullmatch(value):
        raise BadRequest(f"A contact of the kind {contact.kind} does not look like one: correct it, or say `other`.")
    return Contact(contact.kind, value, plain_text.optional_line(contact.label, "A contact's label") or "")


def _json(items: Sequence[msgspec.Struct]) -> str:
    return msgspec.json.encode(items).decode()
