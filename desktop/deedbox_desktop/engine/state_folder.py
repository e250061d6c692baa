"""Where a desk keeps what it knows: one folder, mode 0700, one process at a time."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from deedbox_disk import durable

DISK_FULL = "This computer's disk is full."


@dataclass(frozen=True)
class StateFolder:
    """The places in a desk's state folder. Everything in it is encrypted or tells nothing."""

    root: Path

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    @property
    def journal(self) -> Path:
        return self.root / "journal.db"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def recovery(self) -> Path:
        """The spool key, wrapped to the firm's recovery key."""
        return self.root / "spool.recovery"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    def make(self) -> None:
        durable.make_folder(self.root)
        durable.make_folder(self.spool)


def default_root() -> Path:
    """The platform's folder for state that programs keep for a user."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Deedbox"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "Deedbox"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "deedbox-desktop"
