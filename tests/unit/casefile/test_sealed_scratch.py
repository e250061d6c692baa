"""The scratch file: an ordinary database comes out, nothing plain is on the disk, and its end is the end."""

import os
import sqlite3
from pathlib import Path

import apsw
import pytest

from deedbox_server.casefile.scratch import PAGE, Scratch
from deedbox_server.errors import DiskFull, TooLarge

WORD = "PERIWINKLE"
ROWS = 20_000  # far more than the cache holds, so that pages are written, read again and written anew


def fill(scratch: Scratch, rows: int = ROWS) -> None:
    with scratch.filling() as file:
        file.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); BEGIN")
        file.executemany("INSERT INTO note VALUES (?, ?)", ((row, f"{row} {WORD} " * 200) for row in range(rows)))
        file.execute("UPDATE note SET text = text || 'x' WHERE id % 7 = 0; COMMIT")


def test_what_comes_out_is_a_plain_database_and_what_lay_on_the_disk_was_none(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    try:
        fill(scratch)
        size = scratch.finish()
        assert list(tmp_path.iterdir()) == []
        held = os.pread(scratch._pages._file.fileno(), size, 0)
        assert len(held) == size
        assert WORD.encode() not in held
        assert held[:16] != b"SQLite format 3\0"
        copy = tmp_path / "copy.sqlite"
        copy.write_bytes(b"".join(scratch.read(offset, 1 << 20) for offset in range(0, size, 1 << 20)))
    finally:
        scratch.close()
    read = sqlite3.connect(copy)
    assert read.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert read.execute("SELECT count(*), count(*) FILTER (WHERE text LIKE '%x') FROM note").fetchone() == (
        ROWS,
        len(range(0, ROWS, 7)),
    )
    read.close()


def test_the_same_page_reads_otherwise_at_another_place(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch._pages.write(0, bytes(2 * PAGE))
    held = os.pread(scratch._pages._file.fileno(), 2 * PAGE, 0)
    assert held[:PAGE] != held[PAGE:]
    assert scratch.read(10, PAGE) == bytes(PAGE)
    assert scratch.read(2 * PAGE - 5, 100) == bytes(5)
    scratch.close()


def test_what_does_not_fit_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, limit=1 << 20)
    with pytest.raises(TooLarge):
        fill(scratch)
    scratch.close()
    scratch.close()
    assert not [name for name in apsw.vfs_names() if name.startswith("casefile-")]


def test_a_full_disk_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = Scratch(tmp_path)
    monkeypatch.setattr(os, "pwrite", lambda *_: 0)
    with pytest.raises(DiskFull):
        fill(scratch)
    scratch.close()
