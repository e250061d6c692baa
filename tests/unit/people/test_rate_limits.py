"""How often each may call, and that nobody pays for another."""

from uuid import UUID

import pytest

from deedbox_server.errors import TooMany
from deedbox_server.people.principal import SYSTEM, Principal
from deedbox_server.people.rate_limits import Limits, RateLimits
from deedbox_sync.pace import Pace


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def caller(number: int, via: str = "session:x", pace: tuple[int, int] | None = None) -> Principal:
    return Principal("account", UUID(int=number), None, "somebody", via, "paralegal", pace=pace)


def device(number: int) -> Principal:
    return Principal("device", UUID(int=1), UUID(int=number), "desk", "certificate:1", "paralegal")


def taken(limits: RateLimits, principal: Principal, times: int) -> int:
    done = 0
    for _ in range(times):
        try:
            limits.take(principal)
        except TooMany:
            break
        done += 1
    return done


def test_so_much_at_once_and_then_so_much_a_second():
    seconds = Seconds()
    limits = RateLimits(Limits(account=5), seconds)
    assert taken(limits, caller(1), 100) == 10
    with pytest.raises(TooMany) as refused:
        limits.take(caller(1))
    assert refused.value.extra["retry_after"] == 1
    seconds.now += 1
    assert taken(limits, caller(1), 100) == 5


def test_one_callers_haste_is_nobody_elses_wait():
    limits = RateLimits(Limits(account=5, device=5), Seconds())
    assert taken(limits, caller(1), 100) == taken(limits, caller(2), 100) == 10
    assert taken(limits, device(1), 100) == taken(limits, device(2), 100) == 10


def test_a_key_has_its_own_pace_apart_from_its_account_and_its_siblings():
    limits = RateLimits(Limits(account=5), Seconds())
    slow = caller(1, "api-key:aa", (1, 2))
    assert taken(limits, slow, 100) == 2
    assert taken(limits, caller(1, "api-key:bb"), 100) == 10
    assert taken(limits, caller(1), 100) == 10


def test_a_slow_key_is_told_how_long_to_wait():
    limits = RateLimits(Limits(stranger=1), Seconds())
    for _ in range(60):
        limits.take_stranger("192.0.2.1")
    with pytest.raises(TooMany) as refused:
        limits.take_stranger("192.0.2.1")
    assert refused.value.extra["retry_after"] == 60


def test_the_box_itself_waits_for_nobody():
    assert taken(RateLimits(Limits(account=1), Seconds()), SYSTEM, 1000) == 1000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),  # one network: its owner has all of its addresses
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("fe80::1%eth0", "fe80::2"),
        (None, None),
        ("no address", None),
    ],
)
def test_who_is_one_stranger_counts_as_one(one, other):
    limits = RateLimits(clock=Seconds())
    for _ in range(60):
        limits.take_stranger(one)
    with pytest.raises(TooMany):
        limits.take_stranger(other)


@pytest.mark.parametrize("other", ["192.0.2.2", "2001:db8:1:3::1", None])
def test_who_is_another_does_not(other):
    limits = RateLimits(clock=Seconds())
    for address in ("192.0.2.1", "2001:db8:1:2::1"):
        for _ in range(60):
            limits.take_stranger(address)
    limits.take_stranger(other)


def test_what_is_remembered_of_strangers_is_bounded():
    pace = Pace(1, 1, Seconds(), together=1_000_000)
    for number in range(10_000):
        assert pace.allows(str(number))
    assert len(pace._addresses) <= 4_096


def test_a_refused_call_costs_nothing():
    seconds = Seconds()
    pace = Pace(1, 1, seconds)
    assert pace.wait("a") == 0
    assert [pace.wait("a") for _ in range(5)] == [1.0] * 5
    seconds.now += 1
    assert pace.wait("a") == 0
