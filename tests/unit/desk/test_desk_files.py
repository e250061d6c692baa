"""Real desks: what people and their programs do to files, and what the desk says of each."""

import itertools
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from deedbox_desktop.engine import engine, spool
from deedbox_desktop.engine.journal import files, statements
from deedbox_desktop.engine.model import FileRow, FileState, Original
from deedbox_desktop.engine.status import Shown
from deedbox_desktop.engine.watch.watcher import watchable
from deedbox_disk.errors import OutOfSpace
from deedbox_sync import dsse, statement
from deedbox_sync.statement import CaptureStatement
from unit.desk.box_simulator import CASE
from unit.desk.desk_bench import DeskBench, make_bench

NAMES = [
    "Exhibit A.pdf",
    "שטר.pdf",
    "契約書.pdf",
    "دليل.txt",
    "договор.txt",
    "สัญญา.txt",
    "e\u0301.txt",
    "\u00e9.txt",
    "👩‍⚖️.txt",
    "-rf.txt",
    " spaces .txt",
    "new\nline.txt",
    'quote"\\.txt',
    "%2e%2e.txt",
    "a" * 255,
    "ß" * 127,
]


def test_names_in_every_script_arrive_as_they_are(bench: DeskBench) -> None:
    for name in NAMES:
        (bench.folder / name).write_text(name)
    bench.settle()
    assert bench.status().counts() == {Shown.RECEIPTED: len(NAMES)}
    for name in NAMES:
        assert bench.exhibits_of(name) == [name.encode()]


def test_a_name_that_is_not_unicode_keeps_its_bytes(bench: DeskBench) -> None:
    folder = bench.folder / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / os.fsdecode(b"\xff\xfe.txt")).write_bytes(b"raw")
    bench.settle()
    found = bench.file("caf\ufffd/\ufffd\ufffd.txt")
    assert (found.state, found.path_bytes) == (Shown.RECEIPTED, b"caf\xe9/\xff\xfe.txt")
    said = said_by(bench, 1)
    assert (said.file.name_bytes, said.file.path_bytes) == (b"\xff\xfe.txt", (b"caf\xe9",))


def test_an_empty_file_is_evidence_too(bench: DeskBench) -> None:
    (bench.folder / "empty").touch()
    bench.settle()
    assert bench.exhibits_of("empty") == [b""]


def test_what_is_no_file_is_passed_over_and_said(bench: DeskBench) -> None:
    (bench.folder / "real.txt").write_bytes(b"x")
    (bench.folder / "link.txt").symlink_to("real.txt")
    (bench.folder / "loop").symlink_to(bench.folder)
    os.mkfifo(bench.folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(bench.folder / "socket"))
        bench.settle()
    assert {one.path: one.state for one in bench.status().files} == {
        "real.txt": Shown.RECEIPTED,
        "link.txt": Shown.IGNORED,
        "loop": Shown.IGNORED,
        "pipe": Shown.IGNORED,
        "socket": Shown.IGNORED,
    }
    assert "links are not followed" in bench.file("loop").words
    assert len(bench.box.exhibits) == 1


def test_what_programs_leave_beside_a_file_is_passed_over_and_said(bench: DeskBench) -> None:
    for name in ("~$brief.docx", ".DS_Store", "Thumbs.db", "film.mov.part", "x.TMP", ".~lock.brief.odt#"):
        (bench.folder / name).write_bytes(b"x")
    bench.settle()
    assert bench.status().counts() == {Shown.IGNORED: 6}
    assert bench.box.exhibits == {}


