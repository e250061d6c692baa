"""Whatever breaks on the way, the same steps again end in exactly one exhibit for each capture."""

import os
import random
import time
from pathlib import Path

import pytest

from deedbox_desktop.engine import status
from deedbox_desktop.engine.state_folder import DISK_FULL
from deedbox_desktop.engine.status import Shown
from unit.desk.desk_bench import DeskBench, make_bench


@pytest.mark.parametrize("call", ["hello", "log", "batch", "receipts"])
def test_a_lost_answer_about_a_small_file_does_no_harm(bench: DeskBench, call: str) -> None:
    bench.box.slow_receipts = True
    bench.box.lose_reply(call)
    (bench.folder / "letter.txt").write_bytes(b"once")
    bench.settle()
    assert bench.exhibits_of("letter.txt") == [b"once"]
    assert bench.file("letter.txt").state is Shown.RECEIPTED


@pytest.mark.parametrize("call", ["create_upload", "put", "statements", "receipts"])
def test_a_lost_answer_about_a_streamed_file_does_no_harm(bench: DeskBench, call: str) -> None:
    bench.box.slow_receipts = True
    content = os.urandom(300_000)
    bench.box.lose_reply(call)
    (bench.folder / "film.mov").write_bytes(content)
    bench.settle()
    assert bench.exhibits_of("film.mov") == [content]
    assert bench.box.bytes_put == len(content)


@pytest.mark.parametrize("call", ["offers", "put", "receipts"])
def test_a_lost_answer_about_a_spooled_file_does_no_harm(bench: DeskBench, call: str) -> None:
    content = os.urandom(300_000)
    capture_without_box(bench, "film.mov", content)
    bench.box.slow_receipts = True
    bench.box.lose_reply(call)
    bench.settle()
    assert bench.exhibits_of("film.mov") == [content]


@pytest.mark.parametrize("cut", [1, 65_535, 65_536, 1_048_575, 1_048_577, 2_999_999])
def test_a_connection_cut_at_any_byte_goes_on_from_the_last_durable_one(bench: DeskBench, cut: int) -> None:
    content = os.urandom(3_000_000)
    bench.box.cut_put(cut)
    (bench.folder / "film.mov").write_bytes(content)
    bench.settle()
    assert bench.exhibits_of("film.mov") == [content]
    assert bench.box.bytes_put - len(content) <= 1 << 16


@pytest.mark.parametrize("cut", [1, 700_000, 1_048_577])
def test_a_spooled_file_goes_on_after_a_cut_too(bench: DeskBench, cut: int) -> None:
    content = os.urandom(3_000_000)
    capture_without_box(bench, "film.mov", content)
    bench.box.cut_put(cut)
    bench.settle()
    assert bench.exhibits_of("film.mov") == [content]


def test_a_restart_in_the_middle_of_a_large_file_does_not_send_it_from_the_beginning(bench: DeskBench) -> None:
    content = os.urandom(3_000_000)
    bench.box.cut_put(2_000_000)
    bench.box.refuse("create_upload", "unavailable", 0)
    (bench.folder / "film.mov").write_bytes(content)
    with bench.running():
        while bench.box.bytes_put < 2_000_000:
            time.sleep(0.001)
        bench.box.reachable = False
        bench.engine.desk.link.end()  # type: ignore[union-attr] # as a kill would: nothing more is done
    bench.box.reachable = True
    bench.settle()
    assert bench.exhibits_of("film.mov") == [content]
    assert bench.box.bytes_put < 2 * len(content) - 1_000_000


def test_when_the_box_goes_away_under_a_large_file_it_is_captured_into_the_spool(bench: DeskBench) -> None:
    content = os.urandom(3_000_000)
    bench.box.cut_put(1_000_000)
    with bench.running() as engine:
        bench.wait(lambda progress: progress.reached is True)
        bench.box.refuse("hello", "unavailable", 10**6)
        (bench.folder / "film.mov").write_bytes(content)
        engine.nudge()
        bench.wait(lambda progress: progress.under_way == 1 and progress.captured)
    assert bench.file("film.mov").spooled
    bench.box._refused.clear()
    bench.settle()
    assert bench.exhibits_of("film.mov") == [content]


