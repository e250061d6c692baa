"""Folders and files in the journal. Functions that take the connection run inside the journal's thread."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import apsw

from deedbox_desktop.engine.model import FileRow, FileState, Folder, Original
from deedbox_sync import canonical_json

_COLUMNS = "id, folder, path, size, modified_ns, inode, state, original, reason, was, sequence, supersedes, current"
_UPSERT = f"""
    INSERT INTO file ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET path = excluded.path, size = excluded.size, modified_ns = excluded.modified_ns,
        inode = excluded.inode, state = excluded.state, original = excluded.original, reason = excluded.reason,
        was = excluded.was, sequence = excluded.sequence, supersedes = excluded.supersedes, current = excluded.current
"""
_MOST_IGNORE = 65_536  # bytes of a folder's ignore patterns


def add_folder(db: apsw.Connection, path: bytes, case: UUID, ignore: Sequence[str], quiet_ms: int) -> None:
    """Watch a folder, or change how it is watched. What was captured before keeps the case it was captured for."""
    db.execute(
        "INSERT INTO folder (path, case_id, ignore, quiet_ms) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
        " case_id = excluded.case_id, ignore = excluded.ignore, quiet_ms = excluded.quiet_ms",
        (path, str(case), canonical_json.encode(list(ignore)).decode(), quiet_ms),
    )


def folders(db: apsw.Connection) -> list[Folder]:
    rows = db.execute("SELECT id, path, case_id, ignore, quiet_ms FROM folder ORDER BY id")
    return [Folder(number, path, UUID(case), _patterns(ignore), quiet) for number, path, case, ignore, quiet in rows]


def set_folder_problem(db: apsw.Connection, folder: int, problem: str | None) -> None:
    db.execute("UPDATE folder SET problem = ? WHERE id = ? AND problem IS NOT ?", (problem, folder, problem))


def folder_problems(db: apsw.Connection) -> dict[int, str]:
    return dict(db.execute("SELECT id, problem FROM folder WHERE problem IS NOT NULL"))


def put_files(db: apsw.Connection, rows: Iterable[FileRow], removed: Iterable[int] = ()) -> None:
    """Insert or replace rows. Rows that give up their path go first, so that a path never belongs to two."""
    db.executemany("DELETE FROM file WHERE id = ?", [(number,) for number in removed])
    ordered = sorted(rows, key=lambda row: row.current)
    db.executemany(_UPSERT, [_values(row) for row in ordered])


def current_files(db: apsw.Connection, folder: int) -> list[FileRow]:
    """Every path's newest row."""
    return [
        _row(values) for values in db.execute(f"SELECT {_COLUMNS} FROM file WHERE folder = ? AND current", (folder,))
    ]


def one_file(db: apsw.Connection, number: int) -> FileRow | None:
    found = db.execute(f"SELECT {_COLUMNS} FROM file WHERE id = ?", (number,)).fetchone()
    return None if found is None else _row(found)


def superseded_files(db: apsw.Connection, folder: int) -> dict[int, FileRow]:
    """The rows that current, not yet captured rows of the folder are about to supersede, by id."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM file WHERE id IN (SELECT supersedes FROM file WHERE folder = ? AND current AND state <> ?)",
        (folder, FileState.CAPTURED.value),
    )
    return {row.id: row for row in map(_row, rows)}


def next_file_id(db: apsw.Connection) -> int:
    return int(db.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM file").get)


def _values(row: FileRow) -> tuple[int | str | bytes | None, ...]:
    return (
        row.id,
        row.folder,
        row.path,
        row.size,
        row.modified_ns,
        row.inode,
        row.state.value,
        row.original.value,
        row.reason,
        row.was,
        row.sequence,
        row.supersedes,
        row.current,
    )


_FILE_STATES = {state.value: state for state in FileState}
_ORIGINALS = {original.value: original for original in Original}


def _row(values: tuple[Any, ...]) -> FileRow:
    row = FileRow(*values)  # the columns are in the dataclass's order; the next lines type the words
    row.state = _FILE_STATES[str(values[6])]
    row.original = _ORIGINALS[str(values[7])]
    row.current = bool(values[12])
    return row


def _patterns(text: str) -> tuple[str, ...]:
    value = canonical_json.parse(text.encode(), limit=_MOST_IGNORE, where="ignore patterns")
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
