"""Identifiers that were minted elsewhere, by a desk without a network or by a fallback service, get one of the box's, to which
they resolve for ever (formats/identifier.md; NO-6)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from deedbox_server.database import Database, UniqueViolation
from deedbox_server.errors import BadRequest
from deedbox_server.notary import identifier_rows as rows
from deedbox_server.notary.drafts import new_salts
from deedbox_server.notary.identifier_issuers import Issuer, refusal
from deedbox_server.notary.identifier_rows import Batch, Kept
from deedbox_server.notary.identifiers import Identifiers
from deedbox_server.notary.service import Notary
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import beacon as beacons
from deedbox_sync import identifier, uuid7
from deedbox_sync.beacon import Beacon
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.identifier import MAX_BATCH, MintRecord

State = Literal["reconciled", "known", "refused"]
_TRIES: Final = 3  # the same records may be brought twice at the same time: who comes second finds them known
_STRANGER: Final = (
    "its issuer is not known here: register the fallback service, or send the desk's issuer note with the records"
)


@dataclass(frozen=True)
class Outcome:
    """What came of one record; `id` is None where it could not be read, `problem` says why it was refused."""

    id: str | None
    state: State
    canonical: str | None = None
    problem: str | None = None


class Reconciling:
    """Used from one event loop. Doing it again changes nothing, so a caller that lost the answer asks again."""

    def __init__(
        self,
        db: Database,
        keys: KeyStore,
        notary: Notary,
        permissions: Permissions,
        identifiers: Identifiers,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._keys = keys
        self._notary = notary
        self._permissions = permissions
        self._identifiers = identifiers
        self._issuers = identifiers.issuers
        self._clock = clock

    async def reconcile(self, principal: Principal, told: Sequence[Json], note: bytes | None = None) -> list[Outcome]:
        """One outcome for each record, in order; those that are accepted are durable. A record that is refused keeps none of the
        others. `note` is the issuer note of the desk that minted them, needed the first time."""
        self._permissions.require(principal, "identifier.reconcile")
        if not 0 < len(told) <= MAX_BATCH:
            raise BadRequest(f"1 to {MAX_BATCH} records are reconciled at a time")
        records = [_read(item) for item in told]
        judged: dict[str, Outcome] = {}
        for tries in range(_TRIES):
            judged = await self._judge([record for record in records if isinstance(record, MintRecord)], note)
            accepted = {
                record.id: record for record in records if isinstance(record, MintRecord) and record.id not in judged
            }
            try:
                judged |= await self._accept(list(accepted.values()), note)
                break
            except UniqueViolation:
                if tries == _TRIES - 1:
                    raise
        outcomes = [record if isinstance(record, Outcome) else judged[record.id] for record in records]
        self._identifiers.figures.reconciled(Counter(outcome.state for outcome in outcomes))
        return outcomes

    # --- judging

    async def _judge(self, records: Sequence[MintRecord], note: bytes | None) -> dict[str, Outcome]:
        """What is known or refused, by identifier; the rest is to be accepted."""
        judged: dict[str, Outcome] = {}
        values = {record.id: identifier.parse_text(record.id) for record in records}
        known = await rows.find(self._db, list(values.values()))
        standing, problem = await self._standing(records, note)
        unproven: dict[str, MintRecord] = {}
        for record in records:
            if record.id in judged:
                continue
            if (kept := known.get(values[record.id])) is not None:
                judged[record.id] = _known(record, kept)
            elif (issuer := standing.get(record.key)) is None:
                judged[record.id] = _refused(record, problem or _STRANGER)
            elif (why := refusal(issuer, record)) is not None:
                judged[record.id] = _refused(record, why)
            elif (other := unproven.get(record.id)) is not None and other != record:
                judged[record.id] = _refused(record, "another record of the same call has the same identifier")
            else:
                unproven[record.id] = record
        wanted = [record for name, record in unproven.items() if name not in judged]
        return judged | await self._unproven(wanted)

    async def _standing(
        self, records: Sequence[MintRecord], note: bytes | None
    ) -> tuple[Mapping[bytes, Issuer], str | None]:
        """Issuers by key, the one that the note vouches for among them, and what is wrong with the note."""
        known = await self._issuers.by_keys(list({record.key for record in records}))
        if note is None:
            return known, None
        try:
            vouched = await self._issuers.vouched(note)
        except FormatError as error:
            return known, f"its issuer note cannot be read: {error}"
        except ProofError as error:
            return known, f"its issuer note does not hold: {error}"
        return {vouched.key: vouched} | known, None

    async def _unproven(self, records: Sequence[MintRecord]) -> dict[str, Outcome]:
        """Refusals of those whose proof or beacon does not hold."""
        faults = await self._identifiers.provers.verify([identifier.encode(record) for record in records])
        rounds = {record.beacon for record in records if record.beacon is not None}
        false = await asyncio.to_thread(self._false_beacons, rounds)
        refused = {}
        for record, fault in zip(records, faults, strict=True):
            why = fault or (false.get(record.beacon) if record.beacon is not None else None)
            if why:
                refused[record.id] = _refused(record, why)
        return refused

    def _false_beacons(self, rounds: set[Beacon]) -> dict[Beacon, str]:
        false = {}
        for known in rounds:
            try:
                beacons.verify_beacon(known, self._identifiers.beacons.chain)
            except ProofError as error:
                false[known] = str(error)
        return false

    # --- accepting

    async def _accept(self, records: Sequence[MintRecord], note: bytes | None) -> dict[str, Outcome]:
        """A canonical identifier for each; UniqueViolation where another call was first with one of them."""
        if not records:
            return {}
        standing, _ = await self._standing(records, note)
        salts = new_salts(uuid7.new(), ("record",))
        minted, _ = await asyncio.gather(
            self._identifiers.prove([record.content for record in records]),
            self._keys.commit(KeyBatch(salts=[salts])),
        )
        kept: list[Kept] = []
        for record, canonical in zip(records, minted, strict=True):
            value = identifier.parse_text(record.id)
            device = standing[record.key].device
            content = None if device is None else record.content
            old = Kept(value, identifier.encode(record), canonical.value, None, device, content)
            kept += [old, Kept(canonical.value, canonical.record)]
        counts: Counter[str] = Counter(standing[record.key].kind for record in records)
        batch = Batch(salts, rows.RECONCILED, self._clock(), kept, dict(counts))
        async with self._db.transaction():
            await self._issuers.introduce_box()
            for key in dict.fromkeys(record.key for record in records):
                await self._issuers.add(standing[key])
            await rows.store(self._db, self._notary, batch)
        self._identifiers.figures.minted.update(counts)
        return {
            record.id: Outcome(record.id, "reconciled", identifier.format_text(canonical.value))
            for record, canonical in zip(records, minted, strict=True)
        }


def _read(told: Json) -> MintRecord | Outcome:
    """The record, or the refusal of what is none."""
    if not isinstance(told, dict):
        return Outcome(None, "refused", problem="mint record: is not an object")
    try:
        return identifier.read_record(Fields(told, "mint record"))
    except FormatError as error:
        name = told.get("id")
        try:
            written = identifier.normal_text(name) if isinstance(name, str) else None
        except FormatError:
            written = None
        return Outcome(written, "refused", problem=str(error))


def _known(record: MintRecord, kept: Kept) -> Outcome:
    stored = identifier.parse(kept.record)
    if (stored.key, stored.content, stored.counter) != (record.key, record.content, record.counter):
        return _refused(record, "another document has this identifier here")
    return Outcome(record.id, "known", identifier.format_text(kept.canonical or kept.value))


def _refused(record: MintRecord, problem: str) -> Outcome:
    return Outcome(record.id, "refused", problem=problem)