def test_small_files_in_memory_go_to_the_spool_when_the_box_goes_away(bench: DeskBench) -> None:
    bench.box.refuse("batch", "disk-full", 10**6)
    (bench.folder / "letter.txt").write_bytes(b"kept")
    with bench.running():
        bench.wait(lambda progress: progress.under_way == 1 and progress.captured)
        bench.box.reachable = False
        until = time.monotonic() + 10
        while not bench.file("letter.txt").spooled:
            assert time.monotonic() < until
            time.sleep(0.02)
    (bench.folder / "letter.txt").unlink()
    bench.box.reachable = True
    bench.box._refused.clear()
    bench.settle()
    assert bench.exhibits_of("letter.txt") == [b"kept"]


def test_a_full_disk_at_the_box_is_waited_for_and_said(bench: DeskBench) -> None:
    bench.box.refuse("batch", "disk-full", 3)
    (bench.folder / "letter.txt").write_bytes(b"patience")
    bench.settle()
    assert bench.exhibits_of("letter.txt") == [b"patience"]
    assert bench.box.calls["batch"] == 4


def test_a_disk_too_full_to_write_that_it_is_full_is_said_all_the_same(
    bench: DeskBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.settle()
    assert not bench.status().troubles
    monkeypatch.setattr(status, "free_bytes", lambda folder: 4096 if folder == bench.state.root else 1 << 40)
    assert bench.status().troubles == {"disk": DISK_FULL}


def test_a_full_disk_at_the_box_does_not_keep_a_large_file_from_being_captured(bench: DeskBench) -> None:
    content = os.urandom(300_000)
    bench.box.refuse("put", "disk-full", 2)
    (bench.folder / "film.mov").write_bytes(content)
    bench.settle()
    assert bench.exhibits_of("film.mov") == [content]


def test_held_bytes_are_proven_and_not_sent_again(bench: DeskBench) -> None:
    content = os.urandom(3_000_000)
    (bench.folder / "first.bin").write_bytes(content)
    bench.settle()
    sent = bench.box.bytes_put
    capture_without_box(bench, "second.bin", content)
    bench.settle()
    assert bench.exhibits_of("second.bin") == [content]
    assert (bench.box.bytes_put, bench.box.calls["possession"]) == (sent, 1)


def test_a_lost_answer_to_a_proof_does_no_harm(bench: DeskBench) -> None:
    content = os.urandom(300_000)
    (bench.folder / "first.bin").write_bytes(content)
    bench.settle()
    capture_without_box(bench, "second.bin", content)
    bench.box.lose_reply("possession")
    bench.settle()
    assert bench.exhibits_of("second.bin") == [content]


def test_ended_at_random_instants_each_file_still_becomes_one_exhibit(tmp_path: Path) -> None:
    bench = make_bench(tmp_path, inline_bytes=2_000)
    chance = random.Random(7)
    bench.box.slow_receipts = True
    for number in range(400):
        (bench.folder / f"{number:03}.bin").write_bytes(chance.randbytes(chance.choice((0, 100, 2_000, 50_000))))
    for turn in range(8):
        bench.box.reachable = turn % 3 != 1
        for call in ("batch", "put", "offers", "statements", "receipts"):
            bench.box.lose_reply(call)
        bench.box.cut_put(chance.randrange(60_000))
        with bench.running():
            time.sleep(chance.random() * 0.3)
    bench.box.reachable = True
    bench.settle()
    assert bench.status().counts() == {Shown.RECEIPTED: 400}
    for path in bench.folder.iterdir():
        assert bench.exhibits_of(path.name) == [path.read_bytes()], path.name
    assert list(bench.state.spool.iterdir()) == []


def capture_without_box(bench: DeskBench, name: str, content: bytes) -> None:
    """Captured into the spool, the original then gone, the box back."""
    bench.box.reachable = False
    (bench.folder / name).write_bytes(content)
    bench.run_until(lambda progress: progress.captured and progress.under_way == 1)
    (bench.folder / name).unlink()
    bench.box.reachable = True


def test_what_is_only_in_memory_is_spooled_when_the_engine_ends(bench: DeskBench) -> None:
    bench.box.refuse("batch", "unavailable", 10**6)
    (bench.folder / "letter.txt").write_bytes(b"kept")
    bench.run_until(lambda progress: progress.captured and progress.under_way == 1)
    assert bench.file("letter.txt").spooled
    (bench.folder / "letter.txt").write_bytes(b"changed since")
    bench.box._refused.clear()
    bench.settle()
    assert bench.exhibits_of("letter.txt") == [b"kept", b"changed since"]
