"""Uploads of the streaming lane that are under way, so that a restart finds its place again. Run inside the journal's thread."""

from dataclasses import dataclass

import apsw

from deedbox_desktop.engine.model import FileRow


@dataclass(frozen=True)
class UploadUnderWay:
    """A file's upload id, good for as long as the file has not changed."""

    file: int
    upload: str


def find_upload(db: apsw.Connection, row: FileRow) -> UploadUnderWay | None:
    """The upload of this file in just this form."""
    found = db.execute(
        "SELECT upload FROM upload WHERE file = ? AND size = ? AND modified_ns = ? AND inode = ?",
        (row.id, row.size, row.modified_ns, row.inode),
    ).fetchone()
    return None if found is None else UploadUnderWay(row.id, str(found[0]))


def put_upload(db: apsw.Connection, row: FileRow, upload: str) -> None:
    values = (row.id, upload, row.size, row.modified_ns, row.inode)
    db.execute("INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?)", values)


def drop_upload(db: apsw.Connection, file: int) -> None:
    db.execute("DELETE FROM upload WHERE file = ?", (file,))


def under_way(db: apsw.Connection) -> set[int]:
    """The files whose bytes are on their way."""
    return {int(str(file)) for (file,) in db.execute("SELECT file FROM upload")}
