"""`init` and `run`."""

from __future__ import annotations

import argparse
import getpass
import json
import os
from pathlib import Path

from deedbox_disk import durable
from deedbox_disk.folder_lock import FolderLock
from deedbox_server.app.box import make_folders, open_box
from deedbox_server.app.creation import create_box, is_box
from deedbox_server.app.serving import Addresses, serve
from deedbox_server.cli.unlocking import UnlockArguments, ask_unlock, read_secret
from deedbox_server.settings import Settings, SettingsError
from deedbox_server.vault.keyring import Keyring


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = commands.add_parser("init", help="make a new box")
    init.add_argument("--owner", required=True, help="name of the first account")
    init.add_argument("--password-file", type=Path, help="a file whose first line is the owner's password")
    init.set_defaults(run=_init)
    run = commands.add_parser("run", help="run the box until SIGTERM")
    run.add_argument("--ready-file", type=Path, help="written as JSON once the box listens")
    run.set_defaults(run=_run)


async def _init(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    way = ask_unlock(unlock, new=not is_box(settings))
    password = read_secret(options.password_file) if options.password_file else getpass.getpass("Owner's password: ")
    make_folders(settings)
    with FolderLock(settings.lock_file):
        owner = await create_box(settings, way, options.owner, password)
    print("The box is made." if owner is not None else "This box is made already; nothing was changed.")
    return 0


async def _run(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    if not is_box(settings):
        raise SettingsError(f"There is no box in {settings.data}: make one with `deedbox-server --data … init`.")
    with FolderLock(settings.lock_file):
        keyring = Keyring.open(settings.keys_folder, ask_unlock(unlock))
        async with open_box(settings, keyring) as box:

            async def ready(addresses: Addresses) -> None:
                if options.ready_file is not None:
                    facts = {
                        "device": addresses.device,
                        "people": addresses.people,
                        "pid": os.getpid(),
                        "ca": box.authority.pem,
                    }
                    durable.write_file(options.ready_file, json.dumps(facts).encode())
                print(
                    f"People: https://{_shown(addresses.people)}  Devices: https://{_shown(addresses.device)}",
                    flush=True,
                )

            await serve(box, ready)
    return 0


def _shown(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
