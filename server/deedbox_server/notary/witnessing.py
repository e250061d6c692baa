"""This box as a witness of other logs (formats/witness.md): it signs that a log only grew, and keeps what speaks against one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.people.clock import Clock, system_clock
from deedbox_sync import merkle, note, uuid7, witness
from deedbox_sync.errors import FormatError
from deedbox_sync.witness import FORK, Answer, Request, WatchedLog, Witness

MAX_LOGS = 256  # that one box watches; each is a signature or two a minute
_LATEST_MISBEHAVIOUR = 100

_COLUMNS = "id, origin, vkey, watching, size, root, note, cosigned, added"


@dataclass(frozen=True)
class LogUnderWatch:
    """A log and the newest of its checkpoints that this box cosigned; `note` is empty before the first."""

    id: UUID
    origin: str
    vkey: str
    watching: bool
    size: int
    root: bytes
    note: str
    cosigned: datetime | None
    added: datetime


@dataclass(frozen=True)
class Misbehaviour:
    """`fork`: the log's key signed two trees of one size; both notes prove it to anybody. `unproven`: it signed a tree that was
    not shown to continue; that proves nothing, since a stranger may have spoiled the proof.
    """

    origin: str
    kind: str
    size: int
    note: str
    held_size: int
    held: str
    seen: datetime


class Witnessing:
    """One identity, some logs. What it cosigned is durable before it says so, and one question of a log comes after the other."""

    def __init__(self, db: Database, identity: Witness, own_origin: str, clock: Clock = system_clock) -> None:
        self._db = db
        self._identity = identity
        self._own = own_origin
        self._clock = clock

    @property
    def vkey(self) -> str:
        return self._identity.vkey

    async def add_checkpoint(self, data: bytes) -> Answer:
        """The answer to a question that anybody may ask. It may leave as soon as this returns."""
        try:
            request = witness.parse_request(data)
        except FormatError as error:
            return Answer(witness.MALFORMED, f"{error}\n")
        # Whoever is not the log cannot make this box lock or write anything: looked at first, and again when it counts.
        glance = self._consider(await self._row(request, lock=False), request)
        if glance.state is None and glance.against is None:
            return glance
        async with self._db.transaction():
            row = await self._row(request, lock=True)
            answer = self._consider(row, request)
            if row is not None and answer.state is not None:
                await self._remember(row, answer.state, request)
            elif row is not None and answer.against is not None:
                await self._record(row, answer.against, request)
        return answer

    # --- which logs

    async def watch(self, vkey: str) -> LogUnderWatch:
        """Watch the log of this key from now on; one that was watched before goes on where it was."""
        try:
            log = note.parse_vkey(vkey)
        except FormatError as error:
            raise BadRequest(f"This is not a log's key: {error}.") from None
        if not log.is_log:
            raise BadRequest("This is the key of a witness. A log's key is what its `/log/key` gives.")
        if log.name == self._own:
            raise BadRequest("This is this box's own log: it cannot be its own witness.")
        async with self._db.transaction():
            held = await self._by("origin", log.name)
            if held is not None and held.vkey != vkey:
                raise Conflict(
                    "This log is known under another key: a log keeps its key for as long as it has its name."
                )
            count = await self._db.fetch_one("SELECT count(*) AS logs FROM watched_log WHERE watching")
            if count is not None and count["logs"] >= MAX_LOGS and (held is None or not held.watching):
                raise Conflict(f"This box watches {MAX_LOGS} logs already.")
            if held is not None:
                await self._db.execute("UPDATE watched_log SET watching = {} WHERE id = {}", True, held.id)
            else:
                now = self._clock()
                row = (uuid7.new(), log.name, vkey, True, 0, merkle.EMPTY_ROOT, "", None, now)
                await self._db.insert_many("watched_log", _COLUMNS.split(", "), [row])
            watched = await self._by("origin", log.name)
        assert watched is not None
        return watched

    async def unwatch(self, log: UUID) -> None:
        """Sign it no more; what was cosigned of it stays known."""
        async with self._db.transaction():
            held = await self._by("id", log)
            if held is None or not held.watching:
                raise NotFound("This box does not watch such a log.")
            await self._db.execute("UPDATE watched_log SET watching = {} WHERE id = {}", False, log)

    async def logs(self) -> list[LogUnderWatch]:
        rows = await self._db.fetch(f"SELECT {_COLUMNS} FROM watched_log WHERE watching ORDER BY origin")
        return [LogUnderWatch(**row) for row in rows]

    async def misbehaviour(self) -> list[Misbehaviour]:
        """What was found, newest first."""
        rows = await self._db.fetch(
            "SELECT origin, kind, size, note, held_size, held, seen FROM log_misbehaviour ORDER BY seen DESC LIMIT {}",
            _LATEST_MISBEHAVIOUR,
        )
        return [Misbehaviour(**row) for row in rows]

    async def alarms(self) -> list[str]:
        rows = await self._db.fetch(
            "SELECT watched_log.origin, kind, max(log_misbehaviour.size) AS size FROM log_misbehaviour "
            "JOIN watched_log ON watched_log.origin = log_misbehaviour.origin "
            "WHERE watching AND (kind = {} OR cosigned IS NULL OR seen > cosigned) "
            "GROUP BY watched_log.origin, kind ORDER BY watched_log.origin, kind",
            FORK,
        )
        return [_sentence(row) for row in rows]

    # --- inside

    def _consider(self, row: LogUnderWatch | None, request: Request) -> Answer:
        log = None if row is None else WatchedLog(row.vkey, row.size, row.root)
        return witness.consider(log, request, self._identity, int(self._clock().timestamp()))

    async def _row(self, request: Request, *, lock: bool) -> LogUnderWatch | None:
        locking = " FOR UPDATE" if lock and self._db.dialect == "postgres" else ""
        row = await self._db.fetch_one(
            f"SELECT {_COLUMNS} FROM watched_log WHERE origin = {{}} AND watching{locking}", request.checkpoint.origin
        )
        return None if row is None else LogUnderWatch(**row)

    async def _by(self, column: str, value: str | UUID) -> LogUnderWatch | None:
        row = await self._db.fetch_one(f"SELECT {_COLUMNS} FROM watched_log WHERE {column} = {{}}", value)
        return None if row is None else LogUnderWatch(**row)

    async def _remember(self, row: LogUnderWatch, state: WatchedLog, request: Request) -> None:
        now = self._clock()
        same = (state.size, state.root) == (row.size, row.root) and row.note
        if same and row.cosigned is not None and 0 <= (now - row.cosigned).total_seconds() < witness.REFRESH:
            return
        await self._db.execute(
            "UPDATE watched_log SET size = {}, root = {}, note = {}, cosigned = {} WHERE id = {}",
            state.size,
            state.root,
            witness.own_note(request, row.vkey),
            now,
            row.id,
        )

    async def _record(self, row: LogUnderWatch, kind: str, request: Request) -> None:
        told = await self._db.fetch_one(
            "SELECT count(*) AS kept FROM log_misbehaviour WHERE origin = {} AND kind = {}", row.origin, kind
        )
        if told is not None and told["kept"] >= witness.MAX_KEPT:
            return
        signed = witness.own_note(request, row.vkey)
        digest = sha256(f"{kind}\n{signed}\n{row.note}".encode()).digest()
        await self._db.execute(
            "INSERT INTO log_misbehaviour (digest, origin, kind, size, note, held_size, held, seen) "
            "VALUES ({}, {}, {}, {}, {}, {}, {}, {}) ON CONFLICT (digest) DO UPDATE SET seen = excluded.seen",
            digest,
            row.origin,
            kind,
            request.checkpoint.size,
            signed,
            row.size,
            row.note,
            self._clock(),
        )


def _sentence(row: Row) -> str:
    if row["kind"] == FORK:
        return (
            f"The log {row['origin']}, which this box watches, was forked: its key signed two different logs of {row['size']} "
            "entries. Both notes are kept as proof. Do not rely on that log, and tell those who do."
        )
    return (
        f"The log {row['origin']}, which this box watches, was shown with {row['size']} entries that do not continue what this "
        "box had seen. It has not been cosigned since: ask the firm that it belongs to."
    )
