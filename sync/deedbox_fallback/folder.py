"""The service's data folder: `fallback.db`, encrypted; `key.json`, its key under a passphrase or key file; `lock`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from deedbox_disk import durable, locked_key
from deedbox_disk.folder_lock import FolderLock
from deedbox_disk.locked_key import Way
from deedbox_fallback.certificates import make_authority
from deedbox_fallback.errors import SetupError
from deedbox_fallback.store import Store


@dataclass(frozen=True)
class ServiceFolder:
    path: Path

    @property
    def key_file(self) -> Path:
        return self.path / "key.json"

    @property
    def database(self) -> Path:
        return self.path / "fallback.db"

    def lock(self) -> FolderLock:
        """Held by the one process that serves. Other commands may read and add callers meanwhile."""
        return FolderLock(self.path / "lock")

    @property
    def is_made(self) -> bool:
        return self.key_file.exists()

    def create(self, way: Way) -> Store:
        """A new service, or the rest of one whose making was cut short. SetupError where one is complete."""
        durable.make_folder(self.path)
        with self.lock():
            if self.key_file.exists():
                key = locked_key.open_key(self.key_file, way)
                if self.database.exists() and Store.is_made(self.database, key):
                    raise SetupError(f"There is a service in {self.path} already; nothing was changed.")
            else:
                key = locked_key.create_key(self.key_file, way)
            store = Store.create(self.database, key, uuid4())
            make_authority(store, datetime.now(UTC))
            durable.sync_folder(self.path)
            return store

    def open(self, way: Way) -> Store:
        if not self.is_made:
            raise SetupError(f"There is no service in {self.path}: make one with `deedbox-fallback init`.")
        return Store.open(self.database, locked_key.open_key(self.key_file, way))
