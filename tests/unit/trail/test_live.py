"""Live events: in order, behind the wall as it stands when they leave, and nothing once a session or a key has ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest

from deedbox_server.errors import TooMany
from deedbox_server.people.principal import Principal
from deedbox_server.trail import Beat, Live, Piece, Reset
from deedbox_server.trail import live as live_module
from deedbox_server.web.live import encode
from deedbox_sync import uuid7
from kit.open_box import Office

pytestmark = pytest.mark.anyio

PATIENCE = 60  # seconds; a machine under load


async def no_alarms() -> list[str]:
    return []


def quiet(office: Office) -> Live:
    """Live events whose alarms are silent, so that a test sees what it did and nothing else."""
    return Live(office.box.database, office.box.permissions, no_alarms)


async def change(office: Office, operation: str = "case.write", case: UUID | None = None) -> UUID:
    object_ = uuid7.new()
    async with office.box.database.transaction():
        case = case or office.case.id
        await office.box.trail.changed(
            office.principal, operation, case=case, object=object_, detail={"title": "secret"}
        )
    await office.settle()
    return object_


class Ear:
    """One who listens: its pieces are taken as they come."""

    def __init__(self, live: Live, pieces: AsyncIterator[Piece]) -> None:
        self.live = live
        self.heard: list[Any] = []
        self.ended = asyncio.Event()
        self._more = asyncio.Event()
        self.task = asyncio.create_task(self._take(pieces))

    async def _take(self, pieces: AsyncIterator[Piece]) -> None:
        async with aclosing(cast("Any", pieces)):
            async for piece in pieces:
                told = piece if isinstance(piece, tuple) else (piece,)
                # Alarms are told to whoever watches the box as soon as it begins to listen.
                self.heard += [one for one in told if getattr(one, "topic", "") != "alarms"]
                self._more.set()
        self.ended.set()

    async def has(self, number: int) -> list[Any]:
        """What was heard, once it is this many."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < number:
                self._more.clear()
                await self.live.step()
                if len(self.heard) < number:
                    await asyncio.wait([asyncio.create_task(self._more.wait())], timeout=0.05)
        return self.heard

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def begin(live: Live, principal: Principal, last: int | None = None) -> Ear:
    """An ear that has begun to listen."""
    ear = Ear(live, await live.listen(principal, last))
    async with asyncio.timeout(PATIENCE):
        while not live._listeners:
            await asyncio.sleep(0)
        await live.step()
    return ear


async def member(office: Office, role: str = "paralegal", standing: str = "paralegal") -> Principal:
    account = await office.box.accounts.create(f"Pat {uuid7.new()}", standing, "a long enough passphrase")
    await office.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(office.case.id, account.id, role)]
    )
    return Principal("account", account.id, None, account.name, "test", account.role)


async def test_a_change_is_told_without_what_it_says(desk_and_box: Office) -> None:
    live = quiet(desk_and_box)
    ear = await begin(live, desk_and_box.principal)
    object_ = await change(desk_and_box, "party.write")
    (told,) = await ear.has(1)
    assert (told.topic, told.case, told.object) == ("case.changed", desk_and_box.case.id, object_)
    assert dict(told.data) == {"by": desk_and_box.principal.actor_id, "operation": "party.write"}
    assert b"secret" not in encode((told,))
    await ear.stop()


async def test_exhibits_are_told_as_they_come(desk_and_box: Office) -> None:
    live = quiet(desk_and_box)
    ear = await begin(live, desk_and_box.principal)
    box, desk = desk_and_box.box, desk_and_box.desk
    await box.intake.batch(desk.sender(desk_and_box.owner.id), [desk.item("a.pdf", b"a")], wait=0)
    await desk_and_box.settle()
    (told,) = await ear.has(1)
    (exhibit,) = await box.database.fetch("SELECT id FROM exhibit")
    assert (told.topic, told.case, told.object) == ("exhibit.received", desk_and_box.case.id, exhibit["id"])
    await ear.stop()


