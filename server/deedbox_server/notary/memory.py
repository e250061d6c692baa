"""What this process staged and put into the log a moment ago, so that who waits for it need not ask the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

_MOST_ENTRIES = 8_192  # a generation; two are some 12 MiB. Whoever waits for an entry asks within milliseconds
_MOST_PENDING = 100_000  # only where another process sequences do they stay here: then it is no use to know them


@dataclass(frozen=True)
class Sequenced:
    """One entry of the log, found by the record it tells of."""

    record: UUID
    seq: int
    entry: bytes


class Memory:
    """Only a help: whatever it does not know, or does not know any more, the database knows."""

    def __init__(self) -> None:
        self._pending: dict[UUID, Mapping[str, bytes]] = {}
        self._now = _Generation()
        self._before = _Generation()

    def staged(self, salts: Mapping[UUID, Mapping[str, bytes]]) -> None:
        """These records are durable, with these salts, and not in the log yet."""
        if len(self._pending) > _MOST_PENDING:
            self._pending.clear()
        self._pending |= salts

    def sequenced(self, entries: Iterable[Sequenced]) -> None:
        """These entries are durable in the log."""
        if len(self._now.entries) > _MOST_ENTRIES:
            self._before, self._now = self._now, _Generation()
        for entry in entries:
            self._now.entries[entry.record] = entry
            if (salts := self._pending.pop(entry.record, None)) is not None:
                self._now.salts[entry.record] = salts

    def entries(self, records: Iterable[UUID]) -> dict[UUID, Sequenced]:
        now, before = self._now.entries, self._before.entries
        return {record: entry for record in records if (entry := now.get(record) or before.get(record)) is not None}

    def salts(self, records: Iterable[UUID]) -> dict[UUID, Mapping[str, bytes]]:
        now, before = self._now.salts, self._before.salts
        return {record: salts for record in records if (salts := now.get(record) or before.get(record)) is not None}

    def is_pending(self, record: UUID) -> bool:
        return record in self._pending


@dataclass
class _Generation:
    """The older of two is forgotten as a whole: taking the oldest out of one dictionary walks over all that went before it."""

    entries: dict[UUID, Sequenced] = field(default_factory=dict)
    salts: dict[UUID, Mapping[str, bytes]] = field(default_factory=dict)
