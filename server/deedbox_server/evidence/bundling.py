"""Gather what a bundle is made from: exhibits of one case, their custody up to this very export, log entries and devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from deedbox_server.cases import Cases
from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Unavailable
from deedbox_server.evidence.bundled_time import TimeGathering
from deedbox_server.evidence.custody import Custody, Event, new_event
from deedbox_server.evidence.exhibits import DerivedDocument, Exhibit, Exhibits, actor_of
from deedbox_server.evidence.export import PreparedBundle, prepare_export
from deedbox_server.evidence.export_source import BundleSource, DerivedSource, ExhibitSource, StoredContent
from deedbox_server.notary.memory import Sequenced
from deedbox_server.notary.service import Notary
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import custody as custody_format
from deedbox_sync import device_record, note, uuid7
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.bundle.index import BundledCase
from deedbox_sync.bundle.proven import CustodyEvent, DeviceFile, DeviceRecord, ProvenEntry
from deedbox_sync.commitment import Opening

LOG_WAIT = 10.0  # seconds that an export waits for its own events to be in the log
MAX_PURPOSE = 500

_Salts = Mapping[UUID, Mapping[str, bytes]]


class Bundling:
    def __init__(
        self,
        db: Database,
        vault: Vault,
        keys: KeyStore,
        notary: Notary,
        custody: Custody,
        exhibits: Exhibits,
        cases: Cases,
        permissions: Permissions,
        time: TimeGathering,
    ) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._notary = notary
        self._custody = custody
        self._exhibits = exhibits
        self._cases = cases
        self._permissions = permissions
        self._time = time

    async def prepare(
        self, principal: Principal, case: UUID, wanted: Sequence[UUID] | None, purpose: str | None
    ) -> PreparedBundle:
        """A bundle of these exhibits of a case (None: all). Its export events are in the log before any byte can leave."""
        await self._permissions.permit(self._db, principal, "evidence.export", case=case)
        if purpose is not None and len(purpose) > MAX_PURPOSE:
            raise BadRequest(f"A purpose has at most {MAX_PURPOSE} characters.")
        chosen = await self._chosen(principal, case, wanted)
        bundle = uuid7.new()
        ends = await self._export_events(principal, chosen, bundle, purpose)
        events = await self._events(chosen, ends)
        trust = await self._trust_rows(chosen)
        records = [row["id"] for rows in (*events.values(), *trust.values()) for row in rows]
        places = await self._notary.sequenced(records, LOG_WAIT)
        if len(places) < len(records):
            raise Unavailable("The log has not taken the export event yet: ask again in a moment.")
        signed = await self._notary.checkpoint()
        checkpoint = note.parse_checkpoint(note.parse_note(signed).body)
        salts = await self._keys.salts(records)
        received = [places[events[exhibit.id][0]["id"]].seq for exhibit in chosen]
        time = await self._time.gather(received, checkpoint.size)
        stamped = await self._notary.sequenced(time.records)
        found = await self._cases.get(principal, case)
        box, _ = note.parse_origin(checkpoint.origin)
        return await prepare_export(
            BundleSource(
                bundle=bundle,
                made=datetime.now(UTC),
                box=box,
                case=BundledCase(found.id, found.number, found.title),
                vkey=self._notary.vkey,
                checkpoint=signed,
                entries=await self._entries(places | stamped, checkpoint.size),
                exhibits=await self._sources(chosen, events, places, salts, time.brackets),
                devices=await self._devices(trust, places, salts),
                stamps=time.stamps,
                runs=time.runs,
            )
        )

    async def _chosen(self, principal: Principal, case: UUID, wanted: Sequence[UUID] | None) -> list[Exhibit]:
        chosen, after = [], None
        while page := await self._exhibits.page(principal, case=case, after=after, limit=500):
            chosen += [exhibit for exhibit in page if wanted is None or exhibit.id in wanted]
            after = page[-1].id
        if not chosen or (wanted is not None and len(chosen) != len(set(wanted))):
            raise BadRequest("Choose at least one exhibit, all of them of this case.")
        return chosen

    async def _export_events(
        self, principal: Principal, chosen: Sequence[Exhibit], bundle: UUID, purpose: str | None
    ) -> dict[UUID, int]:
        """Append one `exported` event to each exhibit; returns their numbers by exhibit."""
        actor, detail = actor_of(principal), {"bundle": str(bundle), "purpose": purpose}
        events: list[Event] = [new_event(exhibit.id, exhibit.case, "exported", actor, detail) for exhibit in chosen]
        await self._keys.commit(KeyBatch(salts=[event.salts for event in events]))
        async with self._db.transaction():
            numbers = await self._custody.append(events)
        return {event.exhibit: numbers[event.id] for event in events}

    async def _events(self, chosen: Sequence[Exhibit], ends: Mapping[UUID, int]) -> dict[UUID, list[Row]]:
        """Custody up to the export event, by exhibit: what happens while the bundle is made comes after its end."""
        events: defaultdict[UUID, list[Row]] = defaultdict(list)
        for row in await self._custody.records([exhibit.id for exhibit in chosen]):
            if row["number"] <= ends[row["exhibit"]]:
                events[row["exhibit"]].append(row)
        return events

    async def _trust_rows(self, chosen: Sequence[Exhibit]) -> dict[UUID, list[Row]]:
        """Pairing, renewal and revocation of every device that signed one of the statements."""
        devices = list({exhibit.device for exhibit in chosen if exhibit.device is not None})
        trust: defaultdict[UUID, list[Row]] = defaultdict(list)
        for row in await self._db.fetch_in("SELECT id, device, record FROM trust_record WHERE device IN ", devices):
            trust[row["device"]].append(row)
        return trust

    async def _entries(self, places: Mapping[UUID, Sequenced], size: int) -> tuple[ProvenEntry, ...]:
        """Those that the tree of `size` has: the entry of a stamp may have come after it."""
        known = [place for place in places.values() if place.seq < size]
        proofs = await self._notary.inclusion([place.seq for place in known], size)
        return tuple(ProvenEntry(place.seq, place.entry, tuple(proofs[place.seq])) for place in known)

    async def _sources(
        self,
        chosen: Sequence[Exhibit],
        events: Mapping[UUID, Sequence[Row]],
        places: Mapping[UUID, Sequenced],
        salts: _Salts,
        brackets: Mapping[int, Bracket],
    ) -> tuple[ExhibitSource, ...]:
        rows = await self._db.fetch_in(
            "SELECT digest, envelope FROM statement WHERE digest IN ", [exhibit.statement for exhibit in chosen]
        )
        envelopes = {row["digest"]: row["envelope"] for row in rows}
        derived: defaultdict[UUID, list[DerivedDocument]] = defaultdict(list)
        for document in await self._exhibits.derived([exhibit.id for exhibit in chosen]):
            derived[document.exhibit].append(document)
        sources = []
        for exhibit in chosen:
            told = events[exhibit.id]
            sources.append(
                ExhibitSource(
                    id=exhibit.id,
                    number=exhibit.number,
                    envelope=envelopes[exhibit.statement],
                    received=places[told[0]["id"]].seq,
                    original=self._content(exhibit.blob, exhibit.content, exhibit.size),
                    derived=tuple(
                        DerivedSource(
                            item.id,
                            item.form,
                            item.media_type,
                            item.event,
                            self._content(item.blob, item.content, item.size),
                        )
                        for item in derived[exhibit.id]
                        if item.event <= len(told)
                    ),
                    custody=_all_told(told, exhibit.case, places, salts),
                    bracket=brackets[places[told[0]["id"]].seq],
                )
            )
        return tuple(sources)

    async def _devices(
        self, trust: Mapping[UUID, Sequence[Row]], places: Mapping[UUID, Sequenced], salts: _Salts
    ) -> tuple[DeviceFile, ...]:
        keys = await self._db.fetch_in("SELECT id, statement_key FROM device WHERE id IN ", list(trust))
        certificates = await self._db.fetch_in("SELECT serial, der FROM certificate WHERE device IN ", list(trust))
        by_serial = {row["serial"]: row["der"] for row in certificates}
        files = []
        for row in keys:
            records = tuple(_device_record(item, places, salts, by_serial) for item in trust[row["id"]])
            files.append(DeviceFile(row["id"], row["statement_key"], tuple(sorted(records, key=lambda one: one.index))))
        return tuple(files)

    def _content(self, blob: UUID, sha256: bytes, size: int) -> StoredContent:
        return StoredContent(sha256, size, partial(_read, self._vault, blob))


async def _read(vault: Vault, blob: UUID) -> AsyncIterator[bytes]:
    reader = await vault.open(blob)
    try:
        async for piece in reader.read(0, reader.size):
            yield piece
    finally:
        reader.close()


def _all_told(
    rows: Sequence[Row], case: UUID, places: Mapping[UUID, Sequenced], salts: _Salts
) -> tuple[CustodyEvent, ...]:
    """`case` is where the exhibit is; an event before it was refiled is logged for the case that it came from."""
    cases = custody_format.cases_of([row["record"] for row in rows], case)
    return tuple(_told(row, its_case, places, salts) for row, its_case in zip(rows, cases, strict=True))


def _told(row: Row, case: UUID, places: Mapping[UUID, Sequenced], salts: _Salts) -> CustodyEvent:
    record = custody_format.parse(row["record"])
    values = custody_format.committed_values(record, row["record"], case)
    openings = _openings(values, salts[row["id"]])
    return CustodyEvent(row["number"], places[row["id"]].seq, row["record"], None, openings)


def _device_record(
    row: Row, places: Mapping[UUID, Sequenced], salts: _Salts, certificates: Mapping[str, bytes]
) -> DeviceRecord:
    record = device_record.parse_device_record(row["record"])
    values = {"person": record.by.encode(), "record": device_record.digest(row["record"])}
    certificate = certificates.get(record.serial) if record.serial is not None else None
    return DeviceRecord(places[row["id"]].seq, row["record"], _openings(values, salts[row["id"]]), certificate)


def _openings(values: Mapping[str, bytes], salts: Mapping[str, bytes]) -> tuple[Opening, ...]:
    return tuple(Opening(name, salts[name], value) for name, value in sorted(values.items()))