async def test_many_of_a_kind_at_once_are_one_event_with_a_count(desk_and_box: Office) -> None:
    live = quiet(desk_and_box)
    ear = await begin(live, desk_and_box.principal)
    async with desk_and_box.box.database.transaction():
        for _ in range(50):
            await desk_and_box.box.trail.changed(desk_and_box.principal, "party.write", case=desk_and_box.case.id)
    await desk_and_box.settle()
    (told,) = await ear.has(1)
    assert dict(told.data) == {"count": 50}
    await ear.stop()


async def test_who_has_lost_the_case_hears_nothing_more_of_it(desk_and_box: Office) -> None:
    live, database = quiet(desk_and_box), desk_and_box.box.database
    pat = await member(desk_and_box)
    ear, other = await begin(live, pat), await begin(live, desk_and_box.principal)
    await change(desk_and_box)
    await ear.has(1)
    await database.execute("DELETE FROM case_member WHERE account = {}", pat.account)
    await change(desk_and_box)
    await change(desk_and_box)
    await other.has(3)  # by then the other one has been asked about as well
    assert len(ear.heard) == 1
    assert not ear.ended.is_set(), "silence, not an end that would tell"
    await ear.stop()
    await other.stop()


async def test_an_outsider_hears_only_of_what_was_shared(desk_and_box: Office) -> None:
    live, database = quiet(desk_and_box), desk_and_box.box.database
    counsel = await member(desk_and_box, "opposing-counsel", "outsider")
    ear = await begin(live, counsel)
    hidden, shown = uuid7.new(), uuid7.new()
    for event, shared in ((hidden, False), (shown, True)):
        await database.execute(
            "INSERT INTO case_event (id, case_id, kind, title, detail, starts, zone, certainty, source, shared, version,"
            " created, made_by) SELECT {}, {}, 'note', 'x', '', created, 'UTC', 'day', 'x', {}, 1, created, 'box'"
            " FROM legal_case WHERE id = {}",
            *(event, desk_and_box.case.id, shared, desk_and_box.case.id),
        )
        async with database.transaction():
            await desk_and_box.box.trail.changed(
                desk_and_box.principal, "event.write", case=desk_and_box.case.id, object=event
            )
    await change(desk_and_box, "party.write")
    await desk_and_box.settle()
    (told,) = await ear.has(1)
    assert told.object == shown
    await ear.stop()


async def test_a_key_without_the_scope_hears_nothing_of_evidence(desk_and_box: Office) -> None:
    live = quiet(desk_and_box)
    ear = await begin(live, replace(desk_and_box.principal, scopes=frozenset({"case:read"})))
    box, desk = desk_and_box.box, desk_and_box.desk
    await box.intake.batch(desk.sender(desk_and_box.owner.id), [desk.item("a.pdf", b"a")], wait=0)
    object_ = await change(desk_and_box)
    (told,) = await ear.has(1)
    assert told.object == object_
    await ear.stop()


async def test_it_ends_with_the_account_and_with_the_key(desk_and_box: Office) -> None:
    live, box = quiet(desk_and_box), desk_and_box.box
    key, text = await box.api_keys.create(desk_and_box.owner.id, "tests")
    await desk_and_box.settle()
    by_key = await begin(live, await box.api_keys.by_text(text.text))
    pat = await member(desk_and_box)
    by_account = await begin(live, pat)
    await change(desk_and_box)
    await by_key.has(1)
    await by_account.has(1)
    await box.database.execute("UPDATE api_key SET revoked = created WHERE id = {}", key.id)
    await box.database.execute("UPDATE account SET disabled = {} WHERE id = {}", True, pat.account)
    await change(desk_and_box)
    await live.step()
    async with asyncio.timeout(PATIENCE):
        await by_key.ended.wait()
        await by_account.ended.wait()
    assert len(by_key.heard) == len(by_account.heard) == 1


