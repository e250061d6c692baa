"""A box that is killed, or loses its power, while it is being made: the same command again finishes it."""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deedbox_checkout.local_box import OWNER, LocalBox, program
from deedbox_checkout.local_desk import LocalDesk
from kit.bad_network import free_port
from kit.local_site import CASE, Site
from kit.loop_disk import NewDisk
from kit.what_must_hold import audit

pytestmark = pytest.mark.crash

MAKING_SECONDS = 2.0  # about what it takes to make a box


def test_a_box_killed_while_it_is_made(tmp_path: Path, rng: random.Random, rounds: int) -> None:
    box = new_box(tmp_path, tmp_path / "box")
    for _ in range(times(rounds)):
        make_for(rng.uniform(0.3, MAKING_SECONDS), box, lambda: None)
    assert_made(box, tmp_path)


def test_a_box_without_power_while_it_is_made(
    tmp_path: Path, new_disk: NewDisk, rng: random.Random, rounds: int
) -> None:
    disk = new_disk("box-disk", 200)
    box = new_box(tmp_path, disk.folder / "box")
    for _ in range(times(rounds)):
        make_for(rng.uniform(0.3, MAKING_SECONDS), box, disk.cut_power)
        disk.restore()
    assert_made(box, tmp_path)


def times(rounds: int) -> int:
    return max(3, rounds // 5)


def new_box(folder: Path, data: Path) -> LocalBox:
    box = LocalBox(data, folder / "secrets", people_port=free_port(), device_port=free_port())
    box.secrets.mkdir()
    for name in ("passphrase", "owner-password"):
        (box.secrets / name).write_text("correct horse battery staple\n")
    return box


def make_for(seconds: float, box: LocalBox, cut: Callable[[], None]) -> None:
    """Begin to make the box, and end that so many seconds later."""
    making = subprocess.Popen(
        [
            *program("deedbox_server"),
            *("--data", str(box.data), "--passphrase-file", str(box.secrets / "passphrase")),
            *("init", "--owner", OWNER, "--password-file", str(box.secrets / "owner-password")),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + seconds
    while making.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    cut()
    making.kill()
    making.wait()


def assert_made(box: LocalBox, folder: Path) -> None:
    box.create()
    box.start()
    try:
        assert box.ask("/api/v1/cases/", {"number": CASE, "title": "made in the end"})["number"] == CASE
    finally:
        box.stop()
    assert audit(Site(box, LocalDesk(folder / "desk", folder / "watched", folder / "secrets"))) == []
