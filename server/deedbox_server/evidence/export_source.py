"""What an export is made from: everything a bundle will hold, gathered by the caller, nothing looked up from here on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.bundle.index import BundledCase
from deedbox_sync.bundle.outside import Run
from deedbox_sync.bundle.proven import CustodyEvent, DeviceFile, ProvenEntry

#: Begins reading from the first byte; each call is a new reading. Pieces of about a MiB serve best.
Read: TypeAlias = Callable[[], AsyncIterator[bytes]]

#: Neighbouring log entries from a beacon to one that is proven.
RunSource: TypeAlias = Run


@dataclass(frozen=True)
class StoredContent:
    """Bytes in the vault with the digest and size that were logged; the export holds the reading to both."""

    sha256: bytes
    size: int
    read: Read


@dataclass(frozen=True)
class DerivedSource:
    """A derived document; `event` is the number of its custody event."""

    id: UUID
    form: str
    media_type: str
    event: int
    content: StoredContent


@dataclass(frozen=True)
class ExhibitSource:
    """One exhibit. `envelope` is the statement's DSSE JSON as the desk sent it, `received` the log index of its receipt.

    `custody` are the events 1 … n in order, told or withheld; the first is the receipt with `content` and `statement`
    among its openings, the last the export event of this very bundle. Who it was captured by, and its name, the export
    reads from statement and custody. The custody paper prints the `bracket`; the verifier finds it for itself.
    """

    id: UUID
    number: int
    envelope: bytes
    received: int
    original: StoredContent
    derived: tuple[DerivedSource, ...]
    custody: tuple[CustodyEvent, ...]
    bracket: Bracket | None = None


@dataclass(frozen=True)
class TokenSource:
    """A time stamp (RFC 3161 response) over the exact bytes of `note`, and the revocation data kept with it.

    `time` and `authority` are what the token says; the verifier reads the token itself.
    """

    note: bytes
    token: bytes
    crls: tuple[bytes, ...]
    time: datetime
    authority: str


@dataclass(frozen=True)
class StampSource:
    """A checkpoint of the tree of `size` that outsiders saw, with all cosignatures there are, and the path from its tree.

    Each token's note has the same body; cosignatures that came later are missing in it.
    """

    size: int
    note: str
    consistency: tuple[bytes, ...]
    tokens: tuple[TokenSource, ...]


@dataclass(frozen=True)
class BundleSource:
    """A whole bundle. `checkpoint` is the signed note to which every path in `entries` leads.

    `entries` has, once each, the log entries of all custody events and all device records, and the last one of each run,
    and may have more (`log.opened`, `time.stamp`);
    `devices` has each device that signed one of the statements, the box itself for what came without a desk.
    Any order will do: the export sorts.
    """

    bundle: UUID
    made: datetime
    box: UUID
    case: BundledCase
    vkey: str
    checkpoint: str
    entries: tuple[ProvenEntry, ...]
    exhibits: tuple[ExhibitSource, ...]
    devices: tuple[DeviceFile, ...]
    stamps: tuple[StampSource, ...] = ()
    runs: tuple[RunSource, ...] = ()
