"""What goes into and comes out of the key store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class CaseKey:
    """Which key wraps the part keys of a case. The key itself stays in the key store."""

    id: UUID
    case_id: UUID


@dataclass(frozen=True)
class PartKey:
    """The key of one part of one blob. `case_key` wraps it, and is also in the part's associated data unless `bound` is: a
    blob that moved to another case keeps there the key that it was made under."""

    blob: UUID
    part: int
    case_key: UUID
    key: bytes = field(repr=False)
    bound: UUID | None = None


@dataclass(frozen=True)
class Salts:
    """The salts of one log entry, by the field whose commitment each opens."""

    record: UUID
    by_field: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True)
class KeyBatch:
    """What becomes durable together. It is written once: the same part or record again is an error."""

    part_keys: Sequence[PartKey] = ()
    salts: Sequence[Salts] = ()
