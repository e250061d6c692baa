"""Putting a case into the file, table by table, in pieces that memory holds."""

from __future__ import annotations

import json
from asyncio import to_thread
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from deedbox_server.casefile.schema import APPLICATION, README, SEARCHED, TABLES, VERSION
from deedbox_server.casefile.scratch import Scratch
from deedbox_server.cases.page import MAX_LIMIT
from deedbox_server.cases.timeline import Timeline, TimelineAsked
from deedbox_server.cases.timeline_words import in_words
from deedbox_server.database import Database, Row
from deedbox_server.documents.derived import TEXT, parse_text
from deedbox_server.evidence.custody import Custody
from deedbox_server.evidence.exhibits import DerivedDocument, Exhibit, Exhibits
from deedbox_server.notary.identifiers import Identifiers
from deedbox_server.people import Principal
from deedbox_server.vault import Vault
from deedbox_server.vault.errors import BlobDamaged
from deedbox_sync import custody as custody_format
from deedbox_sync import timestamp
from deedbox_sync.custody import CustodyRecord
from deedbox_sync.errors import FormatError

_PIECE: Final = 500  # rows of a case read at once
_ACCOUNT: Final = "account:"


class Filling:
    """One file, as it is filled. Whoever calls has shown that it may see all of it."""

    def __init__(
        self,
        scratch: Scratch,
        db: Database,
        vault: Vault,
        custody: Custody,
        exhibits: Exhibits,
        identifiers: Identifiers,
        case: UUID,
    ) -> None:
        self._scratch = scratch
        self._db = db
        self._vault = vault
        self._custody = custody
        self._exhibits = exhibits
        self._identifiers = identifiers
        self._case = case
        self._known: set[str] = set()  # the people who are in the file already
        self._unread: list[int] = []  # the numbers of exhibits whose text is damaged

    async def begin(self) -> None:
        def begin() -> None:
            with self._scratch.filling() as file:
                file.pragma("application_id", APPLICATION)
                file.pragma("user_version", VERSION)
                file.execute(TABLES)
                file.execute("BEGIN")

        await to_thread(begin)

    async def end(self) -> None:
        """The texts become searchable, and the file whole."""
        if self._unread:
            told = f"The text that was read from these exhibits is damaged in the box: {', '.join(map(str, self._unread))}."
            await self._put("readme", [(len(README) + 1, "What could not be read", told)])

        def end() -> None:
            with self._scratch.filling() as file:
                for name in SEARCHED:
                    file.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
                file.execute("COMMIT")
                file.execute("ANALYZE")

        await to_thread(end)

    async def case(self, **said: object) -> None:
        """The case itself with its people, and what the file says of itself."""
        row = await self._db.fetch_one("SELECT * FROM legal_case WHERE id = {}", self._case)
        assert row is not None
        names = ("number", "title", "state", "kind", "client", "court", "docket", "jurisdiction", "labels", "opened")
        values = (str(row["id"]), *(row[name] for name in names), _time(row["closed"]), _time(row["created"]))
        await self._put("cases", [values])
        told = {"number": row["number"], "title": row["title"], **said}
        await self._put("readme", [(at, heading, text.format(**told)) for at, (heading, text) in enumerate(README, 1)])
        members = await self._db.fetch(
            "SELECT account.id, account.name, case_member.role FROM case_member JOIN account ON account.id = case_member.account "
            "WHERE case_member.case_id = {} ORDER BY case_member.id",
            self._case,
        )
        await self._people((f"{_ACCOUNT}{row['id']}", row["name"], row["role"]) for row in members)

    async def parties(self) -> None:
        rows = await self._rows("case_party", "created")
        plain = ("aliases", "contacts", "counsel_for", "firm", "bar_number", "notes")
        await self._put(
            "parties",
            [
                (
                    at,
                    str(row["id"]),
                    row["kind"],
                    row["name"],
                    row["organisation"],
                    *(row[name] for name in plain),
                    _time(row["created"]),
                    _time(row["removed"]),
                )
                for at, row in enumerate(rows, 1)
            ],
        )

    async def events(self) -> None:
        rows = await self._rows("case_event", "starts")
        await self._makers(rows)
        await self._put(
            "events",
            [
                (
                    at,
                    str(row["id"]),
                    row["kind"],
                    row["title"],
                    row["detail"],
                    _time(row["starts"]),
                    _time(row["ends"]),
                    row["zone"],
                    row["certainty"],
                    in_words(row["starts"], row["zone"], row["certainty"]),
                    row["source"],
                    row["shared"],
                    _time(row["created"]),
                    row["made_by"],
                    _time(row["removed"]),
                )
                for at, row in enumerate(rows, 1)
            ],
        )

    async def artifacts(self, exhibits: frozenset[UUID]) -> None:
        """After the exhibits, to which they lead; an exhibit that is in this case no more is led to by none."""
        rows = await self._rows("case_artifact", "created")
        await self._makers(rows)
        await self._put(
            "artifacts",
            [
                (
                    at,
                    str(row["id"]),
                    row["kind"],
                    row["title"],
                    row["body"],
                    str(row["exhibit"]) if row["exhibit"] in exhibits else None,
                    row["content"].hex() if row["content"] is not None else None,
                    row["shared"],
                    _time(row["created"]),
                    row["made_by"],
                    _time(row["removed"]),
                )
                for at, row in enumerate(rows, 1)
            ],
        )

    async def papers(self) -> None:
        rows = await self._rows("paper", "created")
        await self._put(
            "papers",
            [
                (
                    str(row["id"]),
                    row["kind"],
                    row["title"],
                    row["content"].hex(),
                    row["size"],
                    row["pages"],
                    _time(row["created"]),
                    row["made_by"],
                )
                for row in rows
            ],
        )

    async def exhibits(self, exhibits: Sequence[Exhibit]) -> None:
        """Some of the case's exhibits with all that belongs to them."""
        ids = [exhibit.id for exhibit in exhibits]
        custody = await self._custody.records(ids)
        places = await self._places([row["id"] for row in custody])
        received = {row["exhibit"]: places.get(row["id"]) for row in custody if row["number"] == 1}
        named = await self._identifiers.of_exhibits(ids)
        await self._put(
            "exhibits",
            [
                (
                    str(one.id),
                    one.number,
                    _text(one.name),
                    one.media_type,
                    one.size,
                    one.content.hex(),
                    one.statement.hex(),
                    named.get(one.id),
                    _time(one.captured),
                    one.captured_by_desk,
                    _time(one.received),
                    _id(one.device),
                    _id(one.supersedes),
                    received.get(one.id),
                )
                for one in exhibits
            ],
        )
        await self._put("labels", sorted({(str(one.id), _text(label)) for one in exhibits for label in one.labels}))
        await self._dates(ids)
        told = [(row, custody_format.parse(row["record"])) for row in custody]
        await self._people((record.actor.id, record.actor.name, None) for _, record in told)
        await self._put("custody", [_custody(row, record, places.get(row["id"])) for row, record in told])
        derived = await self._exhibits.derived(ids)
        await self._put("derived", [_derived(document) for document in derived])
        newest = {document.exhibit: document for document in sorted(derived, key=_by_event) if document.form == TEXT}
        numbers = {one.id: one.number for one in exhibits}
        for exhibit, document in newest.items():
            try:
                await self._pages(exhibit, document.blob)
            except (BlobDamaged, FormatError):  # the audit names it; it hides no other, and the file says so
                self._unread.append(numbers[exhibit])

    async def timeline(self, timeline: Timeline, principal: Principal, exhibits: frozenset[UUID]) -> None:
        """As the principal sees it; after the exhibits."""
        after, position = None, 0
        while True:
            page = await timeline.page(principal, self._case, TimelineAsked(), after=after, limit=MAX_LIMIT)
            rows = []
            for entry in page.entries:
                position += 1
                words = in_words(entry.time, entry.zone, entry.certainty)
                said = (entry.zone, entry.certainty, words, entry.kind, _text(entry.title), entry.said_by, entry.source)
                led_to = str(entry.exhibit) if entry.exhibit in exhibits else None
                rows.append((position, _time(entry.time), *said, str(entry.object), led_to))
            await self._put("timeline", rows)
            if page.next is None:
                return
            after = page.next

    async def _dates(self, exhibits: Sequence[UUID]) -> None:
        rows = await self._db.fetch_in(
            "SELECT exhibit, kind, time, zone, certainty, source FROM exhibit_date WHERE exhibit IN ", exhibits
        )
        await self._put(
            "exhibit_dates",
            [
                (
                    str(row["exhibit"]),
                    row["kind"],
                    _time(row["time"]),
                    row["zone"],
                    row["certainty"],
                    in_words(row["time"], row["zone"], row["certainty"]),
                    row["source"],
                )
                for row in sorted(rows, key=lambda row: (row["exhibit"], row["time"]))
            ],
        )

    async def _pages(self, exhibit: UUID, blob: UUID) -> None:
        reader = await self._vault.open(blob)
        try:
            data = b"".join([piece async for piece in reader.read(0, reader.size)])
        finally:
            reader.close()

        def put() -> None:
            rows = [
                (None, str(exhibit), page.page, page.text, page.by.value, page.confidence) for page in parse_text(data)
            ]
            self._insert("pages", rows)

        await to_thread(put)

    async def _rows(self, table: str, order: str) -> list[Row]:
        """All rows of the case in a small table, oldest first, in pieces."""
        rows: list[Row] = []
        last: tuple[Any, Any] | None = None
        while True:
            after, values = ("", []) if last is None else (f" AND ({order}, id) > ({{}}, {{}})", list(last))
            piece = await self._db.fetch(
                f"SELECT * FROM {table} WHERE case_id = {{}}{after} ORDER BY {order}, id LIMIT {_PIECE:d}",
                self._case,
                *values,
            )
            rows += piece
            if len(piece) < _PIECE:
                return rows
            last = (piece[-1][order], piece[-1]["id"])

    async def _places(self, records: Sequence[UUID]) -> dict[UUID, int]:
        rows = await self._db.fetch_in("SELECT record, seq FROM log_entry WHERE record IN ", records)
        return {row["record"]: row["seq"] for row in rows}

    async def _makers(self, rows: Sequence[Row]) -> None:
        """Who made these is in the file, by the name of the account; what is no account has its own word for a name."""
        makers = {row["made_by"] for row in rows} - self._known
        accounts = [UUID(maker.removeprefix(_ACCOUNT)) for maker in makers if maker.startswith(_ACCOUNT)]
        named = await self._db.fetch_in("SELECT id, name FROM account WHERE id IN ", accounts)
        names = {f"{_ACCOUNT}{row['id']}": row["name"] for row in named}
        await self._people((maker, names.get(maker, maker), None) for maker in sorted(makers))

    async def _people(self, people: Iterable[tuple[str, str, str | None]]) -> None:
        fresh = {one[0]: one for one in reversed(list(people)) if one[0] not in self._known}
        self._known |= fresh.keys()
        await self._put("people", list(fresh.values()))

    async def _put(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            await to_thread(self._insert, table, rows)

    def _insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            with self._scratch.filling() as file:
                file.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def _custody(row: Row, record: CustodyRecord, place: int | None) -> tuple[object, ...]:
    return (
        str(row["id"]),
        str(record.exhibit),
        record.number,
        record.kind,
        _time(record.time),
        record.actor.id,
        _text(record.actor.name),
        record.actor.via,
        json.dumps(record.detail, ensure_ascii=False, sort_keys=True),
        custody_format.digest(row["record"]).hex(),
        place,
    )


def _derived(document: DerivedDocument) -> tuple[object, ...]:
    return (
        str(document.id),
        str(document.exhibit),
        document.form,
        document.media_type,
        document.content.hex(),
        document.size,
        document.producer,
        _time(document.created),
        document.event,
    )


def _by_event(document: DerivedDocument) -> int:
    return document.event


def _time(time: datetime | None) -> str | None:
    return timestamp.encode(time) if time is not None else None


def _id(value: UUID | None) -> str | None:
    return str(value) if value is not None else None


def _text(text: str) -> str:
    """A file's name may hold what is no Unicode; SQLite takes UTF-8 only."""
    return text.encode("utf-8", "replace").decode()
