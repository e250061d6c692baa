"""`deedbox-server`: make, run, look after and audit a box from a shell."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deedbox_disk.errors import DiskError
from deedbox_disk.memory import forbid_core_dumps
from deedbox_server.cli import (
    administer,
    cases,
    completion,
    describing,
    devices,
    inspecting,
    keys,
    running,
    users,
    witnesses,
)
from deedbox_server.cli.unlocking import UnlockArguments, add_unlock_arguments
from deedbox_server.errors import DeedboxError
from deedbox_server.settings import Settings, SettingsError

OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: done; 1: refused, failed, or looked and found something wrong; 2: not understood (arguments, settings). One
    sentence on standard error says why."""
    forbid_core_dumps()
    parser = _parser()
    options = parser.parse_args(arguments)
    if hasattr(options, "without_box"):
        return int(options.without_box(options))
    if options.data is None:
        parser.error("the following arguments are required: --data")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would name every address that it calls
    try:
        settings = Settings.load(
            options.data,
            os.environ,
            name=options.name,
            people_host=options.listen,
            device_host=options.listen,
            people_port=options.people_port,
            device_port=options.device_port,
        )
        unlock = UnlockArguments(options.passphrase_file, options.key_file or settings.key_file)
        return int(asyncio.run(options.run(settings, unlock, options)))
    except SettingsError as error:
        print(f"deedbox-server: {error}", file=sys.stderr)
        return USAGE
    except (DeedboxError, DiskError) as error:
        print(f"deedbox-server: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deedbox-server", description=__doc__)
    parser.add_argument("--data", type=Path, help="the box's data folder")
    parser.add_argument("--listen", help="the address both listeners bind")
    parser.add_argument("--people-port", type=int)
    parser.add_argument("--device-port", type=int)
    parser.add_argument("--name", help="the box's name, as desks show it")
    add_unlock_arguments(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    running.add_commands(commands)
    administer.add_commands(commands)
    for module in (users, devices, keys, cases):
        module.add_commands(commands)
    completion.add_commands(commands, parser)
    inspecting.add_commands(commands)
    witnesses.add_commands(commands)
    describing.add_commands(commands)
    return parser


__all__ = ["main"]
