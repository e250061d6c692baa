"""Files that do not hold still: written slowly, replaced, renamed, touched, taken away. Each ends as what it ended as."""

import random

import pytest

from deedbox_desktop.engine.status import Shown
from kit import box_at_rest
from kit.box_at_rest import HeldExhibit
from kit.load import Load, Writing
from kit.local_site import QUIET, NewSite, Site
from kit.waiting import until
from kit.what_must_hold import Memory, verify_site

pytestmark = pytest.mark.crash

SETTLE_SECONDS = 240.0
SLOW_SECONDS = 8 * QUIET  # a pause between two pieces is shorter than the quiet period, the whole is much longer


def test_files_that_do_not_hold_still(new_site: NewSite, rng: random.Random) -> None:
    site = new_site()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    slow = Load(site.watched, rng.randrange(1 << 32))
    site.start()
    writing = Writing(
        lambda: slow.write_slowly(b"slow, small", 40_000, seconds=SLOW_SECONDS),
        lambda: slow.write_slowly(b"slow, large", 3 << 20, seconds=SLOW_SECONDS),
        lambda: slow.write_slowly(b"slow, in pauses", 40_000, seconds=SLOW_SECONDS, pieces=3),
    )
    load.put(b"renamed before", b"one")
    load.rename(b"renamed before", b"renamed at once")
    load.put(b"renamed later", b"two")
    load.put(b"touched", b"three")
    load.put(b"folder/moved", b"four")
    load.put(b"taken away", b"five")
    for number in range(30):
        load.put(b"replaced in a hurry", b"version %d" % number)
    load.put(b"saved again", b"first words")
    await_current(site, load.made)
    captured = dict(load.made)

    load.rename(b"renamed later", b"below/renamed later")
    load.place(b"touched").touch()
    load.place(b"folder").rename(load.folder / "moved folder")
    load.made[b"moved folder/moved"] = load.made.pop(b"folder/moved")
    load.place(b"taken away").unlink()
    del load.made[b"taken away"]
    for number in range(5):
        load.put(b"saved again", b"other words %d" % number)
    writing.finish(60)
    await_current(site, load.made | slow.made)

    # A file is exhibited once under the name it was captured by; what was saved again, once more.
    load.made = captured | slow.made | {b"saved again": load.made[b"saved again"]}
    verify_site(site, memory, load, versions_between=load.versions)
    saved = [exhibit for exhibit in at_rest(site) if exhibit.path == b"saved again"]
    assert saved[0].content == load.versions[b"saved again"][0]
    assert_each_supersedes_the_one_before(saved)


def test_versions_captured_while_no_box_is_in_reach_supersede_each_other(new_site: NewSite, rng: random.Random) -> None:
    site = new_site()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    site.desk.start()
    for number in range(4):
        load.put(b"brief", b"draft %d" % number)
        until(lambda: current(site).get(b"brief") == load.made[b"brief"], "this draft is captured", seconds=240)
    site.box.start()
    site.settle(4, seconds=SETTLE_SECONDS)
    verify_site(site, memory, load, versions_between=load.versions)
    drafts = at_rest(site)
    assert [draft.content for draft in drafts] == load.versions[b"brief"]
    assert_each_supersedes_the_one_before(drafts)


def assert_each_supersedes_the_one_before(exhibits: list[HeldExhibit]) -> None:
    assert [exhibit.supersedes for exhibit in exhibits] == [None, *(exhibit.id for exhibit in exhibits[:-1])]


def await_current(site: Site, wanted: dict[bytes, bytes]) -> None:
    def is_so() -> bool:
        states = {file.state for file in site.look().files if not file.superseded}
        shown = current(site)
        return states == {Shown.RECEIPTED} and all(shown.get(path) == content for path, content in wanted.items())

    until(is_so, "each path is receipted as what it holds", seconds=SETTLE_SECONDS, tell=site.counts)


def current(site: Site) -> dict[bytes, bytes]:
    """What the desk captured of each path last."""
    return {
        file.path_bytes or file.path.encode(): file.content
        for file in site.look().files
        if not file.superseded and file.content is not None
    }


def at_rest(site: Site) -> list[HeldExhibit]:
    database = box_at_rest.open_database(site.box, box_at_rest.unlocked(site.box))
    try:
        return box_at_rest.exhibits(database)
    finally:
        database.close()
