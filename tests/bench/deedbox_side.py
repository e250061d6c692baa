"""Deedbox itself: a real box and a real desk, as two processes, over TLS on the loopback device."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from bench.contender import Run, free_port, patience, wait_for
from bench.machine import Watch
from bench.material import Material
from deedbox_checkout.local_box import LocalBox
from deedbox_checkout.local_desk import LocalDesk
from deedbox_desktop.engine.keys import open_keys
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_disk import sealed_sqlite

QUIET: Final = 0.3  # seconds that a file is left alone before it counts as whole
_CASE: Final = "2026-0001"


class Deedbox:
    name = "Deedbox"
    ends_with = "the desk has verified the receipt of every file"

    def missing(self) -> str | None:
        return None

    def run(self, material: Material, scratch: Path) -> Run:
        box = LocalBox(scratch / "box", scratch / "box-secrets", people_port=free_port(), device_port=free_port())
        desk = LocalDesk(scratch / "desk", scratch / "watched", scratch / "desk-secrets")
        box.create()
        try:
            box.start()
            box.ask("/api/v1/cases", {"number": _CASE, "title": "Benchmark"})
            desk.pair(box)
            desk.watch(_CASE, quiet=QUIET)
            desk.start()
            assert box.process is not None
            assert desk.process is not None
            receipts = _Receipts(desk)
            aside = scratch / "aside"
            material.copy_to(aside)
            wait_for("the desk knows its box", receipts.knows_the_box, seconds=60)
            watches = {"box": Watch(box.process.pid), "desk": Watch(desk.process.pid)}
            began = time.monotonic()
            aside.rename(desk.watched / "dropped")
            wait_for("every file is receipted", lambda: receipts.count() >= material.files, seconds=patience(material))
            seconds = time.monotonic() - began
            costs = {side: watch.stop() for side, watch in watches.items()}
            receipts.close()
            told = desk.status()["counts"]
            if told != {"receipted": material.files}:
                raise RuntimeError(f"the desk says {told}")
            return Run(seconds, costs)
        finally:
            desk.kill()
            box.kill()


class _Receipts:
    """Counts verified receipts in the desk's journal, beside the desk: asking the desk itself would cost it more."""

    def __init__(self, desk: LocalDesk) -> None:
        state = StateFolder(desk.state)
        keys = open_keys(state.keys, passphrase=desk.passphrase_file.read_text().strip(), keyring=None)
        self._journal = sealed_sqlite.connect(state.journal, keys.journal)

    def count(self) -> int:
        return int(self._journal.execute("SELECT COUNT(*) FROM receipt").get)

    def knows_the_box(self) -> bool:
        return bool(self._journal.execute("SELECT COUNT(*) FROM fact WHERE name = 'greeting'").get)

    def close(self) -> None:
        self._journal.close()
