"""Time stamps at rest: each with its log entry in one transaction, and the revocation lists that several share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.notary.service import Notary
from deedbox_sync import timestamp
from deedbox_sync.stamp import Stamp

_FACTS = "record, url, authority, size, time, valid_from, expires, crls, created"
_NEWEST = f"""
    SELECT {_FACTS} FROM time_stamp s WHERE NOT EXISTS
    (SELECT 1 FROM time_stamp later WHERE later.url = s.url AND (later.created > s.created
     OR (later.created = s.created AND later.record > s.record)))
"""
# Events of the log's own time do not ask for a stamp: else each stamp would ask for the next.
_FIRST_UNSTAMPED = """
    SELECT entry FROM log_entry e WHERE seq >= {}
    AND NOT EXISTS (SELECT 1 FROM time_beacon b WHERE b.record = e.record)
    AND NOT EXISTS (SELECT 1 FROM time_stamp s WHERE s.record = e.record)
    ORDER BY seq LIMIT 1
"""


@dataclass(frozen=True)
class StoredStamp:
    """What is known of a stamp without reading its response."""

    record: UUID
    url: str
    authority: str
    size: int
    time: datetime
    valid_from: datetime
    expires: datetime
    crls: tuple[bytes, ...]
    created: datetime


@dataclass(frozen=True)
class RevocationList:
    """A CRL, where it came from, and when."""

    url: str
    der: bytes
    fetched: datetime

    @property
    def digest(self) -> bytes:
        return sha256(self.der).digest()


class StampStore:
    def __init__(self, db: Database, notary: Notary) -> None:
        self._db = db
        self._notary = notary

    async def keep(
        self,
        url: str,
        note: str,
        size: int,
        token: bytes,
        stamp: Stamp,
        valid_from: datetime,
        crls: Sequence[RevocationList],
        now: datetime,
    ) -> UUID:
        """The response, its revocation data and its `time.stamp` entry, all or nothing; returns the entry's record id."""
        async with self._db.transaction():
            for crl in crls:
                await self._db.execute(
                    "INSERT INTO revocation_list (digest, url, der, fetched) VALUES ({}, {}, {}, {}) "
                    "ON CONFLICT (digest) DO UPDATE SET url = excluded.url, fetched = excluded.fetched",
                    crl.digest,
                    crl.url,
                    crl.der,
                    crl.fetched,
                )
            record = await self._notary.publish(
                "time.stamp",
                {
                    "authority": stamp.authority,
                    "checkpoint": sha256(note.encode()).hexdigest(),
                    "size": size,
                    "time": timestamp.encode(stamp.time),
                    "token": sha256(token).hexdigest(),
                },
            )
            listed = ",".join(crl.digest.hex() for crl in crls)
            await self._db.insert_many(
                "time_stamp",
                (*_FACTS.split(", "), "token", "note"),
                [
                    (
                        *(record, url, stamp.authority, size, stamp.time, valid_from, stamp.expires, listed, now),
                        token,
                        note,
                    )
                ],
            )
        return record

    async def newest(self) -> dict[str, StoredStamp]:
        """The newest stamp of each address that ever gave one."""
        return {row["url"]: _stored(row) for row in await self._db.fetch(_NEWEST)}

    async def first_unstamped(self, size: int) -> bytes | None:
        """The first entry from `size` on that is not about outside time itself."""
        row = await self._db.fetch_one(_FIRST_UNSTAMPED, size)
        return None if row is None else bytes(row["entry"])

    async def recent_crl(self, url: str, since: datetime) -> RevocationList | None:
        """What was fetched from there no longer ago than `since`."""
        rows = await self._db.fetch(
            "SELECT url, der, fetched FROM revocation_list WHERE url = {} AND fetched >= {} ORDER BY fetched DESC LIMIT 1",
            url,
            since,
        )
        return RevocationList(**rows[0]) if rows else None

    # --- for bundles

    async def earliest(self, indexes: Sequence[int], upto: int) -> list[StoredStamp]:
        """For each of these log indexes and each authority the earliest stamp over a tree with the entry, of at most `upto`
        entries; each authority's newest; and those that renewed the former while their certificates held."""
        rows = await self._db.fetch(
            f"SELECT {_FACTS} FROM time_stamp WHERE size > {{}} AND size <= {{}} ORDER BY size, time, record",
            min(indexes, default=upto),
            upto,
        )
        known = [_stored(row) for row in rows]
        by_authority: dict[str, list[StoredStamp]] = {}
        for one in known:
            by_authority.setdefault(one.authority, []).append(one)
        chosen: dict[UUID, StoredStamp] = {}
        for stamps in by_authority.values():
            chosen[stamps[-1].record] = stamps[-1]
            at = 0
            for index in sorted(set(indexes)):
                while at < len(stamps) and stamps[at].size <= index:
                    at += 1
                if at < len(stamps):
                    chosen[stamps[at].record] = stamps[at]
        chosen |= {one.record: one for one in renewals(known, list(chosen.values()))}
        return sorted(chosen.values(), key=lambda one: (one.size, one.time, one.record))

    async def responses(self, records: Sequence[UUID]) -> dict[UUID, tuple[bytes, str]]:
        """Each stamp's response and the note that it is over."""
        rows = await self._db.fetch_in("SELECT record, token, note FROM time_stamp WHERE record IN ", records)
        return {row["record"]: (row["token"], row["note"]) for row in rows}

    async def revocation(self, digests: Sequence[bytes]) -> dict[bytes, bytes]:
        """Revocation lists by their digests."""
        rows = await self._db.fetch_in("SELECT digest, der FROM revocation_list WHERE digest IN ", digests)
        return {row["digest"]: row["der"] for row in rows}


def renewals(known: Sequence[StoredStamp], chosen: Sequence[StoredStamp]) -> list[StoredStamp]:
    """Steps from stamps whose certificates ended before the newest stamp was made, each step taken while the one before it still
    held and as far as can be (the principle of RFC 4998). None where the newest came in time for all."""
    if not known:
        return []
    found: list[StoredStamp] = []
    last = max(known, key=lambda one: one.created)
    for stamp in chosen:
        held = stamp
        while held.expires < last.time:
            later = [one for one in known if one.created > held.created and one.time < held.expires]
            best = max(later, key=lambda one: (one.expires, one.created), default=held)
            if best.expires <= held.expires:
                break  # nobody renewed it in time
            if best not in found:
                found.append(best)
            held = best
    return found


def _stored(row: Row) -> StoredStamp:
    crls = tuple(bytes.fromhex(digest) for digest in row["crls"].split(",") if digest)
    return StoredStamp(**(row | {"crls": crls}))
