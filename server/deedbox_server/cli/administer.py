"""What an administrator does beside the running box: codes, keys, devices, rotation."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from deedbox_disk import durable
from deedbox_disk.folder_lock import FolderLock
from deedbox_server.app.box import open_box
from deedbox_server.app.parts import Box
from deedbox_server.cli.telling import add_json, show
from deedbox_server.cli.unlocking import UnlockArguments, ask_unlock
from deedbox_server.errors import NotFound
from deedbox_server.people.accounts import Account
from deedbox_server.people.principal import SYSTEM
from deedbox_server.settings import Settings
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.rotation import rotate


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    code = commands.add_parser("pair-code", help="a one-time code for a new desk")
    code.add_argument("--account", required=True, help="name of the account that the desk will act for")
    code.set_defaults(run=_pair_code)
    key = commands.add_parser("api-key", help="a new API key for an account")
    key.add_argument("--account", required=True)
    key.add_argument("--label", default="command line")
    key.add_argument("--into", type=Path, required=True, help="the file, mode 0600, that the key is written to")
    key.set_defaults(run=_api_key)
    devices = commands.add_parser("devices", help="list the paired desks")
    devices.add_argument("--json", action="store_true")
    devices.set_defaults(run=_devices)
    revoke = commands.add_parser("revoke", help="revoke a desk; its next request is refused")
    revoke.add_argument("device", type=UUID)
    revoke.set_defaults(run=_revoke)
    erasures = commands.add_parser(
        "apply-erasures", help="after a restore: erase again what was erased since that backup"
    )
    add_json(erasures)
    erasures.set_defaults(run=_apply_erasures)
    keys = commands.add_parser("keys", help="the root key").add_subparsers(required=True, metavar="COMMAND")
    rotation = keys.add_parser("rotate", help="replace the root key; stop the box first")
    rotation.add_argument("--new-passphrase-file", type=Path)
    rotation.add_argument("--new-key-file", type=Path)
    rotation.set_defaults(run=_rotate)


@asynccontextmanager
async def opened(settings: Settings, unlock: UnlockArguments) -> AsyncIterator[Box]:
    """The box's services in this process; the running box, if any, goes on."""
    keyring = Keyring.open(settings.keys_folder, ask_unlock(unlock))
    async with open_box(settings, keyring) as box:
        yield box


async def _account(box: Box, name: str) -> Account:
    row = await box.database.fetch_one("SELECT id FROM account WHERE name = {}", name)
    if row is None:
        raise NotFound(f"There is no account named {name}.")
    return await box.accounts.by_id(row["id"])


async def _pair_code(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        issued = await box.pairing.issue(SYSTEM, (await _account(box, options.account)).id)
    print(issued.code.text)
    return 0


async def _api_key(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        made, key = await box.api_keys.create((await _account(box, options.account)).id, options.label)
    durable.write_file(options.into, f"{key.text}\n".encode())
    print(f"The key is in {options.into}. Calls that it signs name it {made.id}.")
    return 0


async def _devices(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.devices.all()
    if options.json:
        print(
            json.dumps(
                [{"id": str(device.id), "name": device.name, "revoked": device.revoked is not None} for device in found]
            )
        )
        return 0
    for device in found:
        state = "revoked" if device.revoked is not None else f"until {device.certified_until:%Y-%m-%d}"
        print(f"{device.id}  {state:<16}  {device.account_name}  {device.name}")
    return 0


async def _revoke(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        await box.devices.revoke(options.device, SYSTEM)
    print("Revoked: the desk's next request is refused.")
    return 0


async def _apply_erasures(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    """Stops for a box that runs: what it is to forget it must not be giving out meanwhile."""
    with FolderLock(settings.lock_file):
        async with opened(settings, unlock) as box:
            applied = await box.applying.apply_erasures()
    items = [{"request": str(one.request), "what": one.what, "outcome": one.outcome} for one in applied]
    show(options, items, ("request", "what", "outcome"), "Nothing was erased since.")
    return 0


async def _rotate(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    """The old secret opens the box a last time. Blobs are not touched; killed anywhere, the next start goes on."""
    old = ask_unlock(unlock)
    new = ask_unlock(UnlockArguments(options.new_passphrase_file, options.new_key_file), new=True)
    with FolderLock(settings.lock_file):
        await asyncio.to_thread(rotate, settings.keys_folder, old, new)
    print("The root key is new. Keep the old passphrase until the backups made under it have expired.")
    return 0