async def test_after_a_break_the_rest_is_told_and_after_a_long_one_to_load_anew(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = quiet(desk_and_box)
    ear = await begin(live, desk_and_box.principal)
    await change(desk_and_box)
    (first,) = await ear.has(1)
    await ear.stop()
    missed = [await change(desk_and_box) for _ in range(3)]
    again = await begin(live, desk_and_box.principal, first.seq)
    assert [told.object for told in await again.has(3)] == missed
    await again.stop()
    monkeypatch.setattr(live_module, "MAX_BEHIND", 2)
    late = await begin(live, desk_and_box.principal, first.seq)
    (reset,) = await late.has(1)
    assert reset == Reset(again.heard[-1].seq)
    await late.stop()
    ahead = await begin(live, desk_and_box.principal, 10**9)
    assert await ahead.has(1) == [reset], "an id that this log never gave: of another box, or of one that was restored"
    await ahead.stop()


async def test_a_slow_listener_catches_up_from_the_log(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    live = quiet(desk_and_box)
    live._window = live_module.deque(maxlen=2)
    monkeypatch.setattr(live_module, "WINDOW", 2)
    quick = await begin(live, desk_and_box.principal)
    made = []
    for _ in range(6):
        made.append(await change(desk_and_box))
        await quick.has(len(made))
    first = quick.heard[0].seq
    ear = await begin(live, desk_and_box.principal, first)
    assert [told.object for told in await ear.has(5)] == made[1:]
    await ear.stop()
    await quick.stop()


async def test_a_box_that_stops_waits_for_no_stream(desk_and_box: Office) -> None:
    live = quiet(desk_and_box)
    ears = [await begin(live, desk_and_box.principal) for _ in range(3)]
    live.stop()
    async with asyncio.timeout(PATIENCE):
        for ear in ears:
            await ear.ended.wait()
    assert not live._listeners


async def test_an_account_has_so_many_streams_and_no_more(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "MAX_STREAMS", 2)
    live = quiet(desk_and_box)
    ears = [await begin(live, desk_and_box.principal) for _ in range(2)]
    with pytest.raises(TooMany):
        await live.listen(desk_and_box.principal)
    for ear in ears:
        await ear.stop()
    await (await begin(live, desk_and_box.principal)).stop()


async def test_silence_is_broken_by_a_beat(desk_and_box: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "HEARTBEAT", 0.01)
    live = quiet(desk_and_box)
    ear = await begin(live, desk_and_box.principal)
    async with asyncio.timeout(PATIENCE):
        while not ear.heard:
            await asyncio.sleep(0.01)
    assert isinstance(ear.heard[0], Beat)
    await ear.stop()


async def test_jobs_and_alarms_are_told_as_they_stand(desk_and_box: Office) -> None:
    box, desk = desk_and_box.box, desk_and_box.desk
    await box.intake.batch(desk.sender(desk_and_box.owner.id), [desk.item("a.pdf", b"a")], wait=0)
    await desk_and_box.settle()
    await box.database.execute("UPDATE job SET state = 'running', progress = {}", 0.25)

    async def alarms() -> list[str]:
        return ["the log stands still"]

    live = Live(box.database, box.permissions, alarms)
    pieces = await live.listen(desk_and_box.principal)
    first = asyncio.create_task(anext(cast("Any", pieces)))
    async with asyncio.timeout(PATIENCE):
        while not first.done():
            await live.step()
            await asyncio.sleep(0.01)
    told = {one.topic: dict(one.data) for one in await first}
    assert told["alarms"] == {"alarms": ["the log stands still"]}
    assert (told["job"]["state"], told["job"]["percent"]) == ("running", 25)
    await cast("Any", pieces).aclose()


def test_pieces_are_lines_of_server_sent_events() -> None:
    assert encode(Beat(7)) == b"id: 7\n\n"
    assert encode(Reset(8)) == b"id: 8\nevent: reset\ndata: {}\n\n"
