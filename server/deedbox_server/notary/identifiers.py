"""Identifiers of the box: minted, looked up, shown beside exhibits (formats/identifier.md; NO-5)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol
from uuid import UUID

from deedbox_server.database import Database, UniqueViolation
from deedbox_server.errors import BadRequest, Conflict, DeedboxError, NotFound
from deedbox_server.notary import identifier_rows as rows
from deedbox_server.notary.drafts import new_salts
from deedbox_server.notary.identifier_counter import Counters
from deedbox_server.notary.identifier_figures import Figures
from deedbox_server.notary.identifier_issuers import Issuer, Issuers
from deedbox_server.notary.identifier_rows import Asked, Batch, Kept
from deedbox_server.notary.prover_process import Minted
from deedbox_server.notary.provers import Provers
from deedbox_server.notary.service import Notary
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import identifier, uuid7
from deedbox_sync.beacon import Beacon, Chain
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.identifier import MAX_BATCH, MintRecord

MAX_ASKED: Final = 64  # characters of an idempotency key


class KnowsBeacons(Protocol):
    """What minting wants of the box's beacons."""

    @property
    def chain(self) -> Chain: ...

    @property
    def latest(self) -> Beacon | None: ...


@dataclass(frozen=True)
class Wanted:
    """What shall have an identifier: its SHA-256, and, if it is one, the exhibit that it is the content of."""

    content: bytes
    exhibit: UUID | None = None


@dataclass(frozen=True)
class Resolved:
    """What the box knows of an identifier, for one who asks. `exhibit` only if that one may see it."""

    id: str
    record: MintRecord | None
    canonical: str
    aliases: tuple[str, ...]
    issuer: Issuer | None
    log_index: int | None
    exhibit: UUID | None


