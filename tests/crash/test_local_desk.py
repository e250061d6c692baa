"""A desk as its own process, as demo, `up` and tests use it: it watches, tells, ends, and goes on where it was."""

import random
from pathlib import Path

import pytest

from deedbox_checkout.local_box import LocalFailure
from kit.load import Load
from kit.local_site import NewSite
from kit.what_must_hold import Memory, verify_site

RECEIPTED, NO_BOX = 0, 3  # exit statuses of `run --once`


def test_run_once_ends_when_everything_is_receipted_or_the_box_is_out_of_reach(
    new_site: NewSite, rng: random.Random
) -> None:
    site = new_site()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    load.small(5)
    assert site.desk.run_once() == NO_BOX
    assert site.counts() == {"captured": 5}
    site.box.start()
    assert site.desk.run_once(patience=30) == RECEIPTED
    assert site.counts() == {"receipted": 5}
    verify_site(site, memory, load)


def test_a_desk_that_is_stopped_ends_in_order_and_goes_on_where_it_was(new_site: NewSite, rng: random.Random) -> None:
    site = new_site()
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    site.start()
    load.small(3)
    site.settle(3, seconds=240)
    assert site.desk.stop() == 0
    assert not site.desk.running
    assert site.desk.stop() is None
    load.small(3)
    site.desk.start()
    site.settle(6, seconds=240)
    assert site.desk.paired
    verify_site(site, memory, load)


def test_only_one_process_has_a_desk(new_site: NewSite) -> None:
    site = new_site()
    site.start()
    site.settle(0, seconds=240)
    assert site.desk.command("run", "--once", check=False).returncode == 1


def test_what_goes_wrong_is_said(new_site: NewSite, tmp_path: Path) -> None:
    site = new_site()
    site.desk.state = tmp_path / "nothing here"
    with pytest.raises(LocalFailure, match="not paired"):
        site.desk.status()
