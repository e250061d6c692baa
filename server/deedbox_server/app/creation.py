"""A new box: keys, database, owner. Killed anywhere, the same call again finishes it."""

from __future__ import annotations

from deedbox_server.app.box import make_folders, open_box
from deedbox_server.people.accounts import Account
from deedbox_server.settings import Settings
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.root_file import FILE_NAME
from deedbox_server.vault.unlock import Unlock


def is_box(settings: Settings) -> bool:
    """Whether the data folder has keys, so that it is (the beginning of) a box."""
    return (settings.keys_folder / FILE_NAME).exists()


async def create_box(settings: Settings, unlock: Unlock, owner: str, password: str) -> Account | None:
    """Make the box in `settings.data` where there is none. Returns the owner, or None where the box had one before."""
    make_folders(settings)
    keyring = (
        Keyring.open(settings.keys_folder, unlock) if is_box(settings) else Keyring.create(settings.keys_folder, unlock)
    )
    async with open_box(settings, keyring) as box:
        if await box.database.fetch("SELECT id FROM account LIMIT 1"):
            return None
        return await box.accounts.create_owner(owner, password)
