"""Those who witness this box's log: asked for their cosignatures, which are kept with the note they are over
(formats/witness.md)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from cryptography import x509

from deedbox_server import faults
from deedbox_server.database import Database, UniqueViolation
from deedbox_server.errors import BadRequest, Conflict, NotFound, Unavailable
from deedbox_server.notary.outside import Outside, OutsideError
from deedbox_server.notary.service import Notary
from deedbox_server.people.clock import Clock, system_clock
from deedbox_sync import note, uuid7, witness
from deedbox_sync.canonical_json import Json
from deedbox_sync.errors import FormatError
from deedbox_sync.witness import Cosigned, Outcome, Refused, Reply, Request, Unclear

MAX_WITNESSES = 16  # a note has room for so many cosignatures of the largest kind
NEW, SIGNS, REFUSES, SILENT = "new", "signs", "refuses", "silent"
LATE = timedelta(minutes=15)  # a witness that has not signed what is new for so long does not count any more
AGAIN = timedelta(
    hours=1
)  # a log that stands still is shown again as well: it may have been put back to what was signed
_ASK_SECONDS = 10.0
_MAX_URL = 500
_MAX_CA = 65_536  # a chain of a few certificates
_LAST_TIME: Final = 253_402_300_799  # the end of the year 9999

_COLUMNS = "id, name, vkey, url, ca, size, state, status, told, why, changed, asked, signed, added"

log = logging.getLogger("deedbox.witnesses")


@dataclass(frozen=True)
class AskedWitness:
    """A witness as the box knows it. `size` is what it cosigned last. `state`: it signs, it refuses, it is silent (nobody
    answers, or nothing that makes sense), or it is new; `status`, `told` and `why` are of its last answer."""

    id: UUID
    name: str
    vkey: str
    url: str
    ca: str | None
    size: int
    state: str
    status: int
    told: int
    why: str
    changed: datetime
    asked: datetime | None
    signed: datetime | None
    added: datetime


class Witnesses:
    """`quorum` is the policy: how many must sign. With `enabled` off nobody is asked by itself."""

    def __init__(
        self, db: Database, notary: Notary, *, quorum: int, seconds: int, enabled: bool, clock: Clock = system_clock
    ) -> None:
        self._db = db
        self._notary = notary
        self.quorum = quorum
        self._seconds = seconds
        self._enabled = enabled
        self._clock = clock
        self._asked: dict[UUID, datetime] = {}  # when, since this process began

    # --- who they are

    async def add(self, vkey: str, url: str, ca: str | None = None) -> AskedWitness:
        """Ask this witness from now on. `url` is what stands before `/add-checkpoint`; `ca` a PEM to trust, not the system's."""
        try:
            verifier = note.parse_vkey(vkey)
        except FormatError as error:
            raise BadRequest(f"This is not a witness's key: {error}.") from None
        if verifier.is_log:
            raise BadRequest("This is the key of a log. A box's witness key is what its `/witness/v1/key` gives.")
        url = _checked_url(url)
        if ca is not None:
            _checked_ca(ca)
        now = self._clock()
        row = (uuid7.new(), verifier.name, vkey, url, ca, 0, NEW, 0, 0, "", now, None, None, now)
        try:
            async with self._db.transaction():
                if len(await self.all()) >= MAX_WITNESSES:
                    raise Conflict(f"This box asks {MAX_WITNESSES} witnesses already.")
                await self._db.insert_many("asked_witness", _COLUMNS.split(", "), [row])
        except UniqueViolation:
            raise Conflict("A witness of this name is asked already: remove it first.") from None
        return AskedWitness(*row)

    async def remove(self, witness_id: UUID) -> None:
        """Ask it no more; what it signed is kept."""
        gone = await self._db.fetch("DELETE FROM asked_witness WHERE id = {} RETURNING id", witness_id)
        if not gone:
            raise NotFound("This box asks no such witness.")

    async def all(self) -> list[AskedWitness]:
        return [
            AskedWitness(**row) for row in await self._db.fetch(f"SELECT {_COLUMNS} FROM asked_witness ORDER BY name")
        ]

    # --- what they signed

    async def newest(self) -> str:
        """The newest checkpoint, with the cosignatures that it has."""
        signed = await self._notary.checkpoint()
        return signed + "".join(await self._lines(note.parse_checkpoint(note.parse_note(signed).body).size))

    async def note_of(self, size: int) -> str | None:
        """The log's note of that size with the witnesses' lines by name, where it has any."""
        row = await self._db.fetch_one("SELECT note FROM log_checkpoint WHERE size = {}", size)
        lines = await self._lines(size)
        return None if row is None or not lines else str(row["note"]) + "".join(lines)

    async def cosigned(self, after: int, quorum: int) -> tuple[int, str, datetime] | None:
        """The smallest cosigned tree of more than `after` entries that at least `quorum` witnesses signed, saying when: its size,
        its note with all their lines, and the time by which so many had."""
        row = await self._db.fetch_one(
            "SELECT size FROM cosignature WHERE size > {} AND signed IS NOT NULL "
            "GROUP BY size HAVING count(*) >= {} ORDER BY size LIMIT 1",
            after,
            max(quorum, 1),
        )
        if row is None:
            return None
        size = int(row["size"])
        times = await self._db.fetch(
            "SELECT signed FROM cosignature WHERE size = {} AND signed IS NOT NULL ORDER BY signed", size
        )
        noted = await self.note_of(size)
        assert noted is not None, "a cosignature is of a checkpoint that was stored before it"
        return size, noted, times[max(quorum, 1) - 1]["signed"]

    async def _lines(self, size: int) -> list[str]:
        rows = await self._db.fetch("SELECT line FROM cosignature WHERE size = {} ORDER BY witness", size)
        return [str(row["line"]) for row in rows]

    # --- asking

    async def run(self) -> None:
        """Ask again and again until cancelled."""
        while self._enabled:
            try:
                await self.step()
            except Exception as error:  # database gone, log without a checkpoint: the next round comes all the same
                log.error("the witnesses could not be asked: %s", faults.told(error))
            await asyncio.sleep(self._seconds)

    async def step(self) -> None:
        """Ask each witness once, but for those that have signed the newest checkpoint within the hour, and this process's time.

        A box that was put back to an old copy of itself believes that all have signed: only asking shows that they saw more.
        """
        asked = await self.all()
        if not asked:
            return
        signed = await self._notary.checkpoint()
        size = note.parse_checkpoint(note.parse_note(signed).body).size
        await asyncio.gather(*(self._ask_one(one, signed, size) for one in asked if self._is_due(one, size)))

    def _is_due(self, one: AskedWitness, size: int) -> bool:
        last = self._asked.get(one.id)
        return one.state != SIGNS or one.size != size or last is None or self._clock() - last >= AGAIN

    async def _ask_one(self, asked: AskedWitness, signed: str, size: int) -> None:
        try:
            outcome = await self._converse(asked, signed, size)
        except OutsideError as problem:
            outcome = Unclear(0, f"it {problem}")
        self._asked[asked.id] = self._clock()
        await self._keep(asked.id, outcome, size)

    async def _converse(self, asked: AskedWitness, signed: str, size: int) -> Outcome:
        steps = witness.ask(signed, asked.vkey, asked.size)
        old = next(steps)
        outside = Outside.open(ssl.create_default_context(cadata=asked.ca))
        try:
            while True:
                proof = await self._notary.consistency(old, size)
                answer = await outside.ask(
                    "POST",
                    f"{asked.url}/add-checkpoint",
                    witness.encode_request(Request(old, tuple(proof), signed)),
                    {"content-type": "text/plain; charset=utf-8"},
                    seconds=_ASK_SECONDS,
                    limit=witness.MAX_ANSWER,
                )
                head = await self._notary.head()
                old = steps.send(Reply(answer.status, answer.content, head.size))
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        finally:
            await outside.close()

    async def _keep(self, witness_id: UUID, outcome: Outcome, size: int) -> None:
        """Write down how it stands. The log tells of a refusal once, for as long as it stays that one."""
        now = self._clock()
        lock = " FOR UPDATE" if self._db.dialect == "postgres" else ""
        async with self._db.transaction():
            row = await self._db.fetch_one(f"SELECT {_COLUMNS} FROM asked_witness WHERE id = {{}}{lock}", witness_id)
            if row is None:
                return  # removed meanwhile
            known = AskedWitness(**row)
            if isinstance(outcome, Cosigned):
                await self._db.execute(
                    "INSERT INTO cosignature (id, size, witness, line, signed, received) VALUES ({}, {}, {}, {}, {}, {}) "
                    "ON CONFLICT (id) DO NOTHING",
                    f"{size} {known.name}",
                    size,
                    known.name,
                    outcome.line,
                    _time(outcome.time),
                    now,
                )
                await self._become(known, SIGNS, witness.SUCCESS, size, "", now)
                await self._db.execute(
                    "UPDATE asked_witness SET size = {}, signed = {} WHERE id = {}", size, now, witness_id
                )
            elif isinstance(outcome, Refused):
                changed = (known.state, known.status) != (REFUSES, outcome.status)
                await self._become(known, REFUSES, outcome.status, outcome.size, "", now)
                if changed and (await self._notary.head()).suspended is None:
                    told: dict[str, Json] = {
                        "size": outcome.size,
                        "status": outcome.status,
                        "witness": known.name,
                    }
                    await self._notary.publish("witness.refused", told)
            elif known.state == REFUSES:  # away now, and has not taken back what it said
                await self._become(known, REFUSES, known.status, known.told, outcome.what, now)
            else:
                await self._become(known, SILENT, outcome.status, known.told, outcome.what, now)

    async def _become(self, known: AskedWitness, state: str, status: int, told: int, why: str, now: datetime) -> None:
        changed = known.changed if (known.state, known.status) == (state, status) else now
        await self._db.execute(
            "UPDATE asked_witness SET state = {}, status = {}, told = {}, why = {}, changed = {}, asked = {} WHERE id = {}",
            state,
            status,
            told,
            why,
            changed,
            now,
            known.id,
        )

    # --- telling

    async def alarms(self) -> list[str]:
        asked = await self.all()
        if not asked:
            return []
        try:
            size = (await self._notary.head()).size
        except Unavailable as error:
            return [error.detail]
        sentences = [_refusal(one, size) for one in asked if one.state == REFUSES]
        late = [one for one in asked if not self._is_current(one, size)]
        if len(asked) < self.quorum:
            sentences.append(
                f"The box's policy asks for {self.quorum} witnesses of its log, and only {len(asked)} are set: add others."
            )
        elif len(asked) - len(late) < self.quorum:
            silent = "; ".join(
                f"{one.name}: {one.why or 'it has not been asked yet'}" for one in late if one.state != REFUSES
            )
            signing = len(asked) - len(late)
            sentences.append(
                f"The box's policy asks for {self.quorum} of its {len(asked)} witnesses, and {signing or 'none'} "
                f"{'signs' if signing < 2 else 'sign'} its log now{f' ({silent})' if silent else ''}. Nothing stops, but too few "
                "outsiders see what is new."
            )
        return sentences

    def _is_current(self, one: AskedWitness, size: int) -> bool:
        if one.state == REFUSES:
            return False
        fresh = one.signed if one.signed is not None else one.added  # a new one has its quarter of an hour as well
        return (one.state == SIGNS and one.size == size) or self._clock() - fresh <= LATE


