"""Every capture gets an identifier under the desk's own key, with a box or without, and the box's own when it is met."""

import hashlib
from pathlib import Path

import pytest

from deedbox_desktop.engine.engine import Progress
from deedbox_desktop.engine.journal import facts, files, identifiers, schema
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.watch.watcher import watchable
from deedbox_desktop.terminal import status_json, status_lines
from deedbox_disk import sealed_sqlite
from deedbox_disk.errors import OutOfSpace
from deedbox_sync.beacon import QUICKNET, Beacon
from unit.desk.box_simulator import OTHER_CASE
from unit.desk.desk_bench import KEYS, DeskBench

BEACON = Beacon(QUICKNET.hash, 1000, bytes(range(48)))


def known(bench: DeskBench) -> None:
    """Run until the box knows every identifier."""

    def all_known(progress: Progress) -> bool:
        standing = bench.status().identifiers
        return progress.captured and bool(standing.minted) and not standing.waiting and not standing.due

    bench.run_until(all_known)


@pytest.mark.parametrize("size", [10, 10_000], ids=["small", "large"])
def test_each_capture_gets_an_identifier_and_the_boxs_own_beside_it(bench: DeskBench, size: int) -> None:
    bench.box.beacon = BEACON
    (bench.folder / "letter.txt").write_bytes(bytes(size))
    known(bench)
    [record] = bench.box.identifiers.values()
    assert record.content == hashlib.sha256(bytes(size)).digest()
    assert record.beacon == BEACON
    file = bench.file("letter.txt")
    assert (file.identifier, file.canonical) == (record.id, bench.box.canonical(record.id))


def test_without_a_box_identifiers_are_minted_all_the_same(bench: DeskBench) -> None:
    bench.box.reachable = False
    for number in range(5):
        (bench.folder / f"{number}.txt").write_bytes(b"the same bytes")
    bench.run_until(lambda progress: progress.captured and not progress.nameless)
    status = bench.status()
    assert len({file.identifier for file in status.files}) == 5
    assert status_json(status)["identifiers"] == {"due": 0, "minted": 5, "refused": 0, "waiting": 5}
    assert "Named     5 identifiers minted here, 5 not yet known to the box" in status_lines(status)
    bench.box.reachable = True
    known(bench)
    assert [record.beacon for record in bench.box.identifiers.values()] == [None] * 5
    assert {file.identifier: file.canonical for file in bench.status().files} == {
        record.id: bench.box.canonical(record.id) for record in bench.box.identifiers.values()
    }


def test_an_answer_that_is_lost_is_asked_for_again(bench: DeskBench) -> None:
    bench.box.lose_reply("reconcile")
    (bench.folder / "letter.txt").write_bytes(b"x")
    known(bench)
    assert bench.box.calls["reconcile"] == 2
    assert len(bench.box.identifiers) == 1


def test_what_the_box_refuses_is_shown_and_asked_again_when_a_person_says_so(bench: DeskBench) -> None:
    bench.box.refuse_identifiers = "this desk is not known"
    (bench.folder / "letter.txt").write_bytes(b"x")
    known(bench)
    status = bench.status()
    assert status.identifiers.refused == 1
    assert status.troubles["identifiers"] == "The box refuses an identifier of this desk: this desk is not known"
    bench.box.refuse_identifiers = None
    with bench.open_journal() as journal:
        journal.write(facts.ask_retry)
    bench.run_until(lambda progress: bench.status().troubles == {} and not bench.status().identifiers.waiting)
    assert bench.file("letter.txt").canonical is not None


def test_a_box_that_knows_no_identifiers_gets_the_evidence_all_the_same(bench: DeskBench) -> None:
    bench.box.knows_identifiers = False
    (bench.folder / "letter.txt").write_bytes(b"x")
    bench.settle()
    assert bench.exhibits_of("letter.txt") == [b"x"]
    status = bench.status()
    assert (status.identifiers.waiting, status.troubles) == (1, {})


def test_switched_off_captures_get_none(bench: DeskBench) -> None:
    with bench.open_journal() as journal:
        journal.write(lambda db: identifiers.switch(db, on=False))
    (bench.folder / "letter.txt").write_bytes(b"x")
    bench.settle()
    assert bench.file("letter.txt").identifier is None
    assert bench.status().identifiers.minted == 0


def test_the_identifier_goes_with_a_statement_that_is_signed_anew(bench: DeskBench) -> None:
    other = bench.folder.parent / "other"
    other.mkdir()
    with bench.open_journal() as journal:
        journal.write(lambda db: files.add_folder(db, watchable(other), OTHER_CASE, (), 0))
    bench.box.reachable = False
    (other / "refused.txt").write_bytes(b"1")
    bench.run_until(lambda progress: progress.captured)
    (bench.folder / "after.txt").write_bytes(b"2")
    bench.run_until(lambda progress: progress.captured and not progress.nameless)
    minted = {file.path: file.identifier for file in bench.status().files}
    bench.box.reachable = True
    bench.settle()
    assert bench.file("after.txt").sequence == 4  # number 3 is the gap statement that closes 1 and 2
    assert {file.path: file.identifier for file in bench.status().files} == minted


def test_an_identifier_follows_from_its_statement_however_often_it_is_made(bench: DeskBench) -> None:
    """Killed after the statement is durable, and again after the identifier was made but before that was."""
    bench.box.beacon = BEACON
    (bench.folder / "letter.txt").write_bytes(b"x")
    bench.settle()
    first = bench.file("letter.txt").identifier
    with bench.open_journal() as journal:
        journal.write(lambda db: db.execute("UPDATE identifier SET state = 'due', id = NULL, record = NULL"))
    bench.box.beacon = Beacon(QUICKNET.hash, 2000, bytes(48))
    bench.settle()
    assert bench.file("letter.txt").identifier == first
    assert len(bench.box.identifiers) == 1


def test_counters_are_given_once_and_with_their_statements_or_not_at_all(bench: DeskBench) -> None:
    def fails(_db: object) -> None:
        raise OutOfSpace("no room")

    with bench.open_journal() as journal:
        journal.write(lambda db: identifiers.promise(db, [1, 2]))
        with pytest.raises(OutOfSpace):
            journal.write(lambda db: (identifiers.promise(db, [3]), fails(db)))
        journal.write(lambda db: identifiers.promise(db, [3]))
        given = journal.read(lambda db: list(db.execute("SELECT counter, sequence FROM identifier")))
        assert journal.write(lambda db: identifiers.reserve(db, 1)) == 4
    assert given == [(1, 1), (2, 2), (3, 3)]


def test_a_journal_of_before_identifiers_is_brought_up_to_this_version(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    old = sealed_sqlite.connect(path, KEYS.journal)
    old.execute(schema._STEPS[0])
    old.pragma("user_version", 1)
    old.close()
    journal = Journal(path, KEYS.journal)
    assert journal.write(lambda db: identifiers.reserve(db, 10)) == 1
    assert journal.write(lambda db: identifiers.reserve(db, 1)) == 11
    assert journal.read(identifiers.standing).minted == 0
    journal.close()
