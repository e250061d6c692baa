"""A physical item as it is now, and the words for what is done with it (formats/item.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Row
from deedbox_server.errors import BadRequest
from deedbox_sync.canonical_json import Json
from deedbox_sync.item_record import MAX_SEALS

HELD: Final = "held"
RETURNED: Final = "returned"
DISPOSED: Final = "disposed"
MAX_TEXT: Final = 2_000  # characters of a description or a purpose: a paragraph
MAX_LINE: Final = 200  # of a name, a place, a number

COLUMNS: Final = (
    "id, case_id, number, kind, description, made, serial, condition, seals, place, holder, state, version, created, "
    "updated"
)


@dataclass(frozen=True)
class Description:
    """What a thing is. `made` says by whom, or what make and model."""

    description: str
    kind: str
    made: str = ""
    serial: str = ""

    def checked(self) -> Description:
        return Description(
            text(self.description, "A description", MAX_TEXT, needed=True),
            text(self.kind, "A kind", MAX_LINE, needed=True),
            text(self.made, "What it says of its make", MAX_LINE),
            text(self.serial, "A serial number", MAX_LINE),
        )

    def members(self) -> dict[str, Json]:
        return {"description": self.description, "kind": self.kind, "made": self.made, "serial": self.serial}


@dataclass(frozen=True)
class Condition:
    """How a thing is after something was done with it, and where it lies."""

    condition: str
    place: str
    seals: tuple[str, ...] = ()

    def checked(self) -> Condition:
        if len(self.seals) > MAX_SEALS:
            raise BadRequest(f"An item has at most {MAX_SEALS} seals.")
        return Condition(
            text(self.condition, "A condition", MAX_TEXT, needed=True),
            text(self.place, "A place", MAX_LINE, needed=True),
            tuple(text(seal, "A seal's number", MAX_LINE, needed=True) for seal in self.seals),
        )

    def members(self) -> dict[str, Json]:
        return {"condition": self.condition, "place": self.place, "seals": list(self.seals)}


@dataclass(frozen=True)
class Party:
    """Somebody who gives or takes a thing: of the box, by an account; or an outsider, whose signature is an exhibit."""

    name: str
    account: UUID | None = None
    signature: UUID | None = None

    def members(self) -> dict[str, Json]:
        return {
            "account": str(self.account) if self.account else None,
            "name": self.name,
            "signature": str(self.signature) if self.signature else None,
        }


@dataclass(frozen=True)
class Item:
    """A thing of a case. `holder` is who has it, as the last record says."""

    id: UUID
    case: UUID
    number: int
    description: Description
    condition: Condition
    holder: Party
    state: str
    version: int
    created: datetime
    updated: datetime


def item_of(row: Row) -> Item:
    return Item(
        row["id"],
        row["case_id"],
        row["number"],
        Description(row["description"], row["kind"], row["made"], row["serial"]),
        Condition(row["condition"], row["place"], tuple(json.loads(row["seals"]))),
        party_of(json.loads(row["holder"])),
        row["state"],
        row["version"],
        row["created"],
        row["updated"],
    )


def party_of(members: dict[str, str | None]) -> Party:
    account, signature = members["account"], members["signature"]
    return Party(str(members["name"]), UUID(account) if account else None, UUID(signature) if signature else None)


def text(value: str, what: str, most: int, *, needed: bool = False) -> str:
    """What a person typed, without blanks around it. BadRequest for too much, or for nothing where something is needed."""
    value = value.strip()
    if len(value) > most:
        raise BadRequest(f"{what} has at most {most} characters.")
    if needed and not value:
        raise BadRequest(f"{what} is needed.")
    return value


def purpose_of(value: str | None) -> str | None:
    return text(value or "", "A purpose", MAX_TEXT) or None