class Identifiers:
    """Used from one event loop. Nothing of an identifier leaves before it is durable; a process that is killed meanwhile has
    used up counters and nothing else, and the caller asks again, with the same idempotency key if it must not have two."""

    def __init__(
        self,
        db: Database,
        keys: KeyStore,
        notary: Notary,
        permissions: Permissions,
        beacons: KnowsBeacons,
        provers: Provers,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._keys = keys
        self._notary = notary
        self._permissions = permissions
        self.beacons = beacons
        self.provers = provers
        self._clock = clock
        self.issuers = Issuers(db, notary, permissions, key=provers.key, namespace=provers.namespace, clock=clock)
        self.figures = Figures(db, clock=clock)
        self.counters = Counters(db)

    async def mint(self, principal: Principal, wanted: Sequence[Wanted], asked: str | None = None) -> list[bytes]:
        """Mint records, as canonical JSON and in order: durable, staged for the log.

        NotFound for an exhibit that the principal may not see, BadRequest where the content is not the exhibit's. `asked` is an
        idempotency key of the principal's: asked again, the same answer, and Conflict if it was not the same that was asked.
        """
        began = time.perf_counter()
        self._permissions.require(principal, "identifier.mint")
        if not 0 < len(wanted) <= MAX_BATCH:
            raise BadRequest(f"1 to {MAX_BATCH} identifiers are minted at a time")
        asking = None if asked is None else _asking(principal, asked, wanted)
        if asking is not None and (before := await self._before(asking)) is not None:
            return before
        await self._refuse_other_exhibits(principal, wanted)
        salts = new_salts(uuid7.new(), ("record",))
        minted, _ = await asyncio.gather(
            self.prove([item.content for item in wanted]), self._keys.commit(KeyBatch(salts=[salts]))
        )
        kept = [Kept(one.value, one.record, None, item.exhibit) for one, item in zip(minted, wanted, strict=True)]
        batch = Batch(salts, rows.MINTED, self._clock(), kept, {"box": len(kept)}, asking)
        try:
            async with self._db.transaction():
                await self.issuers.introduce_box()
                await rows.store(self._db, self._notary, batch)
        except UniqueViolation:  # the same was asked twice at the same time
            if asking is not None and (before := await self._before(asking)) is not None:
                return before
            raise
        self.figures.minted["box"] += len(kept)
        self.figures.took(time.perf_counter() - began)
        return [one.record for one in minted]

    async def prove(self, contents: Sequence[bytes]) -> list[Minted]:
        """Records by the box under counters of their own; not stored anywhere yet."""
        counters = await self.counters.take(len(contents))
        return await self.provers.mint(self.beacons.latest, list(zip(contents, counters, strict=True)))

    async def resolve(self, principal: Principal, text: str) -> Resolved:
        """What the box knows of an identifier; BadRequest for what is none. What it tells was verified again just now."""
        self._permissions.require(principal, "identifier.verify")
        try:
            value = identifier.parse_text(text)
        except FormatError as error:
            raise BadRequest(str(error)) from error
        written = identifier.format_text(value)
        found = (await rows.find(self._db, [value])).get(value)
        if found is None:
            return Resolved(written, None, written, (), None, None, None)
        canonical = value if found.canonical is None else found.canonical
        record = identifier.parse(found.record)
        try:
            await asyncio.to_thread(identifier.verify_record, record)
        except ProofError as error:
            raise DeedboxError("a stored identifier does not hold") from error
        batch = await rows.batch_of(self._db, value)
        logged = (await self._notary.sequenced([batch])).get(batch)
        return Resolved(
            id=written,
            record=record,
            canonical=identifier.format_text(canonical),
            aliases=tuple(map(identifier.format_text, await rows.aliases(self._db, canonical))),
            issuer=(await self.issuers.by_keys([record.key])).get(record.key),
            log_index=None if logged is None else logged.seq,
            exhibit=await self._if_visible(principal, await rows.exhibit_of(self._db, canonical)),
        )

    async def of_exhibits(self, exhibits: Sequence[UUID]) -> dict[UUID, str]:
        """Identifiers of those exhibits that have one; the caller has shown that it may see them."""
        found = await rows.of_exhibits(self._db, exhibits)
        return {exhibit: identifier.format_text(value) for exhibit, value in found.items()}

    async def _before(self, asking: Asked) -> list[bytes] | None:
        answered = await rows.answered(self._db, asking.key)
        if answered is None:
            return None
        if answered[0] != asking.request:
            raise Conflict("something else was asked with this idempotency key: take another one")
        return answered[1]

    async def _refuse_other_exhibits(self, principal: Principal, wanted: Sequence[Wanted]) -> None:
        contents = await self._visible(principal, [item.exhibit for item in wanted if item.exhibit is not None])
        for item in wanted:
            if item.exhibit is None:
                continue
            if item.exhibit not in contents:
                raise NotFound
            if item.content != contents[item.exhibit]:
                raise BadRequest("the content is not the exhibit's")

    async def _if_visible(self, principal: Principal, exhibit: UUID | None) -> UUID | None:
        return exhibit if exhibit is not None and await self._visible(principal, [exhibit]) else None

    async def _visible(self, principal: Principal, exhibits: Sequence[UUID]) -> dict[UUID, bytes]:
        """The contents of those of the exhibits that the principal may see."""
        if not exhibits:
            return {}
        self._permissions.require(principal, "evidence.read")
        wall = self._permissions.wall(principal, "evidence.read")
        found = await self._db.fetch_in(
            f"SELECT id, content FROM exhibit WHERE {wall.on('exhibit.case_id')} AND id IN ", exhibits, *wall.args
        )
        return {row["id"]: row["content"] for row in found}


def _asking(principal: Principal, key: str, wanted: Sequence[Wanted]) -> Asked:
    if not 0 < len(key) <= MAX_ASKED or not key.isascii() or not key.isprintable():
        raise BadRequest(f"an idempotency key is 1 to {MAX_ASKED} printable characters of ASCII")
    digest = sha256()
    for item in wanted:
        digest.update(item.content + (bytes(16) if item.exhibit is None else item.exhibit.bytes))
    return Asked(f"{principal.actor_id} {key}", digest.digest())
