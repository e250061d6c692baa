"""Between which outside times an entry came into the log (formats/time.md, Bracket)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from deedbox_server.database import Database
from deedbox_server.notary.beacons import place_beacons
from deedbox_sync.beacon import QUICKNET
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.merkle import MAX_SIZE

# Stamps of the smallest trees with an entry, from which the earliest is taken. Those of larger trees were asked for later.
_NEXT_STAMPS = 16
_MORE_WITNESSES = 16  # a stranger may ask for more of them than the box's own policy does

_BEACON = """
    SELECT seq, chain, round, published FROM time_beacon WHERE seq < {} AND round IS NOT NULL ORDER BY seq DESC LIMIT 1
"""
_STAMPS = """
    SELECT size, time, authority FROM time_stamp WHERE size > {} AND size <= {} ORDER BY size, time LIMIT {}
"""


class Cosigners(Protocol):
    """What the witnesses have seen."""

    async def cosigned(self, after: int, quorum: int) -> tuple[int, str, datetime] | None:
        """The earliest checkpoint of a tree of more than `after` entries with so many cosignatures: its size, its note with them,
        and the time by which they had signed."""
        ...

    async def note_of(self, size: int) -> str | None:
        """The checkpoint of that size with all its cosignatures, if it has any."""
        ...


@dataclass(frozen=True)
class NearestBeacon:
    """The last `time.beacon` entry with a round before some entry."""

    seq: int
    chain: bytes
    round: int
    published: datetime

    @property
    def by(self) -> str:
        chain = "quicknet" if self.chain == QUICKNET.hash else f"chain {self.chain.hex()[:8]}"
        return f"drand {chain} round {self.round}"


class Brackets:
    """Answers from what is stored. Every beacon and stamp was verified before it was stored."""

    def __init__(self, db: Database, cosigners: Cosigners | None, quorum: int) -> None:
        self._db = db
        self._cosigners = cosigners
        self.quorum = quorum

    async def of(self, indexes: Sequence[int], upto: int = MAX_SIZE) -> dict[int, Bracket]:
        """The bracket of each of these log indexes, as far as outsiders saw trees of at most `upto` entries."""
        beacons = await self.beacons(indexes)
        brackets = {index: Bracket() for index in indexes}
        for index, beacon in beacons.items():
            brackets[index] = Bracket(not_before=beacon.published, not_before_by=beacon.by)
        for index, (time, by) in (await self._ends(indexes, upto)).items():
            brackets[index] = replace(brackets[index], not_after=time, not_after_by=by)
        return brackets

    async def beacons(self, indexes: Sequence[int]) -> dict[int, NearestBeacon]:
        """For each index the nearest beacon before it, where there is one."""
        await place_beacons(self._db)
        found: dict[int, NearestBeacon] = {}
        nearest: NearestBeacon | None = None
        for index in sorted(set(indexes), reverse=True):
            if nearest is None or nearest.seq >= index:
                row = await self._db.fetch_one(_BEACON, index)
                if row is None:
                    break  # nor is there one before any smaller index
                nearest = NearestBeacon(**row)
            found[index] = nearest
        return found

    async def cosigned(self, indexes: Sequence[int], upto: int) -> dict[int, str]:
        """For each index the first checkpoint that the quorum saw with it, and those that more witnesses saw: notes by size."""
        notes: dict[int, str] = {}
        if self._cosigners is None:
            return notes
        for quorum in range(self.quorum, self.quorum + _MORE_WITNESSES):
            reached, any_found = 0, False
            for index in sorted(set(indexes)):
                if index < reached:
                    continue
                found = await self._cosigners.cosigned(index, quorum)
                if found is None or found[0] > upto:
                    break
                reached, any_found = found[0], True
                notes[found[0]] = found[1]
            if not any_found:
                break
        return notes

    async def note_of(self, size: int) -> str | None:
        """The checkpoint of that size with its cosignatures, where there are any."""
        return await self._cosigners.note_of(size) if self._cosigners is not None else None

    async def _ends(self, indexes: Sequence[int], upto: int) -> dict[int, tuple[datetime, str]]:
        """For each index the earliest outside time of a tree that has it, where there is one."""
        found: dict[int, tuple[datetime, str]] = {}
        size, end = 0, None  # the smallest stamped or cosigned tree beyond the index before, and what it gave
        for index in sorted(set(indexes)):
            if index >= size:
                size, end = await self._end(index, upto)
                if end is None:
                    break  # nor is there one for any larger index
            assert end is not None
            found[index] = end
        return found

    async def _end(self, index: int, upto: int) -> tuple[int, tuple[datetime, str] | None]:
        """The earliest end of the trees with this entry, and the size up to which it is the same one for all entries."""
        rows = await self._db.fetch(_STAMPS, index, upto, _NEXT_STAMPS)
        ends = [(row["time"], str(row["authority"])) for row in rows]
        sizes = [int(row["size"]) for row in rows]
        cosigned = await self._cosigners.cosigned(index, self.quorum) if self._cosigners is not None else None
        if cosigned is not None and cosigned[0] <= upto:
            who = "a witness" if self.quorum == 1 else f"{self.quorum} witnesses"
            ends.append((cosigned[2], who))
            sizes.append(cosigned[0])
        return (min(sizes), min(ends)) if ends else (0, None)
