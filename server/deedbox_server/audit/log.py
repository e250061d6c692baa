"""The log, entry by entry: form, chain, tree, tiles, checkpoints; and its commitments, for whoever looks up a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from deedbox_server.audit.report import Report
from deedbox_server.database import Database, Row
from deedbox_sync import entry as entry_format
from deedbox_sync import merkle, note
from deedbox_sync.errors import FormatError, ProofError

_STEP = 2_000  # entries read at a time


@dataclass(frozen=True)
class Logged:
    """What the log says of one record."""

    seq: int
    kind: str
    commitments: Mapping[str, bytes]


class LogAudit:
    """Walks the log once, up to the head that it finds at the start."""

    def __init__(self, db: Database, vkey: str, report: Report) -> None:
        self._db = db
        self._vkey = vkey
        self._report = report
        self._tree = merkle.Tiles()
        self._tiles: dict[tuple[int, int], bytes] = {}
        self.records: dict[UUID, Logged] = {}

    async def run(self) -> None:
        head = await self._db.fetch_one("SELECT origin, size, root, last_entry_digest FROM log_head WHERE id = 1")
        if head is None:
            self._report.add("log", "has no head: it was never opened, or was taken away")
            return
        notes = await self._db.fetch(
            "SELECT size, note FROM log_checkpoint WHERE size <= {} ORDER BY size", head["size"]
        )
        previous = await self._entries(head, {row["size"]: row["note"] for row in notes})
        if self._tree.size != head["size"]:
            self._report.add("log", f"has {self._tree.size} entries, its head says {head['size']}")
        elif previous != head["last_entry_digest"] or self._tree.root() != head["root"]:
            self._report.add("log", "does not lead to the root in its head")
        if head["size"] and (not notes or notes[-1]["size"] != head["size"]):
            self._report.add("log", "has no checkpoint for its head")
        await self._stored_tiles(head["size"])
        self._report.count("checkpoints", len(notes))

    async def _entries(self, head: Row, notes: dict[int, str]) -> bytes:
        previous, time, origin = bytes(32), None, head["origin"]
        for start in range(0, head["size"], _STEP):
            rows = await self._db.fetch(
                "SELECT seq, record, entry, leaf FROM log_entry WHERE seq >= {} AND seq < {} ORDER BY seq",
                start,
                min(start + _STEP, head["size"]),
            )
            for expected, row in enumerate(rows, start=start):
                where = f"log entry {row['seq']}"
                if row["seq"] != expected:
                    self._report.add("log", f"entry {expected} is missing")
                    return previous
                try:
                    parsed = entry_format.parse(row["entry"])
                except FormatError as error:
                    self._report.add(where, f"does not parse: {error}")
                    return previous
                if parsed.seq != expected or parsed.prev != previous:
                    self._report.add(where, "does not follow the entry before it")
                if time is not None and parsed.time < time:
                    self._report.add(where, "is earlier than the entry before it")
                leaf = merkle.leaf_hash(row["entry"])
                if leaf != row["leaf"]:
                    self._report.add(where, "is stored with another leaf hash")
                previous, time = entry_format.digest(row["entry"]), parsed.time
                self._remember(row["record"], Logged(expected, parsed.kind, parsed.commitments))
                for tile in self._tree.append(leaf):
                    self._tiles[tile.level, tile.index] = tile.hashes
                if (signed := notes.get(expected + 1)) is not None:
                    self._checkpoint(signed, expected + 1, origin)
            self._report.count("log entries", len(rows))
        return previous

    def _remember(self, record: UUID, logged: Logged) -> None:
        if record in self.records:
            self._report.add(f"log entry {logged.seq}", "tells again of a record that has an entry already")
        self.records[record] = logged

    def _checkpoint(self, signed: str, size: int, origin: str) -> None:
        where = f"checkpoint {size}"
        try:
            parsed = note.parse_note(signed)
            note.verify_note(parsed, [self._vkey])
            checkpoint = note.parse_checkpoint(parsed.body)
        except (FormatError, ProofError) as error:
            self._report.add(where, f"does not hold: {error}")
            return
        if (checkpoint.origin, checkpoint.size, checkpoint.root) != (origin, size, self._tree.root()):
            self._report.add(where, "is not of this log's entries")

    async def _stored_tiles(self, size: int) -> None:
        wanted = dict(self._tiles)
        for tile, hashes in zip(merkle.partial_tiles(self._tree.size), self._tree.partials, strict=True):
            if hashes:
                wanted[int(tile.level), tile.index] = hashes
        rows = await self._db.fetch("SELECT level, tile_index, hashes FROM log_tile ORDER BY level, tile_index")
        stored = {(row["level"], row["tile_index"]): row["hashes"] for row in rows}
        grown = (await self._db.fetch("SELECT size FROM log_head WHERE id = 1"))[0]["size"] != size
        for place, hashes in wanted.items():
            held = stored.get(place, b"")
            # While the audit runs the box goes on: then a partial tile may be longer, never different.
            if held != hashes and not (grown and held.startswith(hashes)):
                self._report.add(f"tile {place[1]} of level {place[0]}", "is not what the entries give")
        if not grown:
            for place in stored.keys() - wanted.keys():
                self._report.add(f"tile {place[1]} of level {place[0]}", "belongs to no entry")
        self._report.count("tiles", len(wanted))
