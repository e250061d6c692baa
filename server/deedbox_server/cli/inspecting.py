"""`audit`: read everything, trust nothing."""

from __future__ import annotations

import argparse
import json
import sys

from deedbox_disk.errors import DiskError
from deedbox_server.app.box import open_box
from deedbox_server.audit import Report, Sources, audit, audit_pages, audit_presence
from deedbox_server.cli import trail
from deedbox_server.cli.unlocking import UnlockArguments, ask_unlock
from deedbox_server.database import DatabaseError
from deedbox_server.errors import DeedboxError
from deedbox_server.settings import Settings, SettingsError
from deedbox_server.vault.errors import CannotUnlock, DamagedKeys
from deedbox_server.vault.key_tables import FILE_NAME as KEY_STORE_FILE
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.root_file import FILE_NAME as ROOT_FILE

_SHOWN = 200


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("audit", help="read log, database and every blob, and say what does not hold")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_audit)
    trail.add_actions(command)


async def _audit(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    if not settings.keys_folder.is_dir():
        raise SettingsError(f"There is no box in {settings.data}.")
    report = Report()
    try:
        keyring = Keyring.open(settings.keys_folder, ask_unlock(unlock))
    except (CannotUnlock, DamagedKeys) as error:  # a wrong secret and a changed file look the same
        report.add(ROOT_FILE, str(error))
    else:
        await _look(settings, keyring, report)
    _show(report, as_json=options.json)
    return 0 if report.clean else 1


async def _look(settings: Settings, keyring: Keyring, report: Report) -> None:
    sealed = {settings.keys_folder / KEY_STORE_FILE: keyring.named("key-store")}
    if settings.database_url is None:
        sealed[settings.database_file] = keyring.named("database")
    there = audit_presence(sealed, report)
    sealed[settings.index_file] = keyring.named("index")  # this one may be made anew at any time
    audit_pages(sealed, report)  # first: opening a box repairs what can be made anew
    if not there:
        return
    try:
        async with open_box(settings, keyring) as box:
            await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    except (DatabaseError, DeedboxError, DiskError) as error:
        report.add("box", f"cannot be opened: {error}")


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        findings = [{"where": finding.where, "what": finding.what} for finding in report.findings]
        print(json.dumps({"clean": report.clean, "counts": report.counts, "findings": findings}))
        return
    for what, number in report.counts.items():
        print(f"{number:>12,}  {what}")
    for finding in report.findings[:_SHOWN]:
        print(f"✕ {finding.where}: {finding.what}", file=sys.stderr)
    if len(report.findings) > _SHOWN:
        print(f"✕ and {len(report.findings) - _SHOWN} more (--json shows all)", file=sys.stderr)
    print("✓ everything holds" if report.clean else f"✕ {len(report.findings)} findings")
