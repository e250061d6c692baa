"""What outsiders say of when, gathered for a bundle: stamps and cosigned checkpoints, runs from beacons, brackets
(formats/time.md, formats/bundle.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.evidence.export_source import RunSource, StampSource, TokenSource
from deedbox_server.notary.brackets import Brackets, NearestBeacon
from deedbox_server.notary.service import Notary
from deedbox_server.notary.stamp_store import StampStore, StoredStamp
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.bundle.layout import MAX_RUN, MAX_TOKENS

MAX_RUN_BYTES = 64 << 20  # of all runs of a bundle: they travel in one file, as base64


@dataclass(frozen=True)
class BundledTime:
    """`records` are those of the stamps' own entries; brackets are by log index."""

    stamps: tuple[StampSource, ...]
    runs: tuple[RunSource, ...]
    records: tuple[UUID, ...]
    brackets: Mapping[int, Bracket]


class TimeGathering:
    def __init__(self, db: Database, notary: Notary, stamps: StampStore, brackets: Brackets) -> None:
        self._db = db
        self._notary = notary
        self._stamps = stamps
        self._brackets = brackets

    async def gather(self, received: Sequence[int], size: int) -> BundledTime:
        """For exhibits with these log indexes of their receipts, in a bundle whose checkpoint is of `size` entries."""
        stored = await self._stamps.earliest(received, size)
        tokens = await self._tokens(stored)
        notes = await self._brackets.cosigned(received, size)
        sources = [await self._stamp(one, size, tokens.get(one, []), notes) for one in sorted({*tokens, *notes})]
        beacons = await self._brackets.beacons(received)
        runs = await self._runs(beacons)
        return BundledTime(
            stamps=tuple(sources),
            runs=tuple(runs),
            records=tuple(stamp.record for stamp in stored),
            brackets=await self._bracketed(received, size, runs),
        )

    async def _tokens(self, stored: Sequence[StoredStamp]) -> dict[int, list[TokenSource]]:
        responses = await self._stamps.responses([stamp.record for stamp in stored])
        digests = list(dict.fromkeys(digest for stamp in stored for digest in stamp.crls))
        crls = await self._stamps.revocation(digests)
        tokens: defaultdict[int, list[TokenSource]] = defaultdict(list)
        for stamp in stored:
            token, note = responses[stamp.record]
            told = tuple(crls[digest] for digest in stamp.crls)
            if len(tokens[stamp.size]) < MAX_TOKENS:
                tokens[stamp.size].append(TokenSource(note.encode(), token, told, stamp.time, stamp.authority))
        return dict(tokens)

    async def _stamp(
        self, size: int, checkpoint: int, tokens: Sequence[TokenSource], notes: Mapping[int, str]
    ) -> StampSource:
        note = notes.get(size) or await self._brackets.note_of(size) or tokens[0].note.decode()
        consistency = await self._notary.consistency(size, checkpoint)
        return StampSource(size, note, tuple(consistency), tuple(tokens))

    async def _runs(self, beacons: Mapping[int, NearestBeacon]) -> list[RunSource]:
        """One run from each beacon that is the nearest before some receipt, to the last such receipt that it may reach."""
        ends: dict[int, int] = {}
        for index, beacon in beacons.items():
            if index - beacon.seq < MAX_RUN:
                ends[beacon.seq] = max(index, ends.get(beacon.seq, 0))
        runs, left = [], MAX_RUN_BYTES
        for first, last in sorted(ends.items()):
            rows = await self._db.fetch(
                "SELECT entry FROM log_entry WHERE seq >= {} AND seq <= {} ORDER BY seq", first, last
            )
            entries = tuple(bytes(row["entry"]) for row in rows)
            left -= sum(map(len, entries))
            if left < 0:
                break
            runs.append(RunSource(first, entries))
        return runs

    async def _bracketed(self, received: Sequence[int], size: int, runs: Sequence[RunSource]) -> dict[int, Bracket]:
        """Brackets as this bundle proves them: what it has no run for, or was stamped after its checkpoint, is not told."""
        proven = [(run.first, run.end) for run in runs]
        brackets = {}
        for index, bracket in (await self._brackets.of(received, size)).items():
            if any(first < index < end for first, end in proven):
                brackets[index] = bracket
            else:
                brackets[index] = replace(bracket, not_before=None, not_before_by=None)
        return brackets
