"""Handovers of items: who gives and who takes, each with their own word, before it is on record (EV-13).

A person of the box confirms by their account. An outside person signs, and the signature is an exhibit of the case; whoever
records the handover answers for that. What only one side has confirmed is pending, and no record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound
from deedbox_server.evidence.item import HELD, MAX_LINE, Condition, Item, Party, party_of, purpose_of, text
from deedbox_server.evidence.item_chain import ItemChain
from deedbox_server.evidence.items import WRITE, Items
from deedbox_server.notary.service import Notary
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.recorder import Recorder
from deedbox_sync import timestamp, uuid7
from deedbox_sync.canonical_json import Json

PENDING: Final = "pending"
DONE: Final = "done"
REFUSED: Final = "refused"
WITHDRAWN: Final = "withdrawn"
KINDS: Final = ("handed-over", "returned")

_COLUMNS: Final = "id, item, kind, state, detail, given, taken, made_by, created, settled, version"


@dataclass(frozen=True)
class NewHandover:
    """What is handed over to whom, and how it then is. The giver is whoever has the item; an outside one signs."""

    kind: str
    receiver: Party
    condition: Condition
    seal_intact: bool | None = None
    purpose: str | None = None
    happened: datetime | None = None
    giver_signature: UUID | None = None


@dataclass(frozen=True)
class Handover:
    """One handover. `given` and `taken` are when each side confirmed, None for one that has not."""

    id: UUID
    item: UUID
    kind: str
    state: str
    giver: Party
    receiver: Party
    condition: Condition
    seal_intact: bool | None
    purpose: str | None
    happened: datetime | None
    given: datetime | None
    taken: datetime | None
    made_by: str
    created: datetime
    settled: datetime | None


class Handovers:
    def __init__(
        self, db: Database, notary: Notary, items: Items, permissions: Permissions, recorder: Recorder
    ) -> None:
        self._db = db
        self._items = items
        self._permissions = permissions
        self._recorder = recorder
        self._chain = ItemChain(db, notary)

    async def begin(self, principal: Principal, item: UUID, new: NewHandover) -> Handover:
        """Say that an item goes from who has it to somebody else. One is pending at a time.

        What the caller and signatures confirm is confirmed; it is done at once where that is both sides.
        """
        if new.kind not in KINDS:
            raise BadRequest(f"A handover is one of: {', '.join(KINDS)}.")
        found = await self._items.get(principal, item, WRITE)
        how, purpose = new.condition.checked(), purpose_of(new.purpose)
        if new.happened is not None and new.happened > datetime.now(UTC):
            raise BadRequest("What is recorded has happened: its time is not later than now.")
        handover = uuid7.new()
        async with self._db.transaction():
            here = await self._chain.lock(item)
            await self._refuse_what_is_under_way(here)
            giver = Party(here.holder.name, here.holder.account, new.giver_signature)
            receiver = await self._receiver(new.receiver, found.case)
            await self._refuse_unsigned(giver, found.case)
            await self._refuse_unsigned(receiver, found.case)
            if (giver.account, giver.name) == (receiver.account, receiver.name):
                raise BadRequest("An item is handed over to somebody else; where it only lies elsewhere, it was moved.")
            detail: dict[str, Json] = {
                "giver": giver.members(),
                "happened": timestamp.encode(new.happened) if new.happened else None,
                "purpose": purpose,
                "receiver": receiver.members(),
                "seal_intact": new.seal_intact,
                "state": how.members(),
            }
            now = datetime.now(UTC)
            given = now if _confirms(principal, giver) else None
            taken = now if _confirms(principal, receiver) else None
            await self._db.insert_many(
                "handover",
                ("id", "item", "kind", "state", "detail", "given", "taken", "made_by", "created", "version"),
                [
                    (
                        *(handover, item, new.kind, PENDING, json.dumps(detail, ensure_ascii=False), given, taken),
                        *(principal.actor_id, now, 1),
                    )
                ],
            )
            told: dict[str, Json] = {"handover": str(handover), "kind": new.kind, "state": "begun"}
            await self._recorder.changed(principal, WRITE, case=found.case, object=item, detail=told)
            await self._finish_if_confirmed(principal, here, handover)
        return await self._one(item, handover)

    async def confirm(self, principal: Principal, item: UUID, handover: UUID) -> Handover:
        """The caller's own side. Denied for who is neither; done once both are. Again changes nothing."""
        found = await self._items.get(principal, item, WRITE)
        async with self._db.transaction():
            here = await self._chain.lock(item)
            one = await self._one(item, handover)
            sides = [side for side, party in (("given", one.giver), ("taken", one.receiver)) if _is(principal, party)]
            if not sides:
                raise Denied("only who gives and who takes an item confirm its handover")
            if one.state == PENDING:
                for side in sides:
                    await self._db.execute(
                        f"UPDATE handover SET {side} = coalesce({side}, {{}}) WHERE id = {{}}",
                        datetime.now(UTC),
                        handover,
                    )
                told: dict[str, Json] = {"handover": str(handover), "state": "confirmed"}
                await self._recorder.changed(principal, WRITE, case=found.case, object=item, detail=told)
                await self._finish_if_confirmed(principal, here, handover)
            elif one.state != DONE:
                raise Conflict(f"This handover was {one.state}: begin another one.")
        return await self._one(item, handover)

    async def call_off(self, principal: Principal, item: UUID, handover: UUID) -> Handover:
        """Refused by the other side, or withdrawn by who began it. Conflict once it is done; again changes nothing."""
        found = await self._items.get(principal, item, WRITE)
        async with self._db.transaction():
            await self._chain.lock(item)
            one = await self._one(item, handover)
            if principal.actor_id == one.made_by:
                state = WITHDRAWN
            elif _is(principal, one.giver) or _is(principal, one.receiver):
                state = REFUSED
            else:
                raise Denied("only who gives, who takes and who began a handover call it off")
            if one.state == DONE:
                raise Conflict("This handover is done: what follows is another one.")
            if one.state == PENDING:
                await self._db.execute(
                    "UPDATE handover SET state = {}, settled = {}, version = version + 1 WHERE id = {}",
                    state,
                    datetime.now(UTC),
                    handover,
                )
                told: dict[str, Json] = {"handover": str(handover), "state": state}
                await self._recorder.changed(principal, WRITE, case=found.case, object=item, detail=told)
        return await self._one(item, handover)

    async def of(
        self, principal: Principal, item: UUID, *, after: UUID | None = None, limit: int = 100
    ) -> list[Handover]:
        """The item's handovers, oldest first, after the id `after`, also those that came to nothing."""
        await self._items.get(principal, item)
        rows = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM handover WHERE item = {{}} AND id > {{}} ORDER BY id LIMIT {limit:d}",
            item,
            after or UUID(int=0),
        )
        return [_handover(row) for row in rows]

    async def _finish_if_confirmed(self, principal: Principal, item: Item, handover: UUID) -> None:
        """Both sides have confirmed: it is on record, and the item is the receiver's."""
        one = await self._one(item.id, handover)
        if one.given is None or one.taken is None:
            return
        detail: dict[str, Json] = {
            "giver": one.giver.members(),
            "handover": str(handover),
            "purpose": one.purpose,
            "receiver": one.receiver.members(),
            "seal_intact": one.seal_intact,
            "state": one.condition.members(),
        }
        await self._chain.append(principal, item.id, item.case, one.kind, detail, one.happened)
        holder = Party(one.receiver.name, one.receiver.account)
        await self._chain.change(item, one.kind, condition=one.condition, holder=holder)
        await self._db.execute(
            "UPDATE handover SET state = {}, settled = {}, version = version + 1 WHERE id = {}",
            DONE,
            datetime.now(UTC),
            handover,
        )

    async def _receiver(self, receiver: Party, case: UUID) -> Party:
        """By the name that the account has; whoever confirms must be allowed to."""
        if receiver.account is None:
            return Party(text(receiver.name, "Who takes it", MAX_LINE, needed=True), None, receiver.signature)
        row = await self._db.fetch_one(
            "SELECT name, role FROM account WHERE id = {} AND disabled = {}", receiver.account, False
        )
        if row is not None:
            taker = Principal("account", receiver.account, None, row["name"], "", row["role"])
            try:
                await self._permissions.permit(self._db, taker, WRITE, case=case)
            except (Denied, NotFound):
                row = None
        if row is None:
            raise BadRequest("Who takes it is a member of the case, or signs as an outside person.")
        return Party(row["name"], receiver.account, receiver.signature)

    async def _refuse_unsigned(self, party: Party, case: UUID) -> None:
        if (party.account is None) != (party.signature is not None):
            raise BadRequest(
                "An outside person signs, with an exhibit that shows it; who has an account confirms by it."
            )
        if party.signature is not None:
            await self._items.refuse_unless_here(party.signature, case)

    async def _refuse_what_is_under_way(self, item: Item) -> None:
        if item.state != HELD:
            raise Conflict(f"This item was {item.state}: nothing more is done with it.")
        if await self._db.fetch("SELECT id FROM handover WHERE item = {} AND state = {}", item.id, PENDING):
            raise Conflict("A handover of this item is pending: have it confirmed or withdrawn first.")

    async def _one(self, item: UUID, handover: UUID) -> Handover:
        row = await self._db.fetch_one(
            f"SELECT {_COLUMNS} FROM handover WHERE id = {{}} AND item = {{}}", handover, item
        )
        if row is None:
            raise NotFound
        return _handover(row)


def _is(principal: Principal, party: Party) -> bool:
    return principal.kind == "account" and party.account is not None and principal.account == party.account


def _confirms(principal: Principal, party: Party) -> bool:
    """The caller is that side, or the side has signed."""
    return party.signature is not None or _is(principal, party)


def _handover(row: Row) -> Handover:
    detail = json.loads(row["detail"])
    state = detail["state"]
    return Handover(
        id=row["id"],
        item=row["item"],
        kind=row["kind"],
        state=row["state"],
        giver=party_of(detail["giver"]),
        receiver=party_of(detail["receiver"]),
        condition=Condition(state["condition"], state["place"], tuple(state["seals"])),
        seal_intact=detail["seal_intact"],
        purpose=detail["purpose"],
        happened=timestamp.parse(detail["happened"]) if detail["happened"] else None,
        given=row["given"],
        taken=row["taken"],
        made_by=row["made_by"],
        created=row["created"],
        settled=row["settled"],
    )
