"""The database's side of uploads without a desk: what each is to become, whose it is, until when it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import DeedboxError
from deedbox_server.evidence.uploads import CLOSED, OPEN, Uploads

MAX_OPEN: Final = 1_000  # unfinished uploads of one account: more is a program gone wrong

_SELECT: Final = (
    "SELECT u.id, u.case_id, u.owner, u.size, u.state, d.account_name, d.via, d.metadata, d.expires, d.arrived "
    "FROM upload u LEFT JOIN deskless_upload d ON d.upload = u.id"
)


class TooManyUploads(DeedboxError):
    slug, status, title = "too-many-uploads", 429, "Too many uploads are unfinished: end or delete some first"


@dataclass(frozen=True)
class UploadRow:
    """One upload. `size` is None where it came in one go. Of a finished one that has expired only id, case and size stay."""

    id: str
    case: UUID
    account: UUID
    account_name: str
    via: str
    size: int | None
    metadata: str | None
    expires: datetime | None
    arrived: bool
    closed: bool

    @property
    def owner(self) -> str:
        return f"account:{self.account}"

    @property
    def sized(self) -> int:
        assert self.size is not None, "of a resumable upload"
        return self.size

    @property
    def kept_metadata(self) -> str:
        assert self.metadata is not None, "kept as long as the upload is open"
        return self.metadata


class UploadRows:
    def __init__(self, db: Database, uploads: Uploads) -> None:
        self._db = db
        self._uploads = uploads

    async def insert(self, row: UploadRow) -> None:
        """Both rows of a new upload. TooManyUploads."""
        async with self._db.transaction():
            count = await self._db.fetch_one(
                "SELECT count(*) AS found FROM deskless_upload d JOIN upload u ON u.id = d.upload "
                "WHERE d.account = {} AND u.state = {}",
                row.account,
                OPEN,
            )
            if count is not None and count["found"] >= MAX_OPEN:
                raise TooManyUploads
            await self._uploads.rows_insert(row.id, row.case, row.owner, row.size)
            await self._db.insert_many(
                "deskless_upload",
                ("upload", "account", "account_name", "via", "metadata", "expires", "arrived"),
                [(row.id, row.account, row.account_name, row.via, row.metadata, row.expires, False)],
            )

    async def find(self, upload: str, owner: str) -> UploadRow | None:
        row = await self._db.fetch_one(f"{_SELECT} WHERE u.id = {{}} AND u.owner = {{}}", upload, owner)
        return None if row is None else _upload_row(row)

    async def due(self, now: datetime) -> list[UploadRow]:
        """Unfinished ones that have all their bytes, or have expired."""
        rows = await self._db.fetch(
            f"{_SELECT} WHERE u.state = {{}} AND (d.arrived = {{}} OR d.expires < {{}})", OPEN, True, now
        )
        return [_upload_row(row) for row in rows]

    async def exhibit(self, upload: str) -> UUID:
        """What a closed upload became."""
        row = await self._db.fetch_one("SELECT exhibit FROM statement WHERE upload = {}", upload)
        assert row is not None, "an upload is closed with its statement"
        exhibit: UUID = row["exhibit"]
        return exhibit

    async def prolong(self, upload: str, expires: datetime) -> None:
        await self._db.execute("UPDATE deskless_upload SET expires = {} WHERE upload = {}", expires, upload)

    async def has_arrived(self, upload: str) -> None:
        """Every byte is durable: from here on it becomes an exhibit, whether or not anybody asks again."""
        await self._db.execute("UPDATE deskless_upload SET arrived = {} WHERE upload = {}", True, upload)

    async def forget(self, upload: str) -> None:
        await self._db.execute("DELETE FROM deskless_upload WHERE upload = {}", upload)

    async def clear(self, now: datetime) -> None:
        """Drop what is known of uploads that are over, once it has expired."""
        await self._db.execute(
            "DELETE FROM deskless_upload WHERE expires < {} AND upload NOT IN (SELECT id FROM upload WHERE state = {})",
            now,
            OPEN,
        )


def _upload_row(row: Row) -> UploadRow:
    return UploadRow(
        id=row["id"],
        case=row["case_id"],
        account=UUID(row["owner"].removeprefix("account:")),
        account_name=row["account_name"] or "",
        via=row["via"] or "",
        size=row["size"],
        metadata=row["metadata"],
        expires=row["expires"],
        arrived=bool(row["arrived"]),
        closed=row["state"] == CLOSED,
    )
