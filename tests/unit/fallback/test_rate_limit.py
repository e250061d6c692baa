"""A caller's share: so many at once, so many a second after that."""

from uuid import UUID

import pytest

from deedbox_fallback.errors import TooMany
from deedbox_fallback.limits import BURST, PER_SECOND, RateLimit

ONE, TWO = UUID(int=1), UUID(int=2)


def test_a_burst_is_given_and_then_so_many_a_second() -> None:
    limit = RateLimit()
    limit.take(ONE, BURST, 100.0)
    with pytest.raises(TooMany) as refused:
        limit.take(ONE, 2 * PER_SECOND, 100.5)
    assert refused.value.extra["retry_after"] == 2
    limit.take(ONE, 2 * PER_SECOND, 102.0)


def test_what_is_refused_costs_nothing() -> None:
    limit = RateLimit()
    limit.take(ONE, BURST - 1, 100.0)
    with pytest.raises(TooMany):
        limit.take(ONE, 2, 100.0)
    limit.take(ONE, 1, 100.0)


def test_nobody_saves_up_more_than_a_burst() -> None:
    limit = RateLimit()
    limit.take(ONE, 1, 100.0)
    limit.take(ONE, BURST, 1e6)
    with pytest.raises(TooMany):
        limit.take(ONE, 1, 1e6)


def test_each_key_has_its_own_share() -> None:
    limit = RateLimit()
    limit.take(ONE, BURST, 100.0)
    limit.take(TWO, BURST, 100.0)
