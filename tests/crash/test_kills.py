"""kill -9 of desk and of box at random instants while thousands of files are on their way: nothing is lost, doubled or untrue."""

import random
import threading

import pytest

from deedbox_checkout.local_box import LocalBox, LocalFailure
from kit.instants import await_instant
from kit.load import Load
from kit.local_site import NewSite, Site
from kit.what_must_hold import Memory, verify_site

pytestmark = pytest.mark.crash

SMALL_FILES = 2_500  # at least
LARGE_MIB = 30

KILLS_A_SHARE = 4  # so often new files come
SMALLEST_SHARE = 150

LEFT_DOWN = 0.3  # of the killed boxes: the desk's next life is spent out of reach

MOST_WRITES = 14  # of the victim before it is killed: so few that there is always work left
MOST_SECONDS = 4.0  # a desk that has not found its box again writes little
STARTING_SECONDS = 1.5
SETTLE_SECONDS = 240.0


def test_whoever_is_killed_whenever_each_file_has_one_exhibit_and_every_receipt_holds(
    new_site: NewSite, rng: random.Random, rounds: int
) -> None:
    site = new_site()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    victims = ["desk", "box"] * rounds
    rng.shuffle(victims)
    share = max(SMALLEST_SHARE, SMALL_FILES * KILLS_A_SHARE // len(victims))
    site.start()
    for number, victim in enumerate(victims):
        if number % KILLS_A_SHARE == 0:
            load.large(1, mib=LARGE_MIB)
            load.small(share)
        writes = kill_desk(site, memory, rng) if victim == "desk" else kill_box(site.box, rng)
        if victim == "desk" or rng.random() > LEFT_DOWN:
            start(site.box)
        print(f"{number + 1}: {victim} killed after {writes} writes; {len(memory.receipts)} receipts seen")
    start(site.box)
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


def kill_desk(site: Site, memory: Memory, rng: random.Random) -> int:
    desk = site.desk
    files = [desk.state / "journal.db-wal", desk.state / "journal.db"]
    writes = await_instant(
        files, rng, most_writes=MOST_WRITES, most_seconds=MOST_SECONDS, ended=lambda: not desk.running
    )
    assert desk.running, f"the desk ended by itself: {desk.log_file.read_text()[-2000:]}"
    desk.kill()
    memory.look()
    desk.start()
    return writes


def start(box: LocalBox) -> None:
    if not box.running:
        box.start()


def kill_box(box: LocalBox, rng: random.Random) -> int:
    """Now and then it is killed once more before it has quite begun."""
    start(box)
    files = [box.data / "db/box.db-wal", box.data / "keys/keys.db-wal"]
    writes = await_instant(
        files, rng, most_writes=MOST_WRITES, most_seconds=MOST_SECONDS, ended=lambda: not box.running
    )
    assert box.running, "the box ended by itself"
    box.kill()
    if rng.random() < 0.25:
        kill_while_starting(box, rng.uniform(0.1, STARTING_SECONDS))
    return writes


def kill_while_starting(box: LocalBox, seconds: float) -> None:
    """Let the box begin, and end it so many seconds later, ready or not."""
    killer = threading.Timer(seconds, box.kill)
    killer.start()
    try:
        box.start()
    except LocalFailure:
        pass  # it was killed before it was ready
    finally:
        killer.join()
