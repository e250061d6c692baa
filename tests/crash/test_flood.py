"""25,000 files at once, so many that the system drops the events that tell of them: each gets its exhibit all the same."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from kit.load import Load
from kit.local_site import NewSite
from kit.names import every_kind
from kit.what_must_hold import Memory, verify_site

pytestmark = pytest.mark.crash

FILES = int(os.environ.get("DEEDBOX_FLOOD_FILES", "25000"))
LARGEST = 600  # bytes: what counts here is how many there are
FOLDERS = 40
EVENTS_KEPT = Path("/proc/sys/fs/inotify/max_queued_events")
SETTLE_SECONDS = 600.0


def test_events_that_overflow_lose_no_file(new_site: NewSite, rng: random.Random) -> None:
    site = new_site()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    load.small(1)
    site.start()
    site.settle(1, seconds=240)
    assert site.desk.process is not None
    os.kill(site.desk.process.pid, signal.SIGSTOP)  # asleep, it cannot keep up with the events
    try:
        flood(load)
    finally:
        os.kill(site.desk.process.pid, signal.SIGCONT)
    began = time.monotonic()
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    print(f"{len(load.made)} files in {time.monotonic() - began:.1f} s")
    verify_site(site, memory, load)
    print(f"verified after {time.monotonic() - began:.1f} s")


def flood(load: Load) -> None:
    load.named(every_kind(), below=b"names/")
    each = -(-(FILES - len(load.made)) // FOLDERS)
    for number in range(FOLDERS):
        load.small(each, largest=LARGEST, below=b"carton %d/" % number)
    assert len(load.made) >= FILES
    events = int(EVENTS_KEPT.read_text())
    assert 2 * len(load.made) > events, f"{len(load.made)} files do not fill a queue of {events} events"
