"""What this process staged and put into the log a moment ago, so that who waits for it need not ask the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

_MOST_ENTRIES = 16_384  # some 12 MiB; whoever waits for an entry asks within milliseconds
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
        self._entries: dict[UUID, Sequenced] = {}
        self._salts: dict[UUID, Mapping[str, bytes]] = {}

    def staged(self, salts: Mapping[UUID, Mapping[str, bytes]]) -> None:
        """These records are durable, with these salts, and not in the log yet."""
        if len(self._pending) > _MOST_PENDING:
            self._pending.clear()
        self._pending |= salts

    def sequenced(self, entries: Iterable[Sequenced]) -> None:
        """These entries are durable in the log."""
        for entry in entries:
            self._entries[entry.record] = entry
            if (salts := self._pending.pop(entry.record, None)) is not None:
                self._salts[entry.record] = salts
        while len(self._entries) > _MOST_ENTRIES:
            oldest = next(iter(self._entries))
            del self._entries[oldest]
            self._salts.pop(oldest, None)

    def entries(self, records: Iterable[UUID]) -> dict[UUID, Sequenced]:
        return {record: entry for record in records if (entry := self._entries.get(record)) is not None}

    def salts(self, records: Iterable[UUID]) -> dict[UUID, Mapping[str, bytes]]:
        return {record: salts for record in records if (salts := self._salts.get(record)) is not None}

    def is_pending(self, record: UUID) -> bool:
        return record in self._pending
