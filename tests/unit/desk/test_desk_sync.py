"""From a dropped file to a verified receipt, with a box in memory: each way a file can take, and what it leaves behind."""

import os

from deedbox_desktop.engine.status import Shown
from unit.desk.desk_bench import DeskBench


def test_a_small_file_becomes_one_receipted_exhibit(bench: DeskBench) -> None:
    (bench.folder / "letter.txt").write_bytes(b"Dear Sirs")
    bench.settle()
    found = bench.file("letter.txt")
    assert (found.state, found.sequence, found.log_index) == (Shown.RECEIPTED, 1, 1)
    assert bench.exhibits_of("letter.txt") == [b"Dear Sirs"]


def test_a_large_file_is_streamed_and_its_statement_closes_the_upload(bench: DeskBench) -> None:
    content = os.urandom(5_000_000)
    (bench.folder / "film.mov").write_bytes(content)
    bench.settle()
    assert bench.file("film.mov").state is Shown.RECEIPTED
    assert bench.exhibits_of("film.mov") == [content]
    assert bench.box.bytes_put == len(content)
    assert bench.box.calls["offers"] == 0


def test_many_files_travel_in_batches(bench: DeskBench) -> None:
    for number in range(300):
        (bench.folder / f"{number:03}.txt").write_bytes(b"%d" % number)
    bench.settle()
    assert bench.status().counts() == {Shown.RECEIPTED: 300}
    assert len(bench.box.exhibits) == 300
    assert bench.box.calls["batch"] < 30


def test_without_a_box_everything_is_captured_into_the_spool_and_sent_later(bench: DeskBench) -> None:
    bench.box.reachable = False
    large = os.urandom(3_000_000)
    (bench.folder / "small.txt").write_bytes(b"small")
    (bench.folder / "large.bin").write_bytes(large)
    bench.run_until(lambda progress: progress.captured)
    assert {one.state for one in bench.status().files} == {Shown.CAPTURED}
    assert all(one.spooled for one in bench.status().files)
    for original in bench.folder.iterdir():
        original.unlink()
    bench.box.reachable = True
    bench.settle()
    assert bench.exhibits_of("small.txt") == [b"small"]
    assert bench.exhibits_of("large.bin") == [large]
    assert list(bench.state.spool.iterdir()) == []
