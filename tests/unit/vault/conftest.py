from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deedbox_server.database import Database
from deedbox_server.vault.key_store import KeyStore
from deedbox_server.vault.keyring import Keyring
from vault_box import VaultBox, make_keys


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return make_keys(tmp_path)


@pytest.fixture
async def keys(tmp_path: Path, keyring: Keyring) -> AsyncIterator[KeyStore]:
    store = await KeyStore.open(tmp_path / "keys", keyring)
    yield store
    await store.close()


@pytest.fixture
async def box(tmp_path: Path, sqlite_database: Database) -> AsyncIterator[VaultBox]:
    """A vault whose rows are in encrypted SQLite: which database it is, is no matter to most of what a vault does."""
    box = await VaultBox.make(tmp_path, sqlite_database)
    yield box
    await box.close()