def _refusal(one: AskedWitness, size: int) -> str:
    if one.status == witness.UNTRUSTED:
        why = "it knows this log under another key. Compare the log's key with what the witness has been given"
    elif one.status == witness.INCONSISTENT:
        why = f"the {one.told} entries that it saw are not the beginning of this log. Somebody may have changed its history"
    elif one.told > size:
        why = (
            f"it has seen a longer one, of {one.told} entries. This box may have been restored from an old backup, or somebody "
            "took entries out"
        )
    else:
        why = f"it has seen another one of {one.told} entries. Somebody may have changed its history, or made a second box of it"
    return f"The witness {one.name} refuses this box's log: {why}. An administrator must look into it."


def _checked_url(url: str) -> str:
    """Over TLS, but for this machine itself: a cosignature needs none, yet a refusal could be forged."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadRequest("This is not an address.") from None
    plain = parts.scheme == "http" and (host == "localhost" or _is_loopback(host))
    if len(url) > _MAX_URL or not host or parts.query or parts.fragment or parts.username or not url.isascii():
        raise BadRequest("This is not the address of a witness: give what stands before /add-checkpoint.")
    if parts.scheme != "https" and not plain:
        raise BadRequest("The address of a witness begins with https://.")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_ca(pem: str) -> None:
    try:
        if len(pem) > _MAX_CA or not x509.load_pem_x509_certificates(pem.encode("ascii")):
            raise BadRequest("This is not a PEM certificate, or too long for one.")
        ssl.create_default_context(cadata=pem)
    except (ValueError, ssl.SSLError):
        raise BadRequest("This is not a PEM certificate.") from None


def _time(told: int | None) -> datetime | None:
    return None if told is None or told > _LAST_TIME else datetime.fromtimestamp(told, UTC)


__all__ = ["MAX_WITNESSES", "NEW", "REFUSES", "SIGNS", "SILENT", "AskedWitness", "Witnesses"]
