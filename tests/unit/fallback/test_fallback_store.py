"""What the service keeps: counters that never come twice, nonces, callers, and what waits for the box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deedbox_disk.errors import SealBroken
from deedbox_fallback.access import SECRET_BYTES, make_caller
from deedbox_fallback.errors import SetupError
from deedbox_fallback.store import Store
from deedbox_sync import identifier
from deedbox_sync.beacon import Beacon

KEY = bytes(range(32))
SERVICE = UUID("0190a000-0000-7000-8000-000000000001")
ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))
BEACON = Beacon(bytes(32), 7, bytes(48))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fallback.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = Store.create(path, KEY, SERVICE)
    yield made
    made.close()


def test_records_are_by_the_services_key_and_hold(store: Store) -> None:
    records = store.mint([ONE, TWO], BEACON)
    for record, content in zip(records, (ONE, TWO), strict=True):
        identifier.verify_record(record)
        assert (record.key, record.content, record.beacon) == (store.key, content, BEACON)
        assert record.namespace == f"fallback/{SERVICE}"


def test_the_same_content_twice_gets_two_identifiers(store: Store) -> None:
    assert len({record.id for record in store.mint([ONE, ONE], None)}) == 2


def test_no_counter_comes_twice_over_reconciling_and_starting_again(store: Store, path: Path) -> None:
    first = store.mint([ONE, TWO], None)
    store.settle([record.id for record in first], [], 0)
    again = Store.open(path, KEY)
    second = again.mint([THREE], None)
    again.close()
    assert [record.counter for record in (*first, *second)] == [0, 1, 2]


def test_what_the_box_has_is_gone_and_what_it_refused_waits_its_time(store: Store) -> None:
    one, two, three = store.mint([ONE, TWO, THREE], None)
    store.settle([one.id], [(two.id, "an unknown issuer")], 700)
    assert store.waiting(100, 10) == [three]
    assert store.waiting(700, 10) == [three, two]
    counts = store.counts()
    assert (counts.minted, counts.waiting, counts.refused) == (3, 2, 1)
    store.try_all_again()
    assert store.waiting(100, 10) == [two, three]


def test_counts_are_right_before_and_after_they_were_first_asked_for(store: Store, path: Path) -> None:
    store.mint([ONE], None)
    assert store.counts().waiting == 1
    (two,) = store.mint([TWO], None)
    store.settle([two.id, "E-0000-0000-0000-0000-00"], [], 0)
    assert store.counts().waiting == 1
    again = Store.open(path, KEY)
    assert again.counts() == store.counts()
    again.close()


def test_a_batch_that_fails_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        store.mint([ONE, b"short"], None)
    counts = store.counts()
    assert (counts.minted, counts.waiting) == (0, 0)


def test_a_nonce_counts_once_for_each_key_until_its_time_is_over(store: Store) -> None:
    one, two = uuid4(), uuid4()
    assert store.use_nonce(one, "n", now=100, until=220)
    assert not store.use_nonce(one, "n", now=220, until=340)
    assert store.use_nonce(two, "n", now=220, until=340)
    assert store.use_nonce(one, "n", now=221, until=341)


def test_callers_are_found_by_their_id_until_they_are_removed(store: Store) -> None:
    caller, text = make_caller("Zoë's scanner", bytes(SECRET_BYTES), uuid4(), 100)
    store.add_caller(caller)
    assert store.caller(caller.id) == caller
    assert store.callers() == [caller]
    assert store.remove_caller(caller.id)
    assert store.caller(caller.id) is None
    assert not store.remove_caller(caller.id)
    assert caller.message_key.hex() not in repr(caller)
    assert text not in repr(caller)


def test_another_key_opens_nothing(store: Store, path: Path) -> None:
    with pytest.raises(SealBroken):
        Store.open(path, bytes(32))


def test_a_file_that_was_not_made_to_its_end_is_refused(tmp_path: Path) -> None:
    assert not Store.is_made(tmp_path / "empty.db", KEY)
    with pytest.raises(SetupError, match="not made completely"):
        Store.open(tmp_path / "empty.db", KEY)
