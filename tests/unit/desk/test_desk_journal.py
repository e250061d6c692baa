"""The desk's own chain: numbers without holes, each naming the one before, durable with the file it is about."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import apsw
import pytest

from deedbox_desktop.engine.journal import facts, files, receipts, statements
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.journal.receipts import VerifiedReceipt
from deedbox_desktop.engine.journal.statements import Change
from deedbox_desktop.engine.model import (
    FileRow,
    FileState,
    Lane,
    NewStatement,
    Original,
    SpoolRef,
    StatementState,
    Stop,
)
from deedbox_disk.errors import DiskError, SealBroken
from deedbox_sync.statement import NO_DIGEST

KEY = b"k" * 32
CASE = uuid4()
NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db", KEY)
    journal.write(lambda db: files.add_folder(db, b"/evidence", CASE, ["*.bak"], 500))
    yield journal
    journal.close()


def row(number: int, path: bytes = b"a") -> FileRow:
    return FileRow(number, 1, path, 5, 1, 1, FileState.WAITING)


def making(
    file: FileRow | None = None, spool: SpoolRef | None = None, seen: list[tuple[int, bytes]] | None = None
) -> statements.Maker:
    def make(sequence: int, previous: bytes) -> NewStatement:
        if seen is not None:
            seen.append((sequence, previous))
        digest = sha256(b"%d" % sequence + previous).digest()
        return NewStatement(digest, b"envelope", file, bytes(32), 5, CASE, Lane.INLINE, NOW, spool=spool)

    return make


def append(journal: Journal, *makers: statements.Maker) -> list[int]:
    return [sequence for sequence, _ in journal.write(lambda db: statements.append(db, makers))]


def test_statements_are_numbered_from_one_and_name_the_one_before(journal: Journal) -> None:
    seen: list[tuple[int, bytes]] = []
    assert append(journal, making(seen=seen), making(seen=seen)) == [1, 2]
    assert append(journal, making(seen=seen)) == [3]
    assert [sequence for sequence, _ in seen] == [1, 2, 3]
    rows = journal.read(lambda db: statements.with_state(db, StatementState.SIGNED, 10))
    assert [previous for _, previous in seen] == [NO_DIGEST, rows[0].digest, rows[1].digest]


def test_a_failure_in_the_middle_gives_no_number_away(journal: Journal) -> None:
    def fail(sequence: int, previous: bytes) -> NewStatement:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        append(journal, making(), fail)
    assert append(journal, making()) == [1]


def test_statement_and_file_change_in_one_transaction(journal: Journal) -> None:
    journal.write(lambda db: files.put_files(db, [row(1)]))
    kept = row(1)
    kept.size = 9
    append(journal, making(kept))
    [found] = journal.read(lambda db: files.current_files(db, 1))
    assert (found.state, found.sequence, found.size) == (FileState.CAPTURED, 1, 9)


def test_it_is_the_same_after_closing_and_opening(journal: Journal, tmp_path: Path) -> None:
    append(journal, making())
    journal.close()
    again = Journal(tmp_path / "journal.db", KEY)
    assert again.read(statements.head).sequence == 1
    [folder] = again.read(files.folders)
    assert (folder.path, folder.case, folder.ignore, folder.quiet_ms) == (b"/evidence", CASE, ("*.bak",), 500)
    again.close()


def test_another_key_does_not_open_it(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    with pytest.raises(SealBroken):
        Journal(tmp_path / "journal.db", b"x" * 32)


def test_a_newer_programs_journal_is_left_alone(journal: Journal, tmp_path: Path) -> None:
    journal.write(lambda db: db.pragma("user_version", 99))
    journal.close()
    with pytest.raises(DiskError, match="newer"):
        Journal(tmp_path / "journal.db", KEY)


def test_nothing_of_it_is_readable_on_the_disk(journal: Journal, tmp_path: Path) -> None:
    journal.write(lambda db: files.put_files(db, [row(1, b"secret-name.pdf")]))
    append(journal, making())
    for path in tmp_path.iterdir():
        assert b"secret-name" not in path.read_bytes()
        assert b"envelope" not in path.read_bytes()


def test_a_path_passes_from_the_old_row_to_the_new_one_in_one_write(journal: Journal) -> None:
    journal.write(lambda db: files.put_files(db, [row(1)]))
    old, new = row(1), row(2)
    old.current, old.original = False, Original.REPLACED
    journal.write(lambda db: files.put_files(db, [new, old]))
    assert [one.id for one in journal.read(lambda db: files.current_files(db, 1))] == [2]


def test_a_receipt_that_was_verified_is_never_taken_back_by_a_late_answer(journal: Journal) -> None:
    append(journal, making())
    journal.write(lambda db: receipts.add_receipts(db, [VerifiedReceipt(1, 7, b"receipt")], NOW))
    journal.write(lambda db: statements.change(db, [Change(1, StatementState.COMMITTED)]))
    found = journal.read(lambda db: statements.one(db, 1))
    assert found is not None
    assert found.state is StatementState.RECEIPTED


def test_a_pack_is_freed_with_its_last_item_and_only_below_the_backup(journal: Journal) -> None:
    append(journal, *(making(spool=SpoolRef("ab", at, 10)) for at in range(3)))

    def free(limit: int | None) -> list[str]:
        return journal.write(lambda db: receipts.free_spool(db, limit))

    def receipt(number: int, index: int) -> None:
        journal.write(lambda db: receipts.add_receipts(db, [VerifiedReceipt(number, index, b"r")], NOW))

    receipt(1, 10)
    receipt(2, 11)
    assert free(None) == []
    receipt(3, 12)
    assert free(12) == []
    assert journal.read(receipts.spool_files) == {"ab"}
    assert free(13) == ["ab"]
    assert journal.read(receipts.spool_files) == set()


def test_the_first_reason_to_stop_stays(journal: Journal) -> None:
    journal.write(lambda db: facts.put_stop(db, Stop("log-fork", "first", NOW)))
    journal.write(lambda db: facts.put_stop(db, Stop("device-revoked", "second", NOW)))
    stop = journal.read(facts.stopped)
    assert stop is not None
    assert stop.words == "first"


def test_open_statements_are_found_by_index_and_not_by_reading_everything(journal: Journal) -> None:
    def plan(db: apsw.Connection) -> str:
        found = db.execute(
            f"EXPLAIN QUERY PLAN SELECT state, COUNT(*) FROM statement WHERE {statements._OPEN} GROUP BY state"
        )
        return str([str(step[3]) for step in found])

    assert "statement_open" in journal.read(plan)
