"""Physical items over HTTP (EV-13): taken in, looked at, handed over with both sides' word, and their whole record."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server import cursor as cursors
from deedbox_server.errors import BadRequest
from deedbox_server.evidence.handovers import Handover, Handovers, NewHandover
from deedbox_server.evidence.item import Condition, Description, Item, Party
from deedbox_server.evidence.items import Items, NewItem, Note
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]

_MAX_PAGE: Final = 500
When = Annotated[datetime, msgspec.Meta(tz=True)] | None
Limit = Annotated[int, msgspec.Meta(ge=1, le=_MAX_PAGE)]


class Given(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How an item is, where it lies, and the numbers of its seals."""

    condition: str
    place: str
    seals: list[str] = []

    def value(self) -> Condition:
        return Condition(self.condition, self.place, tuple(self.seals))


class ItemWords(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What an item is. `made` is its make and model."""

    description: str
    kind: str
    made: str = ""
    serial: str = ""

    def value(self) -> Description:
        return Description(self.description, self.kind, self.made, self.serial)


class ItemOrder(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An item that is taken in: what it is, how, from whom, since when. `signature` is an exhibit with the giver's signature."""

    described: ItemWords
    state: Given
    giver: str
    signature: UUID | None = None
    purpose: str | None = None
    happened: When = None


class NoteOrder(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What somebody did with an item alone, and how it is now."""

    kind: Literal["examined", "moved", "disposed"]
    state: Given
    seal_intact: bool | None = None
    purpose: str | None = None
    happened: When = None


class PhotoOrder(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An exhibit of the item's case that shows it."""

    exhibit: UUID
    purpose: str | None = None


class HandoverOrder(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """To whom an item goes: an account of the case, or an outside person by name with an exhibit that shows the signature.
    `giver_signature` is needed where an outside person has the item."""

    kind: Literal["handed-over", "returned"]
    state: Given
    account: UUID | None = None
    name: str = ""
    signature: UUID | None = None
    giver_signature: UUID | None = None
    seal_intact: bool | None = None
    purpose: str | None = None
    happened: When = None


class PartyAnswer(msgspec.Struct, frozen=True):
    """A side of a handover, or who has an item."""

    name: str
    account: str | None
    signature: str | None


class StateAnswer(msgspec.Struct, frozen=True):
    """How an item is, and where."""

    condition: str
    place: str
    seals: list[str]


class ItemAnswer(msgspec.Struct, frozen=True):
    """An item as it is now. `state` is held, returned or disposed; `photos` are exhibits."""

    id: str
    case: str
    number: int
    description: str
    kind: str
    made: str
    serial: str
    lies: StateAnswer
    holder: PartyAnswer
    state: str
    version: int
    created: str
    updated: str
    photos: list[str] | None = None


class ItemList(msgspec.Struct, frozen=True):
    """A page of a case's items, by number."""

    items: list[ItemAnswer]
    next: str | None


class RecordList(msgspec.Struct, frozen=True):
    """A page of an item's records (formats/item.md), in order."""

    items: list[dict[str, Any]]
    next: str | None


class HandoverAnswer(msgspec.Struct, frozen=True):
    """A handover. `state` is pending, done, refused or withdrawn; `given` and `taken` are when each side confirmed."""

    id: str
    item: str
    kind: str
    state: str
    giver: PartyAnswer
    receiver: PartyAnswer
    then: StateAnswer
    seal_intact: bool | None
    purpose: str | None
    happened: str | None
    given: str | None
    taken: str | None
    created: str
    settled: str | None


class HandoverList(msgspec.Struct, frozen=True):
    """A page of an item's handovers, oldest first."""

    items: list[HandoverAnswer]
    next: str | None


@get("/api/v1/cases/{case:uuid}/items", opt=operation("item.read"))
async def list_items(
    case: FromPath[UUID],
    items: NamedDependency[Items],
    principal: NamedDependency[Principal],
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[Limit] = 100,
) -> ItemList:
    """The physical items of a case."""
    rows = await items.page(principal, case, after=_number(cursor), limit=limit)
    return ItemList([_item(row) for row in rows], cursors.encode(rows[-1].number) if len(rows) == limit else None)


@post("/api/v1/cases/{case:uuid}/items", status_code=201, opt=operation("item.write"))
async def take_in(
    case: FromPath[UUID],
    data: JSONBody[ItemOrder],
    items: NamedDependency[Items],
    principal: NamedDependency[Principal],
) -> Response[ItemAnswer]:
    """Take an item in, with its first record; whoever records it has it."""
    order = NewItem(data.described.value(), data.state.value(), data.giver, data.signature, data.purpose, data.happened)
    return _answer(await items.create(principal, case, order), 201)


class ItemController(Controller):
    path = "/api/v1/items"

    @get("/{item:uuid}", opt=operation("item.read"))
    async def look(
        self, item: FromPath[UUID], items: NamedDependency[Items], principal: NamedDependency[Principal]
    ) -> Response[ItemAnswer]:
        """One item, with the exhibits that show it."""
        found = await items.get(principal, item)
        return _answer(found, photos=[str(one) for one in await items.photos(found)])

    @patch("/{item:uuid}", opt=operation("item.write"))
    async def describe(
        self,
        request: AnyRequest,
        item: FromPath[UUID],
        data: JSONBody[ItemWords],
        items: NamedDependency[Items],
        principal: NamedDependency[Principal],
    ) -> Response[ItemAnswer]:
        """Describe an item anew (`If-Match`); what was said before stays in its record."""
        expected = expected_version(request)
        return _answer(await items.describe(principal, item, data.value(), expected=expected))

    @get("/{item:uuid}/records", opt=operation("item.read"))
    async def records(
        self,
        item: FromPath[UUID],
        items: NamedDependency[Items],
        principal: NamedDependency[Principal],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[Limit] = 100,
    ) -> RecordList:
        """Everything that was done with an item, as the log commits to it."""
        rows = await items.records(principal, item, after=_number(cursor), limit=limit)
        more = cursors.encode(rows[-1]["number"]) if len(rows) == limit else None
        return RecordList([json.loads(row["record"]) for row in rows], more)

    @post("/{item:uuid}/notes", status_code=201, opt=operation("item.write"))
    async def note(
        self,
        request: AnyRequest,
        item: FromPath[UUID],
        data: JSONBody[NoteOrder],
        items: NamedDependency[Items],
        principal: NamedDependency[Principal],
    ) -> Response[ItemAnswer]:
        """Record that an item was examined, lies elsewhere, or was disposed of (`If-Match`)."""
        note = Note(data.kind, data.state.value(), data.seal_intact, data.purpose, data.happened)
        return _answer(await items.note(principal, item, note, expected=expected_version(request)), 201)

    @post("/{item:uuid}/photos", status_code=201, opt=operation("item.write"))
    async def photograph(
        self,
        item: FromPath[UUID],
        data: JSONBody[PhotoOrder],
        items: NamedDependency[Items],
        principal: NamedDependency[Principal],
    ) -> Response[ItemAnswer]:
        """Say that an exhibit of the case shows the item. Repeating it changes nothing."""
        found = await items.photograph(principal, item, data.exhibit, data.purpose)
        return _answer(found, 201, photos=[str(one) for one in await items.photos(found)])

    @get("/{item:uuid}/handovers", opt=operation("item.read"))
    async def list_handovers(
        self,
        item: FromPath[UUID],
        handovers: NamedDependency[Handovers],
        principal: NamedDependency[Principal],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[Limit] = 100,
    ) -> HandoverList:
        """An item's handovers, also those that are pending or came to nothing."""
        rows = await handovers.of(principal, item, after=_id(cursor), limit=limit)
        more = cursors.encode(str(rows[-1].id)) if len(rows) == limit else None
        return HandoverList([_handover(row) for row in rows], more)

    @post("/{item:uuid}/handovers", status_code=201, opt=operation("item.write"))
    async def hand_over(
        self,
        item: FromPath[UUID],
        data: JSONBody[HandoverOrder],
        handovers: NamedDependency[Handovers],
        principal: NamedDependency[Principal],
    ) -> HandoverAnswer:
        """Begin a handover; it is on record once both sides have confirmed."""
        new = NewHandover(
            data.kind,
            Party(data.name, data.account, data.signature),
            data.state.value(),
            data.seal_intact,
            data.purpose,
            data.happened,
            data.giver_signature,
        )
        return _handover(await handovers.begin(principal, item, new))

    @post("/{item:uuid}/handovers/{handover:uuid}/confirm", status_code=200, opt=operation("item.write"))
    async def confirm(
        self,
        item: FromPath[UUID],
        handover: FromPath[UUID],
        handovers: NamedDependency[Handovers],
        principal: NamedDependency[Principal],
    ) -> HandoverAnswer:
        """Confirm one's own side. Repeating it changes nothing."""
        return _handover(await handovers.confirm(principal, item, handover))

    @post("/{item:uuid}/handovers/{handover:uuid}/call-off", status_code=200, opt=operation("item.write"))
    async def call_off(
        self,
        item: FromPath[UUID],
        handover: FromPath[UUID],
        handovers: NamedDependency[Handovers],
        principal: NamedDependency[Principal],
    ) -> HandoverAnswer:
        """Refuse a pending handover, or withdraw it. Repeating it changes nothing."""
        return _handover(await handovers.call_off(principal, item, handover))


def _number(cursor: str | None) -> int:
    return 0 if cursor is None else int(cursors.decode(cursor, int)[0])


def _id(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(str(cursors.decode(cursor, str)[0]))
    except ValueError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None


def _answer(item: Item, status: int = 200, photos: list[str] | None = None) -> Response[ItemAnswer]:
    return Response(_item(item, photos), status_code=status, headers={"ETag": etag(item.version)})


def _item(item: Item, photos: list[str] | None = None) -> ItemAnswer:
    return ItemAnswer(
        id=str(item.id),
        case=str(item.case),
        number=item.number,
        description=item.description.description,
        kind=item.description.kind,
        made=item.description.made,
        serial=item.description.serial,
        lies=_state(item.condition),
        holder=_party(item.holder),
        state=item.state,
        version=item.version,
        created=timestamp.encode(item.created),
        updated=timestamp.encode(item.updated),
        photos=photos,
    )


def _state(condition: Condition) -> StateAnswer:
    return StateAnswer(condition.condition, condition.place, list(condition.seals))


def _party(party: Party) -> PartyAnswer:
    return PartyAnswer(
        party.name,
        str(party.account) if party.account else None,
        str(party.signature) if party.signature else None,
    )


def _handover(one: Handover) -> HandoverAnswer:
    def told(time: datetime | None) -> str | None:
        return timestamp.encode(time) if time else None

    return HandoverAnswer(
        id=str(one.id),
        item=str(one.item),
        kind=one.kind,
        state=one.state,
        giver=_party(one.giver),
        receiver=_party(one.receiver),
        then=_state(one.condition),
        seal_intact=one.seal_intact,
        purpose=one.purpose,
        happened=told(one.happened),
        given=told(one.given),
        taken=told(one.taken),
        created=timestamp.encode(one.created),
        settled=told(one.settled),
    )
