"""Tombstones as bytes: one form, read strictly."""

from datetime import UTC, datetime
from typing import Any

import pytest

from deedbox_server.people.erasing import Kept
from deedbox_server.retention import tombstone
from deedbox_server.retention.tombstone import Decision, Erased, Tombstone
from deedbox_sync import uuid7
from deedbox_sync.errors import FormatError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def stone(**changes: Any) -> Tombstone:
    given: dict[str, Any] = {
        "id": uuid7.new(),
        "what": "exhibit",
        "object": uuid7.new(),
        "case": uuid7.new(),
        "asked": Decision("account:a", "Ödön", NOW),
        "approved": Decision("account:b", "Carla", NOW, "session:x"),
        "reason": "old",
        "rule": None,
        "request": uuid7.new(),
        "time": NOW,
        "number": 1,
        "content": bytes(32),
        "statement": bytes(32),
        "size": 3,
    }
    return Tombstone(**(given | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"what": "case", "number": None, "content": None, "statement": None, "size": None},
        {
            "what": "person",
            "case": None,
            "erased": Erased.of([uuid7.new()]),
            "kept": (Kept("custody", uuid7.new(), "evidence"), Kept("audit", None, "hold")),
            "desks": (uuid7.new(),),
            "backups_until": NOW,
        },
    ],
)
def test_what_was_written_is_read(changes: dict[str, Any]) -> None:
    made = stone(**changes)
    assert tombstone.parse(tombstone.encode(made)) == made


def test_what_there_is_none_of_is_refused() -> None:
    with pytest.raises(FormatError):
        tombstone.encode(stone(what="paper"))
    data = tombstone.encode(stone())
    for spoilt in (data + b" ", data.replace(b'"v":1', b'"v":2'), data.replace(b'"rule":null,', b"")):
        with pytest.raises(FormatError):
            tombstone.parse(spoilt)


def test_a_tombstone_has_a_salt_of_its_own_so_that_nobody_guesses_it() -> None:
    made = stone()
    again = Tombstone(**{name: getattr(made, name) for name in made.__dataclass_fields__ if name != "salt"})
    assert tombstone.digest(tombstone.encode(made)) != tombstone.digest(tombstone.encode(again))
