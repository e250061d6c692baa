"""The benches measure what they say they measure; how fast this machine is, is no matter here."""

import json
import os
from pathlib import Path

import pytest

from bench import identifiers, notary, sync
from bench.contender import Run
from bench.limit import Limit
from bench.machine import Cost, Watch, this_machine
from bench.material import make_material
from deedbox_checkout.bench import _size
from deedbox_checkout.command import main


@pytest.mark.parametrize(("text", "size"), [("4GiB", 4 << 30), ("512MiB", 512 << 20), ("20k", 20 << 10), ("7", 7)])
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert _size(text) == size


def test_material_is_given_to_each_contender_without_being_written_again(tmp_path: Path) -> None:
    material = make_material(tmp_path / "material", 3, 2_500_000)
    material.copy_to(tmp_path / "copy")
    for path in material.paths():
        assert path.stat().st_size == 2_500_000
        assert (tmp_path / "copy" / path.name).stat().st_ino == path.stat().st_ino
    assert len({path.read_bytes() for path in material.paths()}) == 3


@pytest.mark.parametrize(("files", "size"), [(1, 9_000_001), (1100, 20), (2, 4 << 20)])
def test_the_limit_writes_every_byte_once_under_a_tag_for_each_segment(tmp_path: Path, files: int, size: int) -> None:
    material = make_material(tmp_path / "material", files, size)
    assert Limit().run(material, tmp_path).seconds > 0
    for end in ("desk", "box"):
        assert (tmp_path / end).stat().st_size >= files * (size + 16)


def test_a_process_is_watched_with_what_it_costs() -> None:
    watch = Watch(os.getpid())
    sum(range(1_000_000))
    cost = watch.stop()
    assert cost.peak_mib > 5
    assert cost.processor_seconds >= 0


def results(**seconds: float) -> tuple[sync.Result, ...]:
    names = {"limit": "this machine's limit", "deedbox": "Deedbox", "syncthing": "Syncthing"}
    costs = {"box": Cost(150.0, 2.0), "desk": Cost(100.0, 1.0)}
    made = [sync.Result(names[name], "done", (Run(value, costs),), None) for name, value in seconds.items()]
    return (*made, sync.Result("rclone", "done", (), "not installed"))


def test_ratios_are_of_one_run_and_who_is_missing_is_named() -> None:
    large = sync.Task(1, 1 << 30, results(limit=1.0, deedbox=1.5, syncthing=4.5))
    small = sync.Task(1000, 20 << 10, results(limit=0.1, deedbox=0.8, syncthing=2.0))
    report = sync.SyncReport(this_machine(), large, small)
    assert report.figures() == {
        "large_to_syncthing": pytest.approx(3.0),
        "large_to_limit": pytest.approx(2 / 3),
        "small_files_per_second": pytest.approx(1250.0),
        "peak_mib_a_side": 150.0,
    }
    said = "\n".join(sync.lines(report))
    assert "not installed" in said
    assert "large file, times Syncthing: 3.00 (aim: at least 2)" in said
    assert json.loads(json.dumps(report.as_json()))["small"]["contenders"]["rclone"] == {"missing": "not installed"}


def test_the_notary_bench_verifies_what_it_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "notary", "--entries", "3000", "--size", "3000", "--folder", str(tmp_path), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["entries_per_second"] > 0
    assert told["aims"] == notary.AIMS
    assert list(tmp_path.iterdir()) == []


def test_the_identifiers_bench_looks_up_what_it_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "ids", "--count", "60", "--folder", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["identifiers_per_second"] > 0
    assert told["limit"] == max(told["proofs_in_threads"], told["proofs_in_processes"])
    assert told["share"] == pytest.approx(told["identifiers_per_second"] / told["limit"])
    assert told["aims"] == identifiers.AIMS
    assert list(tmp_path.iterdir()) == []
