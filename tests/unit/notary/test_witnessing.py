"""The box as a witness: what it cosigned is kept, questions come one after the other, and what speaks against a log stays."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.notary.witnessing import Witnessing
from deedbox_sync import note
from deedbox_sync.witness import FORK, UNPROVEN, Answer, encode_request
from memory_witness import LOG_VKEY, ORIGIN, WITNESS, TinyLog, log_of
from people_box import SetClock

pytestmark = pytest.mark.anyio

OWN = f"deedbox/{'9' * 32}/1"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 3, 14, 12, tzinfo=UTC))


@pytest.fixture
async def witnessing(database: Database, clock: SetClock) -> Witnessing:
    made = Witnessing(database, WITNESS, OWN, clock)
    await made.watch(LOG_VKEY)
    return made


async def show(witnessing: Witnessing, log: TinyLog, old: int, size: int | None = None) -> Answer:
    return await witnessing.add_checkpoint(encode_request(log.request(old, size)))


async def test_a_log_is_cosigned_as_it_grows_and_its_newest_note_is_kept(witnessing: Witnessing) -> None:
    assert (await show(witnessing, log_of(3), 0)).status == 200
    answer = await show(witnessing, log_of(9), 3)
    assert note.verify_note(note.parse_note(log_of(9).checkpoint() + answer.text), [witnessing.vkey]) == {
        WITNESS.name: 1_773_489_600
    }
    (log,) = await witnessing.logs()
    assert (log.origin, log.size, log.note) == (ORIGIN, 9, log_of(9).checkpoint())


async def test_what_it_cosigned_survives_a_restart(witnessing: Witnessing, database: Database, clock: SetClock) -> None:
    await show(witnessing, log_of(5), 0)
    again = Witnessing(database, WITNESS, OWN, clock)
    assert (await show(again, log_of(5, "other"), 0)).text == "5\n"
    assert (await show(again, log_of(8, "other"), 5)).status == 422
    assert (await show(again, log_of(8), 5)).status == 200


async def test_a_log_that_is_no_longer_watched_is_unknown_and_when_watched_again_goes_on_where_it_was(
    witnessing: Witnessing,
) -> None:
    await show(witnessing, log_of(5), 0)
    (log,) = await witnessing.logs()
    await witnessing.unwatch(log.id)
    assert await witnessing.logs() == []
    assert (await show(witnessing, log_of(6), 5)).status == 404
    with pytest.raises(NotFound):
        await witnessing.unwatch(log.id)
    await witnessing.watch(LOG_VKEY)
    assert (await show(witnessing, log_of(3, "other"), 0)).text == "5\n"


async def test_a_log_keeps_its_key_and_the_own_log_and_witnesses_are_no_logs(witnessing: Witnessing) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(Conflict, match="another key"):
        await witnessing.watch(note.encode_vkey(ORIGIN, note.ED25519, other))
    for vkey in (WITNESS.vkey, note.encode_vkey(OWN, note.ED25519, other), "nonsense"):
        with pytest.raises(BadRequest):
            await witnessing.watch(vkey)
    assert (await witnessing.watch(LOG_VKEY)).origin == ORIGIN


async def test_a_fork_is_kept_with_both_notes_and_stays_an_alarm(witnessing: Witnessing, clock: SetClock) -> None:
    await show(witnessing, log_of(4), 0)
    forked = log_of(4, "other")
    assert (await show(witnessing, forked, 0)).status == 409
    (found,) = await witnessing.misbehaviour()
    assert (found.kind, found.size, found.note, found.held) == (FORK, 4, forked.checkpoint(), log_of(4).checkpoint())
    for kept in (found.note, found.held):
        assert note.verify_note(note.parse_note(kept), [LOG_VKEY]) == {ORIGIN: None}
    clock.pass_time(minutes=5)
    await show(witnessing, log_of(6), 4)
    (sentence,) = await witnessing.alarms()
    assert f"The log {ORIGIN}" in sentence
    assert "forked" in sentence


async def test_a_checkpoint_that_is_not_shown_to_continue_is_an_alarm_until_the_log_is_cosigned_again(
    witnessing: Witnessing, clock: SetClock
) -> None:
    await show(witnessing, log_of(4), 0)
    clock.pass_time(minutes=5)
    assert (await show(witnessing, log_of(7, "other"), 4)).status == 422
    (found,) = await witnessing.misbehaviour()
    assert (found.kind, found.size, found.held_size) == (UNPROVEN, 7, 4)
    (sentence,) = await witnessing.alarms()
    assert "do not continue" in sentence
    clock.pass_time(minutes=5)
    await show(witnessing, log_of(4), 4)
    assert await witnessing.alarms() == []
    assert len(await witnessing.misbehaviour()) == 1


async def test_strangers_cannot_fill_what_is_kept(witnessing: Witnessing, database: Database, clock: SetClock) -> None:
    await show(witnessing, log_of(4), 0)
    before = await database.fetch("SELECT * FROM watched_log")
    forged = replace(log_of(9), key=Ed25519PrivateKey.generate())
    assert (await show(witnessing, forged, 4)).status == 403
    assert (await witnessing.add_checkpoint(b"nonsense")).status == 400
    honest = log_of(9).request(4)
    stranger = note.sign(note.parse_note(honest.note).body, "stranger", Ed25519PrivateKey.generate())
    for number in range(40):
        spoilt = replace(honest, proof=(bytes([number]) * 32,), note=honest.note + stranger)
        assert (await witnessing.add_checkpoint(encode_request(spoilt))).status == 422
    (found,) = await witnessing.misbehaviour()
    assert found.note == honest.note
    for size in range(5, 60):
        await witnessing.add_checkpoint(encode_request(replace(log_of(size).request(4), proof=())))
    assert len(await witnessing.misbehaviour()) == 32
    assert await database.fetch("SELECT * FROM watched_log") == before


async def test_a_checkpoint_cosigned_already_is_signed_again_and_not_written_each_time(
    witnessing: Witnessing, clock: SetClock
) -> None:
    await show(witnessing, log_of(4), 0)
    (first,) = await witnessing.logs()
    clock.pass_time(seconds=30)
    assert (await show(witnessing, log_of(4), 4)).status == 200
    assert await witnessing.logs() == [first]
    clock.pass_time(seconds=31)
    await show(witnessing, log_of(4), 4)
    (later,) = await witnessing.logs()
    assert first.cosigned is not None
    assert later.cosigned == first.cosigned + timedelta(seconds=61)


async def test_of_two_histories_shown_at_once_only_one_is_ever_cosigned(witnessing: Witnessing) -> None:
    """Both continue the empty log; whoever comes second meets what the first left (c2sp.org/tlog-witness, the race)."""
    one, other = log_of(40), log_of(40, "other")
    answers = await asyncio.gather(
        *(show(witnessing, log, 0, size) for size in range(1, 41) for log in (one, other)),
    )
    signed = [answer for answer in answers if answer.status == 200]
    (log,) = await witnessing.logs()
    assert len(signed) == 1
    assert {answer.status for answer in answers} <= {200, 409}
    assert log.note in (one.checkpoint(log.size), other.checkpoint(log.size))


async def test_of_many_growing_at_once_the_size_never_goes_back(witnessing: Witnessing) -> None:
    """Each asker starts from what it believes; the box never signs a smaller tree after a larger one."""
    log, sizes = log_of(60), []

    async def grow(size: int) -> None:
        for old in (0, 10, 20, 30, 40, 50):
            if old <= size and (await show(witnessing, log, old, size)).status == 200:
                (held,) = await witnessing.logs()
                sizes.append((size, held.size))

    await show(witnessing, log, 0, 10)
    await asyncio.gather(*(grow(size) for size in (20, 30, 40, 50, 60)))
    assert all(held >= size for size, held in sizes)
