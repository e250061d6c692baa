"""Power cuts of the box's disk and of the desk's at random instants under load: what was promised before one holds after it."""

import random
import time

import pytest

from kit.instants import await_instant
from kit.load import Load
from kit.local_site import NewSite, Site
from kit.loop_disk import LoopDisk, NewDisk
from kit.waiting import until
from kit.what_must_hold import Memory, verify_site

pytestmark = pytest.mark.crash

DISK_MIB = 1_200
SHARE = 250  # small files that come before each cut
LARGE_MIB = 25
MOST_WRITES = 20
MOST_SECONDS = 5.0
AFTERLIFE = 0.15  # seconds that a process may live on without a disk: it must not promise anything then
SETTLE_SECONDS = 240.0


def test_the_box_keeps_what_it_gave_a_receipt_for(
    new_site: NewSite, new_disk: NewDisk, rng: random.Random, rounds: int
) -> None:
    disk = new_disk("box-disk", DISK_MIB, "xfs")
    site = new_site(box_data=disk.folder / "box")
    disk.sync()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    site.start()
    for number in range(cuts(rounds)):
        bring(load, number)
        files = [site.box.data / "db/box.db-wal", site.box.data / "keys/keys.db-wal"]
        writes = await_instant(
            files,
            rng,
            most_writes=MOST_WRITES,
            most_seconds=MOST_SECONDS,
            ended=lambda: not site.box.running,
        )
        disk.cut_power()
        time.sleep(rng.uniform(0, AFTERLIFE))
        site.box.kill()
        disk.restore()
        print(f"{number + 1}: power cut after {writes} writes of the box")
        site.box.start()
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


def test_the_desk_keeps_what_it_captured(new_site: NewSite, new_disk: NewDisk, rng: random.Random, rounds: int) -> None:
    disk = new_disk("desk-disk", DISK_MIB)
    site = new_site(desk_state=disk.folder / "desk", watched=disk.folder / "watched")
    disk.sync()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32), durable=True)
    site.start()
    for number in range(cuts(rounds)):
        bring(load, number)
        cut_desk(site, disk, memory, rng)
        print(f"{number + 1}: power cut; {len(memory.receipts)} receipts seen")
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


def test_the_desk_keeps_what_it_captured_out_of_reach_of_its_box_even_where_the_originals_are_gone(
    new_site: NewSite, new_disk: NewDisk, rng: random.Random
) -> None:
    disk = new_disk("desk-disk", DISK_MIB)
    site = new_site(desk_state=disk.folder / "desk")
    disk.sync()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    bring(load, 0)
    site.desk.start()
    until(
        lambda: site.counts() == {"captured": len(load.made)},
        "all is captured",
        seconds=SETTLE_SECONDS,
        tell=site.counts,
    )
    disk.cut_power()
    site.desk.kill()
    disk.restore()
    for path in load.made:
        load.place(path).unlink()
    site.start()
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


def cuts(rounds: int) -> int:
    return max(4, rounds // 2)


def bring(load: Load, number: int) -> None:
    load.small(SHARE)
    if number % 2 == 0:
        load.large(1, mib=LARGE_MIB)


def cut_desk(site: Site, disk: LoopDisk, memory: Memory, rng: random.Random) -> None:
    desk = site.desk
    files = [desk.state / "journal.db-wal", desk.state / "journal.db"]
    await_instant(files, rng, most_writes=MOST_WRITES, most_seconds=MOST_SECONDS, ended=lambda: not desk.running)
    disk.cut_power()
    time.sleep(rng.uniform(0, AFTERLIFE))
    desk.kill()
    disk.restore()
    memory.look()
    desk.start()
