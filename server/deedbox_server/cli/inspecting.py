"""`audit`: read everything, trust nothing."""

from __future__ import annotations

import argparse
import json
import sys

from deedbox_disk.errors import DiskError
from deedbox_server.app.box import open_box
from deedbox_server.audit import Report, Sources, audit, audit_pages
from deedbox_server.cli.unlocking import UnlockArguments, ask_unlock
from deedbox_server.database import DatabaseError
from deedbox_server.errors import DeedboxError
from deedbox_server.settings import Settings
from deedbox_server.vault.keyring import Keyring

_SHOWN = 200


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("audit", help="read log, database and every blob, and say what does not hold")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_audit)


async def _audit(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    keyring = Keyring.open(settings.keys_folder, ask_unlock(unlock))
    sealed = {settings.keys_folder / "keys.db": keyring.named("key-store"), settings.index_file: keyring.named("index")}
    if settings.database_url is None:
        sealed[settings.database_file] = keyring.named("database")
    report = audit_pages(sealed)  # first: opening a box repairs what can be made anew, such as the search index
    try:
        async with open_box(settings, keyring) as box:
            await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    except (DatabaseError, DeedboxError, DiskError) as error:
        report.add("box", f"cannot be opened: {error}")
    _show(report, as_json=options.json)
    return 0 if report.clean else 1


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
