"""The relay's data folder: `relay.db`, encrypted; `key.json`, its key under a passphrase or key file; `lock`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deedbox_disk import durable, locked_key
from deedbox_disk.folder_lock import FolderLock
from deedbox_disk.locked_key import Way
from deedbox_relay.errors import SetupError
from deedbox_relay.store import RelayStore


@dataclass(frozen=True)
class RelayFolder:
    path: Path

    @property
    def key_file(self) -> Path:
        return self.path / "key.json"

    @property
    def database(self) -> Path:
        return self.path / "relay.db"

    def lock(self) -> FolderLock:
        """Held by the one process that serves. Other commands may change the list of logs meanwhile."""
        return FolderLock(self.path / "lock")

    def create(self, way: Way, name: str) -> RelayStore:
        """A new relay, or the rest of one whose making was cut short. SetupError where one is complete."""
        durable.make_folder(self.path)
        with self.lock():
            known = self.key_file.exists()
            key = locked_key.open_key(self.key_file, way) if known else locked_key.create_key(self.key_file, way)
            if known and self._is_made(key):
                raise SetupError(f"There is a relay in {self.path} already; nothing was changed.")
            store = RelayStore.create(self.database, key, name)
            durable.sync_folder(self.path)
            return store

    def open(self, way: Way) -> RelayStore:
        if not self.key_file.exists():
            raise SetupError(f"There is no relay in {self.path}: make one with `deedbox-relay init`.")
        return RelayStore.open(self.database, locked_key.open_key(self.key_file, way))

    def _is_made(self, key: bytes) -> bool:
        if not self.database.exists():
            return False
        try:
            RelayStore.open(self.database, key).close()
        except SetupError:
            return False
        return True
