"""Turns at an upload: one at a time, the newest first, and nobody waits for a sender that is gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deedbox_server.evidence.turns import BoxStops, SenderSilent, TakenOver, Turn, Turns

pytestmark = pytest.mark.anyio


async def silent(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    await asyncio.Event().wait()


async def all_of(source: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in source]


async def test_what_is_sent_passes_through() -> None:
    async def sent() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    assert await all_of(Turn().pieces(sent())) == [b"a", b"b"]


async def test_a_sender_that_falls_silent_is_left_after_a_while() -> None:
    got = []
    with pytest.raises(SenderSilent):
        async for piece in Turn().pieces(silent(b"a"), patience=0.01):
            got.append(piece)
    assert got == [b"a"]


async def test_who_has_the_turn_gives_way_to_a_newer_request() -> None:
    turns, order = Turns(), []

    async def older() -> None:
        async with turns.take("upload") as turn:
            order.append("older")
            with pytest.raises(TakenOver):
                await all_of(turn.pieces(silent(b"a")))
            order.append("older ended")

    waiting = asyncio.create_task(older())
    await asyncio.sleep(0.01)
    assert turns.busy("upload")
    async with turns.take("upload"):
        order.append("newer")
    await waiting
    assert order == ["older", "older ended", "newer"]
    assert not turns.busy("upload")


async def test_of_many_that_wait_all_but_the_newest_give_way_at_once() -> None:
    turns, outcomes = Turns(), []

    async def request(number: int) -> None:
        async with turns.take("upload") as turn:
            try:
                async with asyncio.timeout(0.05):
                    await all_of(turn.pieces(silent(b"a")))
            except TakenOver:
                outcomes.append((number, "taken over"))
            except TimeoutError:
                outcomes.append((number, "reading"))

    await asyncio.gather(*(request(number) for number in range(4)))
    assert outcomes == [(0, "taken over"), (1, "taken over"), (2, "taken over"), (3, "reading")]


async def test_bytes_on_their_way_to_the_disk_are_not_cut_short() -> None:
    turn, written = Turn(), []
    with pytest.raises(TakenOver):
        async for piece in turn.pieces(silent(b"a", b"b")):
            turn.end(TakenOver)  # while the piece is being written
            await asyncio.sleep(0.01)
            written.append(piece)
    assert written == [b"a"]


async def test_other_uploads_are_not_disturbed() -> None:
    turns = Turns()
    async with turns.take("one") as one, turns.take("two"):

        async def sent() -> AsyncIterator[bytes]:
            yield b"a"

        assert await all_of(one.pieces(sent())) == [b"a"]


async def test_cancelled_while_it_waits_it_leaves_no_trace() -> None:
    turns = Turns()
    async with turns.take("upload"):
        waiting = asyncio.create_task(turns.take("upload").__aenter__())
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert not turns.busy("upload")


async def test_a_box_that_stops_lets_every_sender_go_and_takes_no_more() -> None:
    turns = Turns()

    async def sending(upload: str) -> None:
        async with turns.take(upload) as turn:
            await all_of(turn.pieces(silent(b"a")))

    tasks = [asyncio.create_task(sending(upload)) for upload in ("one", "two")]
    await asyncio.sleep(0.01)
    turns.stop()
    for waiting in (*tasks, sending("three")):
        with pytest.raises(BoxStops):
            await waiting
