"""What goes into and comes out of the key store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class CaseKey:
    """Which key wraps the part keys of a case. The key itself stays in the key store."""

    id: UUID
    case_id: UUID


@dataclass(frozen=True)
class PartKey:
    """The key of one part of one blob. `case_key` is also in the part's associated data."""

    blob: UUID
    part: int
    case_key: UUID
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class SaltRow:
    """The salt of one commitment of a log entry: what opens `field` of `record`."""

    record: UUID
    field: str
    salt: bytes


@dataclass(frozen=True)
class KeyBatch:
    """Rows that become durable together. A row is written once: the same part or field again is an error."""

    part_keys: Sequence[PartKey] = ()
    salts: Sequence[SaltRow] = ()
