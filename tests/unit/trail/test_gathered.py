"""What was seen and refused is gathered in groups, and nobody can make it large or go unseen in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from deedbox_server.people.principal import Principal
from deedbox_server.trail.gathered import MANY, MAX_HELD, MAX_TOLD, About, Count, Gathering

NOW = datetime(2026, 3, 14, 12, 7, tzinfo=UTC)
ADA = Principal(
    "account", UUID(int=1), None, "Ada", "api-key:abc", "attorney", session=UUID(int=9), address="192.0.2.1"
)
BEN = replace(ADA, account=UUID(int=2), name="Ben")
CARD = About("case.read", UUID(int=7), None)


def test_a_view_is_told_once_in_a_quarter_hour() -> None:
    gathering = Gathering()
    for minutes in (0, 1, 7):
        gathering.view(ADA, CARD, NOW + timedelta(minutes=minutes))
    gathering.view(ADA, CARD, NOW + timedelta(minutes=8))  # 12:15 begins another one
    gathering.view(BEN, CARD, NOW + timedelta(minutes=9))
    taken = gathering.take(NOW + timedelta(minutes=9))
    assert [(who.name, time) for who, _, time in taken.views] == [
        ("Ada", NOW),
        ("Ada", NOW + timedelta(minutes=8)),
        ("Ben", NOW + timedelta(minutes=9)),
    ]


def test_what_another_address_sees_is_no_other_view() -> None:
    gathering = Gathering()
    gathering.view(ADA, CARD, NOW)
    gathering.view(replace(ADA, address="192.0.2.2", via="session:other"), CARD, NOW)
    assert len(gathering.take(NOW).views) == 1


def test_rows_of_a_list_are_one_record_of_those_not_told_yet() -> None:
    gathering, about = Gathering(), About("evidence.read", UUID(int=7), None)
    gathering.view(ADA, about._replace(object=UUID(int=3)), NOW)
    gathering.list(ADA, about, [UUID(int=3), UUID(int=4), UUID(int=5)], NOW)
    gathering.list(ADA, about, [UUID(int=5), UUID(int=6)], NOW)
    ((_, ids),) = gathering.take(NOW).lists.values()
    assert list(ids) == [UUID(int=4), UUID(int=5), UUID(int=6)]
    gathering.list(ADA, about, [UUID(int=6)], NOW)
    assert gathering.take(NOW).lists == {}


def test_equal_refusals_are_one_with_a_count() -> None:
    gathering = Gathering()
    for _ in range(1000):
        gathering.refuse(ADA, CARD, "denied", "", NOW)
    gathering.refuse(ADA, CARD, "second-factor-needed", "", NOW)
    taken = gathering.take(NOW)
    assert {refusal.reason: count.times for refusal, count in taken.refusals.items()} == {
        "denied": 1000,
        "second-factor-needed": 1,
    }


def test_a_flood_of_one_person_becomes_counts_and_hides_nobody_else() -> None:
    gathering = Gathering()
    for number in range(100_000):
        varied = replace(ADA, address=f"2001:db8::{number:x}", via=f"session:{number}")
        gathering.refuse(varied, About("case.read", UUID(int=number), None), "not-found", "", NOW)
    gathering.refuse(BEN, CARD, "denied", "", NOW)
    told = gathering.take(NOW).refusals
    assert len(told) == MAX_TOLD + 1
    assert sum(refusal.who.name == "Ben" for refusal in told) == 1
    assert gathering.take(NOW).refusals == {}, "the rest waits for the end of its minute"
    ((refusal, count),) = gathering.take(NOW + timedelta(minutes=1)).refusals.items()
    assert (refusal.who.name, refusal.reason, refusal.about.operation) == ("Ada", MANY, "case.read")
    assert count == Count(NOW, 100_000 - MAX_TOLD)


def test_at_the_end_the_counts_are_told_at_once() -> None:
    gathering = Gathering()
    for number in range(MAX_TOLD + 5):
        gathering.refuse(ADA, About("case.read", UUID(int=number), None), "not-found", "", NOW)
    taken = gathering.take(NOW, all_counts=True)
    assert sum(count.times for count in taken.refusals.values()) == MAX_TOLD + 5


def test_a_new_minute_tells_refusals_apart_again() -> None:
    gathering = Gathering()
    for number in range(MAX_TOLD):
        gathering.refuse(ADA, About("case.read", UUID(int=number), None), "not-found", "", NOW)
    gathering.take(NOW)
    gathering.refuse(ADA, CARD, "denied", "", NOW + timedelta(minutes=1))
    assert [refusal.reason for refusal in gathering.take(NOW + timedelta(minutes=1)).refusals] == ["denied"]


def test_what_could_not_be_written_is_kept_and_comes_first() -> None:
    gathering = Gathering()
    gathering.view(ADA, CARD, NOW)
    gathering.refuse(ADA, CARD, "denied", "", NOW)
    taken = gathering.take(NOW)
    gathering.view(BEN, CARD, NOW)
    gathering.refuse(ADA, CARD, "denied", "", NOW)
    gathering.put_back(taken)
    again = gathering.take(NOW)
    assert [who.name for who, _, _ in again.views] == ["Ada", "Ben"]
    assert [count.times for count in again.refusals.values()] == [2]


def test_it_says_when_no_more_views_can_be_kept() -> None:
    gathering = Gathering()
    gathering.list(ADA, CARD, map(UUID, (f"{number:032x}" for number in range(MAX_HELD - 1))), NOW)
    assert not gathering.is_full
    gathering.view(ADA, CARD, NOW)
    assert gathering.is_full
    gathering.put_back(gathering.take(NOW))
    assert gathering.is_full
    gathering.take(NOW)
    assert not gathering.is_full
