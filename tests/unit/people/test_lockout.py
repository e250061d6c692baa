"""Waits for guessers, and for nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from deedbox_server.database import Database
from deedbox_server.errors import TooMany
from deedbox_server.people import lockout as module
from deedbox_server.people.lockout import (
    FREE_TRIES,
    LONGEST_WAIT,
    Lockout,
    from_browser,
    from_network,
    wait_after,
)
from people_box import SetClock

ADA = from_network("password", "ada", "192.0.2.7")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def lockout(database: Database, clock: SetClock) -> Lockout:
    return Lockout(database, clock)


async def fail(lockout: Lockout, times: int, budget: module.Budget = ADA) -> None:
    for _ in range(times):
        await lockout.take(budget)


def test_waits_double_up_to_an_hour() -> None:
    waits = [wait_after(failures).total_seconds() for failures in range(1, 15)]
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert wait_after(10**9) == LONGEST_WAIT


async def test_a_few_tries_are_free_then_there_is_a_wait_that_is_told(lockout: Lockout, clock: SetClock) -> None:
    await fail(lockout, FREE_TRIES)
    clock.pass_time(seconds=12.5)
    with pytest.raises(TooMany) as refused:
        await lockout.take(ADA)
    assert refused.value.extra["retry_after"] == 18
    clock.pass_time(seconds=17.5)
    await lockout.take(ADA)


async def test_tries_during_a_wait_do_not_lengthen_it(lockout: Lockout, clock: SetClock) -> None:
    await fail(lockout, FREE_TRIES)
    for _ in range(10):
        with pytest.raises(TooMany):
            await lockout.take(ADA)
    clock.pass_time(seconds=30)
    await lockout.take(ADA)


async def test_a_right_answer_forgives_what_was_before(lockout: Lockout) -> None:
    for _ in range(3):
        await fail(lockout, FREE_TRIES - 1)
        await lockout.forgive(ADA)


async def test_a_day_without_failure_forgets(lockout: Lockout, clock: SetClock) -> None:
    await fail(lockout, FREE_TRIES)
    clock.now += timedelta(days=1, seconds=1)
    await fail(lockout, FREE_TRIES)


async def test_many_at_once_are_as_many_as_one_after_another(lockout: Lockout) -> None:
    outcomes = await asyncio.gather(*(lockout.take(ADA) for _ in range(20)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == FREE_TRIES
    assert all(outcome is None or isinstance(outcome, TooMany) for outcome in outcomes)


async def test_who_guesses_elsewhere_makes_nobody_wait_here(lockout: Lockout) -> None:
    await fail(lockout, FREE_TRIES, from_network("password", "ada", "198.51.100.9"))
    with pytest.raises(TooMany):
        await lockout.take(from_network("password", "ada", "198.51.100.200"))
    await lockout.take(ADA)
    await lockout.take(from_network("password", "bob", "198.51.100.9"))


async def test_a_known_browser_has_its_own_tries_in_the_network_of_the_guesser(lockout: Lockout) -> None:
    await fail(lockout, FREE_TRIES)
    await fail(lockout, FREE_TRIES, from_browser("password", "ada", b"\1" * 32))
    with pytest.raises(TooMany):
        await lockout.take(from_browser("password", "ada", b"\1" * 32))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:0:100::1", "2001:db8:0:1ff:ffff::", True),  # a subscriber has at least so many addresses
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
        ("::ffff:192.0.2.1", "192.0.2.9", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        (None, "nonsense", True),
    ],
)
def test_what_one_subscriber_commands_counts_as_one(one: str | None, other: str, same: bool) -> None:
    assert (from_network("password", "ada", one) == from_network("password", "ada", other)) is same


async def test_it_survives_a_restart(lockout: Lockout, database: Database, clock: SetClock) -> None:
    await fail(lockout, FREE_TRIES)
    with pytest.raises(TooMany):
        await Lockout(database, clock).take(ADA)


async def test_no_name_that_was_tried_is_kept(lockout: Lockout, database: Database) -> None:
    await lockout.take(from_network("password", "hunter2 typed as a name", "192.0.2.7"))
    (row,) = await database.fetch("SELECT * FROM sign_in_failure")
    assert b"hunter2" not in row["key"]
    assert len(row["key"]) == 32


async def test_a_flood_of_names_fills_no_disk(
    lockout: Lockout, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_COUNTED", 10)
    for number in range(30):
        clock.pass_time(seconds=1)
        await lockout.take(from_network("password", f"name {number}", "192.0.2.7"))
    assert len(await database.fetch("SELECT key FROM sign_in_failure")) <= 10