def test_a_folders_own_rules_are_kept(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    with bench.open_journal() as journal:
        journal.write(lambda db: files.add_folder(db, watchable(bench.folder), CASE, ("*.bak", "drafts/*"), 0))
    (bench.folder / "drafts").mkdir()
    for name in ("a.bak", "drafts/b.txt", "c.txt"):
        (bench.folder / name).write_bytes(b"x")
    bench.settle()
    assert bench.status().counts() == {Shown.IGNORED: 2, Shown.RECEIPTED: 1}


def test_a_file_that_somebody_has_open_for_writing_waits(bench: DeskBench) -> None:
    with bench.running():
        with (bench.folder / "slow.log").open("wb") as writer:
            writer.write(b"first half, ")
            writer.flush()
            bench.wait(lambda progress: progress.reached is True)
            time.sleep(0.5)
            assert bench.file("slow.log").state is Shown.WAITING
            writer.write(b"second half")
        bench.settle()
    assert bench.exhibits_of("slow.log") == [b"first half, second half"]


def test_saved_forty_times_within_the_quiet_period_is_one_capture(tmp_path: Path) -> None:
    quiet_ms = 600
    bench = make_bench(tmp_path, quiet_ms=quiet_ms)
    saved = []
    with bench.running():
        for number in range(40):
            replacement = bench.folder / "brief.tmp"
            saved.append(time.monotonic())
            replacement.write_bytes(b"version %d" % number)
            replacement.rename(bench.folder / "brief.docx")
            time.sleep(0.02)
        bench.settle()
    captured = bench.exhibits_of("brief.docx")
    assert captured[-1] == b"version 39"
    # A machine that stalls between two saves leaves the file alone for the quiet period: then a capture is right.
    stalls = sum(later - earlier >= quiet_ms / 1000 for earlier, later in itertools.pairwise(saved))
    assert len(captured) <= 1 + stalls


def test_saved_again_is_a_new_exhibit_that_supersedes_the_first(bench: DeskBench) -> None:
    (bench.folder / "brief.docx").write_bytes(b"one")
    bench.settle()
    (bench.folder / "brief.docx").write_bytes(b"two")
    bench.settle()
    assert bench.exhibits_of("brief.docx") == [b"one", b"two"]
    assert said_by(bench, 2).supersedes == statement_digest(bench, 1)
    rows = [one for one in bench.status().files if one.path == "brief.docx"]
    assert [(one.superseded, one.original) for one in rows] == [(True, Original.REPLACED), (False, Original.HERE)]


def test_touched_but_not_changed_is_nothing_new(bench: DeskBench) -> None:
    for name, size in (("small.txt", 100), ("large.bin", 300_000)):
        (bench.folder / name).write_bytes(b"x" * size)
    bench.settle()
    for path in bench.folder.iterdir():
        path.touch()
    bench.settle()
    assert len(bench.box.exhibits) == 2
    assert bench.status().counts() == {Shown.RECEIPTED: 2}
    assert bench.box.bytes_put == 300_000


@pytest.mark.parametrize("size", [100, 300_000])
def test_a_renamed_file_is_nothing_new(bench: DeskBench, size: int) -> None:
    (bench.folder / "old.txt").write_bytes(b"x" * size)
    bench.settle()
    (bench.folder / "sub").mkdir()
    (bench.folder / "old.txt").rename(bench.folder / "sub" / "new.txt")
    bench.settle()
    assert len(bench.box.exhibits) == 1
    found = bench.file("sub/new.txt")
    assert (found.state, found.original) == (Shown.RECEIPTED, Original.RENAMED)
    assert "captured as old.txt" in found.words
    assert len(bench.status().files) == 1


def test_a_date_from_a_broken_clock_is_no_obstacle(bench: DeskBench) -> None:
    for name, seconds in (("far.txt", 2**33 + 2**31), ("before.txt", -(2**31))):
        (bench.folder / name).write_bytes(b"x")
        os.utime(bench.folder / name, (seconds, seconds))
    bench.settle()
    assert bench.status().counts() == {Shown.RECEIPTED: 2}
    assert len(bench.box.exhibits) == 2


def test_a_full_disk_keeps_files_waiting_and_goes_on_when_there_is_room(
    bench: DeskBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutOfSpace("full")

    bench.box.reachable = False
    (bench.folder / "small.txt").write_bytes(b"x")
    (bench.folder / "large.bin").write_bytes(b"x" * 300_000)
    with monkeypatch.context() as patch:
        patch.setattr(spool, "require_free", full)
        with bench.running():
            bench.wait(lambda progress: progress.reached is False)
            until = time.monotonic() + 10
            while [one for one in bench.status().files if "disk is full" in one.words] != list(bench.status().files):
                assert time.monotonic() < until
                time.sleep(0.02)
    bench.box.reachable = True
    bench.settle()
    assert bench.status().counts() == {Shown.RECEIPTED: 2}
    assert len(bench.box.exhibits) == 2


def test_identical_files_are_two_exhibits(bench: DeskBench) -> None:
    for name in ("one.txt", "two.txt"):
        (bench.folder / name).write_bytes(b"the same")
    bench.settle()
    assert len(bench.box.exhibits) == 2


def test_a_file_that_is_taken_away_keeps_its_receipt(bench: DeskBench) -> None:
    (bench.folder / "letter.txt").write_bytes(b"x")
    bench.settle()
    (bench.folder / "letter.txt").unlink()
    bench.settle()
    found = bench.file("letter.txt")
    assert (found.state, found.original) == (Shown.RECEIPTED, Original.VANISHED)
    (bench.folder / "letter.txt").write_bytes(b"x")
    bench.settle()
    assert bench.file("letter.txt").original is Original.HERE
    assert len(bench.box.exhibits) == 1


def test_bytes_that_changed_before_they_reached_the_box_are_said_to_be_lost_and_the_new_ones_captured(
    bench: DeskBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.box.refuse("batch", "unavailable", 10**6)
    (bench.folder / "letter.txt").write_bytes(b"first")
    with monkeypatch.context() as patch, bench.running():
        bench.wait(lambda progress: progress.captured and progress.under_way == 1)
        patch.setattr(engine, "spill", lambda desk: None)  # as a kill would: what is only in memory is lost
    (bench.folder / "letter.txt").write_bytes(b"second")
    bench.box._refused.clear()
    bench.settle()
    rows = [one for one in bench.status().files if one.path == "letter.txt"]
    assert [one.state for one in rows] == [Shown.HELD, Shown.RECEIPTED]
    assert "changed before its bytes reached the box" in rows[0].words
    assert bench.exhibits_of("letter.txt") == [b"second"]


def test_a_folder_that_is_gone_is_said_and_what_was_in_it_is_not_taken_for_deleted(bench: DeskBench) -> None:
    (bench.folder / "letter.txt").write_bytes(b"x")
    bench.settle()
    away = bench.folder.rename(bench.folder.with_name("unmounted"))
    bench.settle()
    [folder] = bench.status().folders
    assert folder.problem is not None
    assert bench.file("letter.txt").original is Original.HERE
    away.rename(bench.folder)
    (bench.folder / "second.txt").write_bytes(b"y")
    bench.settle()
    assert bench.status().folders[0].problem is None
    assert len(bench.box.exhibits) == 2


def test_files_that_come_while_it_runs_are_found_by_events(bench: DeskBench) -> None:
    with bench.running() as engine:
        bench.wait(lambda progress: progress.reached is True and progress.captured)
        deep = bench.folder / "a" / "b" / "c"
        deep.mkdir(parents=True)
        (deep / "letter.txt").write_bytes(b"x")
        bench.wait(lambda progress: progress.receipted == 1)
        engine.nudge()


def test_many_writers_at_once_lose_nothing(bench: DeskBench) -> None:
    def write(part: int) -> None:
        folder = bench.folder / f"{part}"
        folder.mkdir()
        for number in range(100):
            (folder / f"{number}.txt").write_bytes(b"%d %d" % (part, number))

    with bench.running():
        writers = [threading.Thread(target=write, args=(part,)) for part in range(5)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        bench.wait(lambda progress: progress.receipted == 500)
    assert sorted(bench.box.exhibits.values()) == sorted(b"%d %d" % (a, b) for a in range(5) for b in range(100))


def test_a_rename_seen_just_before_a_restart_is_still_nothing_new(bench: DeskBench) -> None:
    (bench.folder / "old.txt").write_bytes(b"x")
    bench.settle()
    (bench.folder / "old.txt").rename(bench.folder / "new.txt")
    facts = (bench.folder / "new.txt").stat()
    waiting = FileRow(
        id=2,
        folder=1,
        path=b"new.txt",
        size=facts.st_size,
        modified_ns=facts.st_mtime_ns,
        inode=facts.st_ino,
        state=FileState.WAITING,
        was=b"old.txt",
        supersedes=1,
    )
    with bench.open_journal() as journal:
        journal.write(lambda db: files.put_files(db, [waiting]))
    bench.settle()
    assert len(bench.box.exhibits) == 1
    assert bench.file("new.txt").original is Original.RENAMED


def said_by(bench: DeskBench, sequence: int) -> CaptureStatement:
    with bench.open_journal() as journal:
        row = journal.read(lambda db: statements.one(db, sequence))
    assert row is not None
    said = statement.parse_payload(dsse.parse(row.envelope).payload)
    assert isinstance(said, CaptureStatement)
    return said


def statement_digest(bench: DeskBench, sequence: int) -> bytes:
    with bench.open_journal() as journal:
        row = journal.read(lambda db: statements.one(db, sequence))
    assert row is not None
    return row.digest
