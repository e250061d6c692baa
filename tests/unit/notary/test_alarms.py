"""Alarms: sentences from whoever has something to say, shown to all who ask, stopping nothing."""

import httpx
import pytest

from deedbox_server.notary.alarms import Alarms
from kit.listening import people_app
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def says(*sentences: str) -> list[str]:
    return list(sentences)


async def test_every_source_is_heard_and_the_same_sentence_is_told_once() -> None:
    alarms = Alarms()
    alarms.register(lambda: says("one", "two"))
    alarms.register(says)
    alarms.register(lambda: says("two", "three"))
    assert await alarms.now() == ["one", "two", "three"]


async def test_a_source_that_fails_silences_nobody_and_is_itself_an_alarm() -> None:
    async def fails() -> list[str]:
        raise RuntimeError("no such table")

    alarms = Alarms()
    alarms.register(fails)
    alarms.register(lambda: says("the clock is off"))
    broken, other = await alarms.now()
    assert "could not be looked at" in broken
    assert "no such table" not in broken
    assert other == "the clock is off"


async def test_a_box_with_an_alarm_is_ready_and_says_it(desk_and_box: Office) -> None:
    desk_and_box.box.alarms.register(lambda: says("No beacon could be had."))
    transport = httpx.ASGITransport(people_app(desk_and_box.box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "reasons": [], "alarms": ["No beacon could be had."]}
