"""`witness`: whom the box asks to cosign its log, and whose logs it cosigns; also while the box runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from uuid import UUID

from deedbox_server.cli.administer import opened
from deedbox_server.cli.unlocking import UnlockArguments
from deedbox_server.people import SYSTEM
from deedbox_server.settings import Settings


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    witness = commands.add_parser("witness", help="who watches this box's log, and whose logs it watches")
    actions = witness.add_subparsers(required=True, metavar="COMMAND")
    add = actions.add_parser("add", help="ask this witness to cosign the box's log")
    add.add_argument("vkey", help="the witness's key")
    add.add_argument("url", help="what stands before /add-checkpoint; of another box https://HOST:PORT/witness/v1")
    add.add_argument("--ca", type=Path, help="a PEM certificate to trust there instead of the system's")
    add.set_defaults(run=_add)
    watch = actions.add_parser("watch", help="cosign this log when it asks")
    watch.add_argument("vkey", help="the log's key")
    watch.set_defaults(run=_watch)
    shown = actions.add_parser("list", help="both lists, and the two keys that others need")
    shown.set_defaults(run=_list)
    remove = actions.add_parser("remove", help="take a witness or a log off its list")
    remove.add_argument("id", type=UUID)
    remove.set_defaults(run=_remove)


async def _add(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    ca = options.ca.read_text() if options.ca is not None else None
    async with opened(settings, unlock) as box:
        made = await box.witness_changes.ask(SYSTEM, options.vkey, options.url, ca)
        log = box.notary.vkey
    print(f"{made.name} will be asked. It must be told this log's key:\n{log}")
    return 0


async def _watch(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        made = await box.witness_changes.watch(SYSTEM, options.vkey)
        key = box.witnessing.vkey
    print(f"{made.origin} will be cosigned. Whoever keeps it must be told this witness's key:\n{key}")
    return 0


async def _list(settings: Settings, unlock: UnlockArguments, _options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        print(f"This box's log:      {box.notary.vkey}\nThis box as witness: {box.witnessing.vkey}")
        for asked in await box.witnesses.all():
            why = f"  ({asked.why})" if asked.why else ""
            print(f"asks     {asked.id}  {asked.state:<8} {asked.size:>12,}  {asked.name}{why}")
        for log in await box.witnessing.logs():
            print(f"watches  {log.id}  {log.size:>21,}  {log.origin}")
        for sentence in await box.witnesses.alarms() + await box.witnessing.alarms():
            print(f"△ {sentence}")
    return 0


async def _remove(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        if any(asked.id == options.id for asked in await box.witnesses.all()):
            await box.witness_changes.ask_no_more(SYSTEM, options.id)
        else:
            await box.witness_changes.unwatch(SYSTEM, options.id)
    print("Removed.")
    return 0
