"""A whole site as real processes: a box with a case and a desk that is paired with it, each with a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deedbox_checkout.local_box import LocalBox
from deedbox_checkout.local_desk import LocalDesk
from deedbox_desktop.engine.keys import DeskKeys
from deedbox_desktop.engine.status import DeskStatus
from kit.bad_network import Network, free_port
from kit.journal_copy import desk_keys, live_status
from kit.waiting import until

CASE = "2026-0001"
QUIET = 0.3  # seconds that a file is left alone in tests; people's desks wait longer

SETTLED = frozenset({"receipted", "ignored", "vanished"})

_BOX, _DESK, _BOX_SECRETS, _DESK_SECRETS = "box", "desk", "box-secrets", "desk-secrets"


@dataclass
class Site:
    """`network`, where there is one, stands between them, in the place where the desk believes the box to be."""

    box: LocalBox
    desk: LocalDesk
    network: Network | None = None

    @property
    def watched(self) -> Path:
        return self.desk.watched

    def start(self) -> None:
        self.box.start()
        self.desk.start()

    def close(self) -> None:
        """End what still runs, without ceremony."""
        self.desk.kill()
        self.box.kill()
        if self.network is not None:
            self.network.close()

    @cached_property
    def _keys(self) -> DeskKeys:
        return desk_keys(self.desk)

    def look(self) -> DeskStatus:
        """What the desk knows now. It must not have stopped for good."""
        status = live_status(self.desk, self._keys)
        assert status.stop is None, status.stop
        return status

    def counts(self) -> dict[str, int]:
        """How many of the files ever seen are in which state."""
        return {shown.value: count for shown, count in self.look().counts().items()}

    def settle(self, files: int, *, seconds: float) -> None:
        """Wait until the desk knows of so many files and each is receipted, and see that its `status` says so too."""

        def settled() -> bool:
            counts = self.counts()
            return sum(counts.values()) >= files and counts.keys() <= SETTLED

        until(settled, f"{files} files are receipted", seconds=seconds, tell=self._tell)
        assert self.desk.status()["counts"].keys() <= SETTLED

    def _tell(self) -> str:
        told = self.desk.status()
        stuck = [file for file in told["files"] if file["state"] not in SETTLED][:5]
        return f"{told['counts']}, troubles {told['troubles']}, {stuck}"


@dataclass(frozen=True)
class SiteTemplate:
    """A site at rest: box with a case, desk paired. Each copy is a world of its own, made in a tenth of the time."""

    folder: Path
    people_port: int
    device_port: int
    case: str

    def copy(
        self,
        folder: Path,
        *,
        box_data: Path | None = None,
        desk_state: Path | None = None,
        watched: Path | None = None,
        with_network: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> Site:
        """Neither side runs yet; the desk will watch `watched`. Only one copy can run at a time: they share the ports."""
        data, state = box_data or folder / _BOX, desk_state or folder / _DESK
        for source, target in ((_BOX, data), (_DESK, state), (_BOX_SECRETS, None), (_DESK_SECRETS, None)):
            shutil.copytree(self.folder / source, target or folder / source)
        box = LocalBox(data, folder / _BOX_SECRETS, people_port=self.people_port, device_port=self.device_port)
        desk = LocalDesk(state, watched or folder / "watched", folder / _DESK_SECRETS, environment or {})
        desk.watch(self.case, quiet=QUIET)
        if not with_network:
            return Site(box, desk)
        box.device_port = free_port()
        return Site(box, desk, Network(self.device_port, box.device_port))


NewSite = Callable[..., Site]  # arguments as for `SiteTemplate.copy`, but for the folder


def make_template(folder: Path) -> SiteTemplate:
    """Make a box, open a case, pair a desk, stop both."""
    box = LocalBox(folder / _BOX, folder / _BOX_SECRETS, people_port=free_port(), device_port=free_port())
    desk = LocalDesk(folder / _DESK, folder / "watched", folder / _DESK_SECRETS)
    box.create()
    box.start()
    try:
        case = box.ask("/api/v1/cases", {"number": CASE, "title": "Ödegård v. Müller"})
        desk.pair(box)
    finally:
        box.stop()
    return SiteTemplate(folder, box.people_port, box.device_port, case["id"])
