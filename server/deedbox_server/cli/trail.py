"""`audit list`, `export` and `report`: who did, saw and was refused what. `audit` alone reads everything and says what does not
hold."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from deedbox_disk import durable
from deedbox_server.app.parts import Box
from deedbox_server.cli import finding
from deedbox_server.cli.administer import opened
from deedbox_server.cli.telling import add_json, done, local, moment, show
from deedbox_server.cli.unlocking import UnlockArguments
from deedbox_server.people.principal import SYSTEM
from deedbox_server.settings import Settings
from deedbox_server.trail import Asked
from deedbox_server.trail.files import csv_head, csv_line, json_line, members


def add_actions(command: argparse.ArgumentParser) -> None:
    """Beneath `audit`, which goes on doing what it does where none of these is named."""
    actions = command.add_subparsers(metavar="ACTION")
    listed = actions.add_parser("list", help="the newest rows of the trail")
    listed.add_argument("--limit", type=int, default=100, help="at most 500")
    listed.set_defaults(run=_list)
    export = actions.add_parser("export", help="all rows as a file, oldest first")
    export.add_argument("--format", choices=("csv", "jsonl"), default="csv")
    export.add_argument("--into", type=Path, help="a file instead of standard output")
    export.set_defaults(run=_export)
    report = actions.add_parser("report", help="a paper to file, as PDF, signed by the box")
    report.add_argument("--into", type=Path, required=True, help="the file that is made")
    report.set_defaults(run=_report)
    for action in (listed, export, report):
        action.add_argument("--case", metavar="NUMBER", help="only of this case")
        action.add_argument("--person", metavar="NAME", help="only what this account or its devices did")
        action.add_argument("--operation", help="only this, such as evidence.read")
        action.add_argument("--outcome", choices=("changed", "refused", "viewed"))
        action.add_argument("--object", type=UUID, help="only about this")
        action.add_argument("--since", type=moment, help="a date or time")
        action.add_argument("--until", type=moment, help="the first date or time after")
    for action in (listed, report):
        add_json(action)


async def _list(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        page = await box.trail_reading.page(SYSTEM, await _asked(box, options), limit=options.limit)
    items = [
        members(told) | ({} if options.json else {"time": local(told.time), "name": told.name or told.actor})
        for told in page.rows
    ]
    columns = ("time", "outcome", "operation", "name", "address", "case", "object", "why")
    show(options, items, columns, "Nothing is there.")
    return 0


async def _export(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        out: BinaryIO = sys.stdout.buffer
        if options.into is not None:
            out = stack.enter_context(options.into.open("xb"))
        rows = 0
        async with opened(settings, unlock) as box:
            if options.format == "csv":
                out.write(csv_head())
            async for told in box.trail_reading.all(SYSTEM, await _asked(box, options)):
                out.write(csv_line(told) if options.format == "csv" else json_line(told))
                rows += 1
        out.flush()
    if options.into is not None:
        options.json = False
        done(options, {}, f"{rows:,} rows are in {options.into}.")
    return 0


async def _report(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        paper = await box.audit_reports.make(SYSTEM, await _asked(box, options))
    durable.write_file(options.into, paper)
    done(options, {"into": str(options.into), "bytes": len(paper)}, f"The report is in {options.into}.")
    return 0


async def _asked(box: Box, options: argparse.Namespace) -> Asked:
    return Asked(
        None if options.case is None else await finding.case(box, options.case),
        None if options.person is None else (await finding.account(box, options.person)).id,
        options.operation,
        options.outcome,
        options.object,
        options.since,
        options.until,
    )
