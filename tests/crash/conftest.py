"""Sites for crash tests, disks that fail, and the dice they are thrown with."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbox_checkout.testing import CRASH_ROUNDS
from kit.local_site import NewSite, Site, SiteTemplate, make_template
from kit.loop_disk import CannotMount, Kind, LoopDisk, NewDisk, why_not

SEED = "DEEDBOX_CRASH_SEED"


@pytest.fixture(scope="session")
def rounds() -> int:
    """How often each side is killed."""
    return int(os.environ.get(CRASH_ROUNDS, "10"))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """This test's dice. What they began with is printed, and shown where the test fails; set it to throw the same again."""
    seed = os.environ.get(SEED) or str(random.SystemRandom().randrange(1 << 32))
    print(f"{SEED}={seed}")
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture(scope="session")
def site_template(tmp_path_factory: pytest.TempPathFactory) -> SiteTemplate:
    return make_template(tmp_path_factory.mktemp("site"))


@pytest.fixture
def new_site(site_template: SiteTemplate, tmp_path: Path, new_disk: NewDisk) -> Iterator[NewSite]:
    """Makes a site in this test's folder; arguments as for `SiteTemplate.copy`. It is ended before the disks are taken away."""
    made: list[Site] = []

    def make(**places: object) -> Site:
        made.append(site_template.copy(tmp_path, **places))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[NewDisk]:
    """Makes mounted disks; they are unmounted after the site has ended. Skips the test where the system has none to give."""
    made: list[LoopDisk] = []

    def make(name: str, size_mib: int, kind: Kind = "ext4") -> LoopDisk:
        if reason := why_not(kind):
            pytest.skip(reason)
        try:
            made.append(LoopDisk(tmp_path / f"{name}.img", tmp_path / name, size_mib, kind))
        except CannotMount as error:
            pytest.skip(f"this system mounts nothing: {error}")
        return made[-1]

    yield make
    for disk in made:
        disk.close()
