"""A disk that is full, at the box or at the desk, and full while they are killed: when there is room again everything arrives."""

import random
from collections.abc import Callable

import pytest

from deedbox_checkout.local_box import LocalFailure
from kit.load import Load
from kit.local_site import NewSite, Site
from kit.loop_disk import LoopDisk, NewDisk
from kit.waiting import until
from kit.what_must_hold import Memory, verify_site

pytestmark = pytest.mark.crash

DISK_MIB = 320
SMALL_FILES = 300
LARGE_MIB = 16
LEFT = (24 << 20, 100_000, 0)  # bytes that the disk still has, from room for something to room for nothing
NOTICE_SECONDS = 240.0  # a deadline for a loaded machine, not a promise
SETTLE_SECONDS = 240.0


def test_a_full_disk_at_the_box(new_site: NewSite, new_disk: NewDisk, rng: random.Random) -> None:
    disk = new_disk("box-disk", DISK_MIB)
    site = new_site(box_data=disk.folder / "box")

    def again() -> None:
        """While it is full the box may refuse to start, in words; it must not lose anything by it."""
        site.box.kill()
        try:
            site.box.start()
        except LocalFailure as error:
            print(f"with a full disk: {error}")

    live_through(site, disk, rng, again)


def test_a_full_disk_at_the_desk(new_site: NewSite, new_disk: NewDisk, rng: random.Random) -> None:
    disk = new_disk("desk-disk", DISK_MIB)
    site = new_site(desk_state=disk.folder / "desk")

    def again() -> None:
        site.desk.kill()
        site.desk.start()

    live_through(site, disk, rng, again)


def test_a_full_disk_at_a_desk_out_of_reach_of_its_box(
    new_site: NewSite, new_disk: NewDisk, rng: random.Random
) -> None:
    """The spool takes all the room there is; what it cannot take is captured later."""
    disk = new_disk("desk-disk", DISK_MIB)
    site = new_site(desk_state=disk.folder / "desk")
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    disk.fill(leave=80 << 20)  # the spool leaves the reserve alone
    load.large(4, mib=LARGE_MIB)
    load.small(SMALL_FILES)
    site.desk.start()
    until(lambda: told_of_full_disk(site), "the desk tells that its disk is full", seconds=NOTICE_SECONDS)
    disk.make_room()
    site.box.start()
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


def live_through(site: Site, disk: LoopDisk, rng: random.Random, again: Callable[[], None]) -> None:
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    site.start()
    load.small(20)
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    for number, left in enumerate(LEFT):
        disk.fill(leave=left)
        load.large(2, mib=LARGE_MIB)
        load.small(SMALL_FILES // len(LEFT))
        until(
            lambda: told_of_full_disk(site) or not unsettled(site, len(load.made)),
            "the desk tells that a disk is full, or needs none",
            seconds=NOTICE_SECONDS,
            tell=lambda: site.desk.status()["troubles"],
        )
        print(f"with {left} bytes left: {disk.free()} now, {site.counts()}, {site.desk.status()['troubles']}")
        if number % 2:
            again()
        disk.make_room()
        if not site.box.running:
            site.box.start()
        if not site.desk.running:
            site.desk.start()
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


def told_of_full_disk(site: Site) -> bool:
    told = site.desk.status()
    words = [*told["troubles"].values(), *(file["words"] for file in told["files"] if file["state"] == "waiting")]
    return any("full" in one for one in words)


def unsettled(site: Site, files: int) -> bool:
    counts = site.counts()
    return sum(counts.values()) < files or counts.keys() != {"receipted"}
