"""The notary as the rest of the box sees it: stage events, wait for them, hand out receipts and proofs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.database import Database, Row
from deedbox_server.errors import LogBehind, Suspended, Unavailable
from deedbox_server.notary.drafts import EntryDraft, Salts, new_salts
from deedbox_server.notary.memory import Memory, Sequenced
from deedbox_server.notary.tiles import TileStore
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import canonical_json, commitment, entry, merkle, note, uuid7
from deedbox_sync.commitment import Opening
from deedbox_sync.errors import ProofError
from deedbox_sync.receipt import Receipt, encode

READS_REFUSED_AFTER = 30.0  # seconds that the oldest pending entry may wait before evidence is no longer shown
PENDING_COLUMNS = ("record", "staged", "beginning")
_POLL = 0.5  # seconds; another process may hold the sequencer (Postgres), and its wake-up does not reach us


@dataclass(frozen=True)
class Head:
    """The log as it stands: what the newest checkpoint says."""

    origin: str
    size: int
    root: bytes
    suspended: str | None


class Notary:
    """Everything but the sequencing itself. `wake` is called after each commit that staged something."""

    def __init__(self, db: Database, keys: KeyStore, signing_key: Ed25519PrivateKey, origin: str) -> None:
        self._db = db
        self._keys = keys
        self.origin = origin
        self.vkey = note.encode_vkey(origin, note.ED25519, signing_key.public_key().public_bytes_raw())
        self.tiles = TileStore(db)
        self.staged = asyncio.Event()
        self._memory = Memory()
        self._grown = asyncio.Event()  # set, and another one put in its place, each time the log grows

    # --- staging

    async def stage(self, drafts: Sequence[EntryDraft]) -> None:
        """Add pending entries in the caller's transaction; their salts are durable already. Refused while suspended."""
        staged = datetime.now(UTC)
        rows = []
        for draft in drafts:
            salts = draft.salts.by_field
            if draft.values.keys() != salts.keys():
                raise ValueError(f"{draft.kind}: every value needs its salt")
            commitments = {name: commitment.commit(name, salts[name], value) for name, value in draft.values.items()}
            rows.append((draft.salts.record, staged, entry.begin(draft.kind, commitments, draft.data)))
        await self._refuse_when_suspended()
        await self._db.insert_many("pending_entry", PENDING_COLUMNS, rows)

        def wake() -> None:
            self._memory.staged({draft.salts.record: draft.salts.by_field for draft in drafts})
            self.staged.set()

        self._db.after_commit(wake)

    async def record(self, kind: str, record_id: UUID, values: Mapping[str, bytes]) -> None:
        """Salt and stage one event in the caller's transaction (for events too rare to need grouping)."""
        salts = new_salts(record_id, values)
        await self._keys.commit(KeyBatch(salts=[salts]))
        await self.stage([EntryDraft(kind, salts, values)])

    async def salted(self, events: Iterable[tuple[str, UUID, Mapping[str, bytes]]]) -> list[EntryDraft]:
        """Drafts of events of (kind, record, values), to be staged in a transaction that begins after this: their salts are
        durable when this returns."""
        drafts = [EntryDraft(kind, new_salts(record, values), values) for kind, record, values in events]
        await self._keys.commit(KeyBatch(salts=[draft.salts for draft in drafts]))
        return drafts

    async def publish(self, kind: str, data: dict[str, canonical_json.Json]) -> UUID:
        """Stage an entry that hides nothing, in a transaction of its own; returns its record id."""
        record = uuid7.new()
        async with self._db.transaction():
            await self.stage([EntryDraft(kind, Salts(record, {}), {}, data)])
        return record

    # --- looking

    async def head(self) -> Head:
        row = await self._db.fetch_one("SELECT origin, size, root, suspended FROM log_head WHERE id = 1")
        if row is None:
            raise Unavailable("The log has no head: it was never opened.")
        return Head(row["origin"], row["size"], row["root"], row["suspended"])

    async def checkpoint(self) -> str:
        """The newest signed note."""
        row = await self._db.fetch_one("SELECT note FROM log_checkpoint ORDER BY size DESC LIMIT 1")
        if row is None:
            raise Unavailable("The log has no checkpoint yet: try again in a moment.")
        return str(row["note"])

    async def oldest_pending_seconds(self) -> float:
        row = await self._db.fetch_one("SELECT staged FROM pending_entry ORDER BY position LIMIT 1")
        return 0.0 if row is None else (datetime.now(UTC) - row["staged"]).total_seconds()

    async def refuse_reads_when_behind(self) -> None:
        """Custody of a read must reach the log: when the sequencer has stood still too long, evidence is not shown."""
        waited = await self.oldest_pending_seconds()
        if waited > READS_REFUSED_AFTER:
            raise Unavailable(f"The log has not moved for {waited:.0f} seconds: evidence is not shown until it does.")

    async def sequenced(self, records: Sequence[UUID], wait: float = 0.0) -> dict[UUID, Sequenced]:
        """Those of `records` that are in the log, waiting at most `wait` seconds for all of them."""
        deadline = time.monotonic() + wait
        found: dict[UUID, Sequenced] = {}
        absent = set(records)
        # What was staged here is sequenced here, as a rule: the database is asked for it only when that takes long.
        unknown = [record for record in absent if wait <= 0 or not self._memory.is_pending(record)]
        while True:
            grown = self._grown
            found |= self._memory.entries(absent)
            for row in await self._rows_by_record([record for record in unknown if record not in found]):
                found[row["record"]] = Sequenced(row["record"], row["seq"], row["entry"])
            absent -= found.keys()
            left = deadline - time.monotonic()
            if not absent or left <= 0:
                return found
            try:
                async with asyncio.timeout(min(left, _POLL)):
                    await grown.wait()
                unknown = []
            except TimeoutError:
                unknown = list(absent)

    def grew(self, entries: Iterable[Sequenced]) -> None:
        """The sequencer calls this after each durable group, with what it put into the log."""
        self._memory.sequenced(entries)
        self._grown.set()
        self._grown = asyncio.Event()

    async def receipts(self, opened: Mapping[UUID, Mapping[str, bytes]], wait: float = 0.0) -> dict[UUID, str]:
        """Receipts, all against the newest checkpoint, for those records that are in the log.

        `opened` names for each record the values that its receipt shall open.
        """
        found = await self.sequenced(list(opened), wait)
        if not found:
            return {}
        signed = await self.checkpoint()
        size = note.parse_checkpoint(note.parse_note(signed).body).size
        salts = await self.openings(list(found))
        prover = await self.tiles.prover([told.seq for told in found.values()], size)
        receipts = {}
        for record, told in found.items():
            openings = tuple(
                [Opening(name, salts[record][name], value) for name, value in sorted(opened[record].items())]
            )
            path = prover.inclusion(told.seq)
            receipts[record] = encode(Receipt(told.entry, openings, told.seq, tuple(path), signed)).decode()
        return receipts

    async def openings(self, records: Sequence[UUID]) -> dict[UUID, Mapping[str, bytes]]:
        """The salts of `records`, by field."""
        known = self._memory.salts(records)
        if len(known) < len(records):
            known |= await self._keys.salts([record for record in records if record not in known])
        return known

    async def inclusion(self, indexes: Sequence[int], size: int) -> dict[int, list[bytes]]:
        prover = await self.tiles.prover(indexes, size)
        return {index: prover.inclusion(index) for index in indexes}

    async def consistency(self, old: int, new: int) -> list[bytes]:
        if old in (0, new):
            return []
        return (await self.tiles.prover([old - 1], new)).consistency(old)

    # --- what desks have seen

    async def compare(self, shown: str | None) -> tuple[str, list[bytes]]:
        """Answer a desk that shows its highest checkpoint: the newest one, and the proof that it extends the desk's.

        A note that carries our own signature over a tree we do not have proves that this box was rolled back or
        copied: it suspends itself, durably, and signs nothing more (DESIGN 5).
        """
        current = await self.checkpoint()
        if shown is None:
            return current, []
        theirs = note.parse_checkpoint(note.parse_note(shown).body)
        head = note.parse_checkpoint(note.parse_note(current).body)
        try:
            note.verify_note(note.parse_note(shown), [self.vkey])
        except ProofError:
            raise LogBehind("The checkpoint that the desk showed is not signed by this box's log.") from None
        if theirs.origin != self.origin:
            raise LogBehind("The checkpoint that the desk showed is of another log.")
        if theirs.size <= head.size and await self._root_at(theirs.size) == theirs.root:
            return current, await self.consistency(theirs.size, head.size)
        await self._suspend(f"a desk showed our signature on a tree of {theirs.size} entries that we do not have")
        raise LogBehind("This box has signed a log that it no longer has. It signs nothing more until it is recovered.")

    async def _root_at(self, size: int) -> bytes:
        if size == 0:
            return merkle.EMPTY_ROOT
        return (await self.tiles.prover([size - 1], size)).root()

    async def _suspend(self, reason: str) -> None:
        async with self._db.transaction():
            await self._db.execute("UPDATE log_head SET suspended = {} WHERE id = 1 AND suspended IS NULL", reason)

    async def _refuse_when_suspended(self) -> None:
        if (reason := (await self.head()).suspended) is not None:
            raise Suspended(f"This box signs nothing: {reason}. An administrator must recover it.")

    async def _rows_by_record(self, records: Sequence[UUID]) -> list[Row]:
        return await self._db.fetch_in("SELECT record, seq, entry FROM log_entry WHERE record IN ", records)
