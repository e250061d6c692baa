"""A log of a few entries, held in memory, whose commitments can all be opened again; and custody chains in it.

Keys come from their names and salts from their places, so that it is the same log each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_sync import custody, entry, merkle, note, receipt
from deedbox_sync.bundle.proven import CustodyEvent, CustodyFile, ProvenEntry
from deedbox_sync.canonical_json import Json
from deedbox_sync.commitment import Opening, commit
from deedbox_sync.custody import Actor, CustodyRecord
from deedbox_sync.entry import LogEntry

NOON = datetime(2026, 3, 14, 12, 0, 0, 250_000, tzinfo=UTC)
BOX = UUID("0195a3c4-0000-7000-8000-00000000b0c5")
DESK = UUID("0195a3c4-0000-7000-8000-00000000de5c")
CASE = UUID("0195a3c4-0000-7000-8000-00000000ca5e")
BUNDLE = UUID("0195a3c4-0000-7000-8000-0000000b0b1e")
ANNA = UUID("0195a3c4-0000-7000-8000-00000000a44a")
ORIGIN = note.encode_origin(BOX, 1)
WITNESS = "witness.example/one"
WITNESS_TIME = datetime(2026, 3, 14, 13, 0, 0, tzinfo=UTC)
STAMPED_SIZE = 9


def key(name: str) -> Ed25519PrivateKey:
    """The same key for the same name, always."""
    return Ed25519PrivateKey.from_private_bytes(sha256(b"bundle maker " + name.encode()).digest())


def public(name: str) -> bytes:
    return key(name).public_key().public_bytes_raw()


LOG_VKEY = note.encode_vkey(ORIGIN, note.ED25519, public("log"))
WITNESS_VKEY = note.encode_vkey(WITNESS, note.COSIGNATURE_V1, public("witness"))


def exhibit_id(number: int) -> UUID:
    return UUID(int=0x0195A3C4_0000_7000_8000_0000000E0000 + number)


@dataclass
class MiniatureLog:
    """Entries with salts that come from their place, so that each commitment can be opened again."""

    name: str = "log"
    origin: str = ORIGIN
    entries: list[bytes] = field(default_factory=list)
    openings: list[tuple[Opening, ...]] = field(default_factory=list)

    def append(self, kind: str, values: Mapping[str, bytes], data: Mapping[str, Json] | None = None) -> int:
        seq = len(self.entries)
        opened = tuple(
            Opening(name, sha256(f"{self.name} {seq} {name}".encode()).digest(), values[name])
            for name in sorted(values)
        )
        commitments = {one.field: commit(one.field, one.salt, one.value) for one in opened}
        prev = entry.digest(self.entries[-1]) if self.entries else entry.NO_DIGEST
        time = NOON + timedelta(seconds=seq)
        self.entries.append(entry.encode(LogEntry(seq, time, kind, prev, commitments, data or {})))
        self.openings.append(opened)
        return seq

    def opened(self, index: int, *fields: str) -> tuple[Opening, ...]:
        """The openings of an entry: of these fields, or of all."""
        return tuple(one for one in self.openings[index] if not fields or one.field in fields)

    def prover(self, size: int | None = None) -> merkle.Prover:
        leaves = b"".join(merkle.leaf_hash(one) for one in self.entries[:size])
        assert len(leaves) < merkle.TILE_BYTES, "a miniature log has one partial tile"
        return merkle.Prover(len(leaves) // 32, lambda level, index, width: leaves)

    def checkpoint(self, size: int | None = None, *, witnessed: bool = False) -> str:
        prover = self.prover(size)
        body = note.encode_checkpoint(note.Checkpoint(self.origin, prover.size, prover.root()))
        lines = [note.sign(body, self.origin, key(self.name))]
        if witnessed:
            lines.append(note.cosign(body, WITNESS, key("witness"), int(WITNESS_TIME.timestamp())))
        return note.assemble_note(body, lines)

    def proven(self, index: int) -> ProvenEntry:
        return ProvenEntry(index, self.entries[index], tuple(self.prover().inclusion(index)))

    def receipt(self, index: int, size: int | None = None, checkpoint: str | None = None) -> bytes:
        path = tuple(self.prover(size).inclusion(index))
        text = checkpoint or self.checkpoint(size)
        opened = self.opened(index, "content", "statement")
        return receipt.encode(receipt.Receipt(self.entries[index], opened, index, path, text))


@dataclass
class Chain:
    """One exhibit's custody: (record, log index) in order."""

    exhibit: UUID
    records: list[tuple[bytes, int]] = field(default_factory=list)

    def append(
        self,
        log: MiniatureLog,
        kind: str,
        actor: Actor,
        detail: Mapping[str, Json],
        data: Mapping[str, Json] | None = None,
        **values: bytes,
    ) -> int:
        """`data` is what the log entry says to everybody."""
        number = len(self.records) + 1
        previous = custody.digest(self.records[-1][0]) if self.records else custody.NO_DIGEST
        time = NOON + timedelta(seconds=len(log.entries))
        record = custody.encode(
            CustodyRecord(self.exhibit, number, kind, time, actor, previous, detail, bytes(range(32)))
        )
        committed = {"record": custody.digest(record), "case": CASE.bytes, "person": actor.id.encode(), **values}
        self.records.append((record, log.append(f"exhibit.{kind}", committed, data)))
        return number

    def file(self, log: MiniatureLog, withheld: frozenset[int] = frozenset()) -> CustodyFile:
        events = []
        for number, (record, index) in enumerate(self.records, 1):
            if number in withheld:
                digest = custody.digest(record)
                events.append(CustodyEvent(number, index, None, digest, log.opened(index, "record")))
            else:
                events.append(CustodyEvent(number, index, record, None, log.opened(index)))
        return CustodyFile(self.exhibit, tuple(events))
