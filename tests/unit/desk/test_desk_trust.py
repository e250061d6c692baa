"""What cannot be true stops the desk loudly and for good; what a person clears goes on. Gaps are closed, never hidden."""

import json
import os
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_desktop.engine.journal import facts, files, statements
from deedbox_desktop.engine.status import Shown
from deedbox_desktop.engine.watch.watcher import watchable
from deedbox_sync import dsse, statement
from deedbox_sync.statement import CaptureStatement, GapStatement
from unit.desk.box_simulator import OTHER_CASE
from unit.desk.desk_bench import DeskBench


def drop(bench: DeskBench, name: str, content: bytes = b"text") -> None:
    (bench.folder / name).write_bytes(content)


def assert_stops(bench: DeskBench, kind: str) -> None:
    bench.run_until(lambda progress: progress.stopped is not None)
    stop = bench.status().stop
    assert stop is not None
    assert stop.kind == kind


def resume(bench: DeskBench) -> None:
    with bench.open_journal() as journal:
        journal.write(facts.clear_stop)
        journal.write(facts.ask_retry)


def test_a_log_that_goes_backwards_stops_the_desk_over_restarts_until_a_person_clears_it(bench: DeskBench) -> None:
    drop(bench, "one.txt")
    bench.settle()
    for kept in (bench.box.log_.entries, bench.box.log_.leaves, bench.box.log_.openings):
        del kept[-1:]
    drop(bench, "two.txt")
    assert_stops(bench, "log-backwards")
    calls = bench.box.calls["batch"]
    drop(bench, "three.txt")
    bench.run_until(lambda progress: progress.captured and progress.under_way == 2)
    assert bench.box.calls["batch"] == calls
    assert bench.file("three.txt").spooled
    resume(bench)
    bench.settle()
    assert bench.file("three.txt").state is Shown.RECEIPTED


def test_a_log_whose_history_was_changed_stops_the_desk(bench: DeskBench) -> None:
    drop(bench, "one.txt")
    bench.settle()
    log = bench.box.log_
    log.leaves[0] = b"\0" * 32
    drop(bench, "two.txt")
    assert_stops(bench, "log-fork")


def test_a_log_under_another_key_stops_the_desk(bench: DeskBench) -> None:
    bench.box.log_ = replace(bench.box.log_, key=Ed25519PrivateKey.generate())
    drop(bench, "one.txt")
    assert_stops(bench, "log-key")


def test_a_receipt_that_does_not_hold_stops_the_desk_and_nothing_counts_as_receipted(bench: DeskBench) -> None:
    honest = bench.box.log_.receipt

    def forged(index: int) -> str:
        said = json.loads(honest(index))
        said["openings"]["content"]["value"] = "00" * 32
        return json.dumps(said, separators=(",", ":"), sort_keys=True)

    bench.box.log_.receipt = forged  # type: ignore[method-assign]
    drop(bench, "one.txt")
    assert_stops(bench, "receipt-false")
    assert bench.file("one.txt").state is not Shown.RECEIPTED


def test_a_revoked_desk_stops_sending_and_captures_on(bench: DeskBench) -> None:
    bench.box.refuse("hello", "device-revoked", 10**6)
    drop(bench, "one.txt")
    assert_stops(bench, "device-revoked")
    bench.run_until(lambda progress: progress.captured)
    assert bench.file("one.txt").spooled


def test_a_copied_desk_is_noticed(bench: DeskBench) -> None:
    drop(bench, "one.txt")
    bench.settle()
    bench.box.last_digest = b"\1" * 32
    drop(bench, "two.txt")
    assert_stops(bench, "journal-conflict")


def test_a_desk_that_was_restored_from_a_copy_stops_and_may_go_on_after_what_the_box_has(bench: DeskBench) -> None:
    bench.box.next_sequence, bench.box.last_digest = 31, b"\2" * 32
    drop(bench, "one.txt")
    assert_stops(bench, "journal-behind")
    resume(bench)
    bench.run_until(lambda progress: progress.stopped is not None or progress.settled)
    drop(bench, "two.txt")
    bench.settle()
    assert (bench.exhibits_of("one.txt"), bench.exhibits_of("two.txt")) == ([b"text"], [b"text"])
    assert bench.box.next_sequence == 33


