"""Is this file one of ours? By digest or by the bytes themselves, within what the caller may see (EV-4).

The wall is in the query: a file that the firm does not have and one that this caller may not see are the same answer, from
the same work. The bytes of a question are hashed as they come and kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, TooLarge
from deedbox_server.evidence.exhibit_brackets import received_indexes
from deedbox_server.evidence.exhibits import Exhibit, Exhibits
from deedbox_server.notary.brackets import Brackets
from deedbox_server.people import Permissions, Principal
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.statement import SUBJECT_DIGESTS

SHA256: Final = "sha256"
MAX_FOUND: Final = 100  # exhibits with the same bytes in one answer; a list of more is no use to anybody
MAX_ASKED: Final = 64 << 30  # bytes of one question: hashing takes the box's time, and keeps nothing


@dataclass(frozen=True)
class Digest:
    """One of SUBJECT_DIGESTS, and its value."""

    algorithm: str
    value: bytes


@dataclass(frozen=True)
class Sighting:
    """An exhibit with these bytes, and where the log first has it; None while the log has not taken it in."""

    exhibit: Exhibit
    index: int | None
    entry: bytes | None
    bracket: Bracket


@dataclass(frozen=True)
class Answer:
    """What was asked for, and the exhibits that have it, the earliest notarised first; `more` where there are more."""

    digest: Digest
    size: int | None
    sightings: tuple[Sighting, ...]
    more: bool


@dataclass(frozen=True)
class Comparison:
    """Whether a digest is that of an exhibit. `known` is false where the exhibit's digest of this kind was never taken."""

    exhibit: Exhibit
    digest: Digest
    known: bool
    matches: bool


class Finding:
    def __init__(self, db: Database, exhibits: Exhibits, brackets: Brackets, permissions: Permissions) -> None:
        self._db = db
        self._exhibits = exhibits
        self._brackets = brackets
        self._permissions = permissions

    async def by_digest(self, principal: Principal, digest: Digest) -> Answer:
        """The exhibits with this digest. SHA-256 finds all; the others those whose statement has one."""
        self._permissions.require(principal, "evidence.find")
        return await self._answer(principal, digest, None)

    async def by_bytes(self, principal: Principal, pieces: AsyncIterator[bytes]) -> Answer:
        """The exhibits that are this very file. Nothing of it is kept; TooLarge past MAX_ASKED."""
        self._permissions.require(principal, "evidence.find")
        hashed, size = hashlib.sha256(), 0
        async for piece in pieces:
            size += len(piece)
            if size > MAX_ASKED:
                raise TooLarge(f"A file that is asked for has at most {MAX_ASKED} bytes: send its SHA-256.")
            hashed.update(piece)
        return await self._answer(principal, Digest(SHA256, hashed.digest()), size)

    async def compare(self, principal: Principal, exhibit: UUID, digest: Digest) -> Comparison:
        """Whether this digest is the exhibit's. NotFound for an exhibit that the principal does not see."""
        found = await self._exhibits.get(principal, exhibit, "evidence.verify")
        if digest.algorithm == SHA256:
            own: bytes | None = found.content
        else:
            row = await self._db.fetch_one(
                "SELECT digest FROM exhibit_digest WHERE exhibit = {} AND algorithm = {}", exhibit, digest.algorithm
            )
            own = row["digest"] if row is not None else None
        return Comparison(found, digest, own is not None, own is not None and hmac.compare_digest(own, digest.value))

    async def _answer(self, principal: Principal, digest: Digest, size: int | None) -> Answer:
        wall = self._permissions.wall(principal, "evidence.read")
        if digest.algorithm == SHA256:
            rows = await self._db.fetch(
                f"SELECT id FROM exhibit WHERE content = {{}} AND {wall.on('exhibit.case_id')} "
                f"ORDER BY id LIMIT {MAX_FOUND + 1:d}",
                digest.value,
                *wall.args,
            )
        else:
            rows = await self._db.fetch(
                "SELECT exhibit.id AS id FROM exhibit_digest JOIN exhibit ON exhibit.id = exhibit_digest.exhibit "
                f"WHERE exhibit_digest.digest = {{}} AND exhibit_digest.algorithm = {{}} AND {wall.on('exhibit.case_id')} "
                f"ORDER BY exhibit.id LIMIT {MAX_FOUND + 1:d}",
                digest.value,
                digest.algorithm,
                *wall.args,
            )
        found = await self._exhibits.some(principal, [row["id"] for row in rows[:MAX_FOUND]])
        return Answer(digest, size, await self._sightings(found), len(rows) > MAX_FOUND)

    async def _sightings(self, exhibits: Mapping[UUID, Exhibit]) -> tuple[Sighting, ...]:
        indexes = await received_indexes(self._db, sorted(exhibits))
        brackets = await self._brackets.of(list(indexes.values()))
        rows = await self._db.fetch_in("SELECT seq, entry FROM log_entry WHERE seq IN ", sorted(indexes.values()))
        entries: dict[int, bytes] = {row["seq"]: row["entry"] for row in rows}
        sightings = [
            Sighting(found, index, entries.get(index), brackets[index])
            if (index := indexes.get(one)) is not None
            else Sighting(found, None, None, Bracket())
            for one, found in exhibits.items()
        ]
        return tuple(sorted(sightings, key=lambda one: (one.index is None, one.index or 0, one.exhibit.id)))


def digest_of(text: str, algorithm: str = SHA256) -> Digest:
    """A digest as people write it: hex in either case. BadRequest for what is none."""
    length = SUBJECT_DIGESTS.get(algorithm)
    if length is None:
        raise BadRequest(f"A digest is one of {', '.join(sorted(SUBJECT_DIGESTS))}.")
    try:
        value = bytes.fromhex(text.strip())
    except ValueError:
        value = b""
    if len(value) != length:
        raise BadRequest(f"A {algorithm} digest is {2 * length} hex digits.")
    return Digest(algorithm, value)
