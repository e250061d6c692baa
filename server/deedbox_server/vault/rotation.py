"""Changing the root key: root.json, then the case keys, then root.json again (formats/keys.md).

Killed anywhere, it goes on where the key store is next opened: before the first step the old way unlocks, after it the
new one. Blobs and part keys are not touched.
"""

from pathlib import Path

from deedbox_server.vault.key_tables import KeyTables
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.unlock import Unlock


def rotate(folder: Path, way: Unlock, *new_ways: Unlock) -> Keyring:
    """Unlock by `way` and make a new root key that only `new_ways` open. The box must not be running.

    A rotation that was cut short is finished first; its new way is then the `way` to give here.
    """
    keyring = Keyring.open(folder, way)
    finish_rotation(folder, keyring).close()
    before = Keyring.open(folder, way)
    after = before.renewed(folder, *new_ways)
    finish_rotation(folder, after).close()
    return Keyring.open(folder, new_ways[0])


def finish_rotation(folder: Path, keyring: Keyring) -> KeyTables:
    """Open the key store, with every case key under this root key; nothing to do where no rotation was under way."""
    tables = KeyTables(folder, keyring)
    try:
        if keyring.previous_id is not None:
            tables.rewrap()
            keyring.settled(folder)
        tables.check_root()
    except BaseException:
        tables.close()
        raise
    return tables