def test_a_lost_statement_is_closed_by_a_gap_statement_and_what_follows_is_signed_anew(bench: DeskBench) -> None:
    bench.box.reachable = False
    for name in ("one.txt", "two.txt", "three.txt"):
        drop(bench, name, name.encode())
        bench.run_until(lambda progress: progress.captured)
    with bench.open_journal() as journal:
        journal.write(lambda db: db.execute("DELETE FROM envelope WHERE sequence = 2"))
    bench.box.reachable = True
    bench.settle()
    gaps = [known for known in bench.box.known.values() if isinstance(known.said, GapStatement)]
    assert [(gap.said.first, gap.said.last) for gap in gaps if isinstance(gap.said, GapStatement)] == [(2, 3)]
    assert bench.exhibits_of("one.txt") == [b"one.txt"]
    assert bench.exhibits_of("three.txt") == [b"three.txt"]
    assert bench.exhibits_of("two.txt") == []
    assert bench.file("two.txt").state is Shown.HELD
    assert "lost from the journal" in bench.file("two.txt").words


def test_what_the_box_refuses_is_held_and_the_rest_goes_on(bench: DeskBench) -> None:
    other = bench.folder.parent / "other"
    other.mkdir()
    with bench.open_journal() as journal:
        journal.write(lambda db: files.add_folder(db, watchable(other), OTHER_CASE, (), 0))
    bench.box.reachable = False
    for number in range(6):
        ((other if number % 2 else bench.folder) / f"{number}.txt").write_bytes(b"%d" % number)
        bench.run_until(lambda progress: progress.captured)
    bench.box.reachable = True
    bench.settle()
    assert {bench.file(f"{number}.txt").state for number in (0, 2, 4)} == {Shown.RECEIPTED}
    held = [bench.file(f"{number}.txt") for number in (1, 3, 5)]
    assert {one.state for one in held} == {Shown.HELD}
    assert all("unknown-case" in one.words and one.spooled for one in held)
    for path in other.iterdir():
        path.unlink()
    bench.box.cases[OTHER_CASE] = "2026-2"
    resume(bench)
    bench.run_until(lambda progress: progress.settled and progress.held == 0)
    for number in range(6):
        assert bench.exhibits_of(f"{number}.txt") == [b"%d" % number]
    assert bench.box.next_sequence == max(known.sequence for known in bench.box.known.values()) + 1


def test_with_the_box_in_reach_nothing_is_captured_for_a_case_that_it_does_not_know(bench: DeskBench) -> None:
    other = bench.folder.parent / "other"
    other.mkdir()
    with bench.open_journal() as journal:
        journal.write(lambda db: files.add_folder(db, watchable(other), OTHER_CASE, (), 0))
    (other / "one.txt").write_bytes(b"1")
    with bench.running():
        bench.wait(lambda progress: progress.reached is True and progress.settled)
    assert bench.file("one.txt").state is Shown.HELD
    assert bench.box.next_sequence == 1


def test_spooled_copies_stay_until_the_boxs_backup_has_them(bench: DeskBench) -> None:
    bench.box.backup_configured = True
    bench.box.reachable = False
    drop(bench, "one.txt")
    bench.run_until(lambda progress: progress.captured)
    bench.box.reachable = True
    bench.settle()
    assert bench.file("one.txt").state is Shown.RECEIPTED
    assert bench.file("one.txt").spooled
    bench.box.backed_up_to = 1  # the log's first entry only
    with bench.running():
        bench.wait(lambda progress: bench.box.calls["hello"] >= 4)
    assert bench.file("one.txt").spooled
    bench.box.backed_up_to = 2
    with bench.running():
        bench.wait(lambda progress: not bench.file("one.txt").spooled)
    assert list(bench.state.spool.iterdir()) == []


def test_every_statement_says_who_what_and_where(bench: DeskBench) -> None:
    folder = bench.folder / "Exhibits" / "Ünïcode"
    folder.mkdir(parents=True)
    (folder / "letter.txt").write_bytes(b"Dear Sirs")
    os.setxattr(folder / "letter.txt", "user.origin", b"a phone")
    bench.settle()
    with bench.open_journal() as journal:
        row = journal.read(lambda db: statements.one(db, 1))
    assert row is not None
    said = statement.parse_payload(dsse.parse(row.envelope).payload)
    assert isinstance(said, CaptureStatement)
    assert (said.file.name, said.file.path, said.labels) == (
        "letter.txt",
        ("Exhibits", "Ünïcode"),
        ("Exhibits", "Ünïcode"),
    )
    assert said.file.attributes == {"user.origin": b"a phone"}
    assert (said.method, said.tool.name, said.operator.authenticated) == (
        "watched-folder",
        "deedbox-desktop",
        "os-session",
    )
    assert said.operator.account == bench.box.account
    assert said.captured.boot is not None
    assert said.captured.box_offset_ms is not None
    assert abs(said.captured.box_offset_ms) < 1000
