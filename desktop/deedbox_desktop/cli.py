"""`deedbox-desktop`: pair, watch, and tell the truth about it. Every command takes `--state DIR` and `--json`."""

import argparse
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from deedbox_desktop import VERSION, commands
from deedbox_desktop.commands import FAILED, Call
from deedbox_desktop.engine.errors import DeskError
from deedbox_desktop.engine.state_folder import StateFolder, default_root
from deedbox_desktop.terminal import json_line
from deedbox_disk.errors import DiskError
from deedbox_disk.memory import forbid_core_dumps
from deedbox_sync.errors import SyncError

_EXITS = """exit status:
  0  done; with run --once: everything is receipted
  1  it failed, and says why
  2  the command line is wrong
  3  the box is not in reach; what was captured waits in the spool
  4  a file needs a person: see status
  5  sync is stopped, since something at the box cannot be true: see status"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    forbid_core_dumps()
    options = _parser().parse_args(arguments)
    run: Callable[[Call, argparse.Namespace], int] = options.run
    call = Call(StateFolder(options.state), options.json, options.passphrase_file)
    try:
        return run(call, options)
    except (DeskError, DiskError, SyncError) as error:
        if options.json:
            print(json_line({"error": type(error).__name__, "words": str(error)}))
        else:
            print(str(error), file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deedbox-desktop",
        description="Watches folders and brings what appears in them to the firm's box, signed here before it leaves.",
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--state", type=Path, default=default_root(), metavar="DIR", help="where this desk keeps what it knows"
    )
    shared.add_argument("--json", action="store_true", help="answer as one JSON object")
    shared.add_argument("--passphrase-file", type=Path, metavar="FILE", help="the passphrase that protects the keys")
    words = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    pair = words.add_parser("pair", parents=[shared], help="pair with a box, by its address and a one-time code")
    pair.add_argument("url", help="https://host:port of the box's pages")
    pair.add_argument("code", help="NNN-XXXXX-XXXXX, from an administrator")
    pair.add_argument("--name", default=platform.node() or "desk", help="what the box calls this desk")
    pair.set_defaults(run=commands.pair)

    add = words.add_parser("add-folder", parents=[shared], help="watch a folder for a case")
    add.add_argument("folder", type=Path)
    add.add_argument("--case", required=True, metavar="NUMBER", help="the case's number, or its id")
    add.add_argument("--ignore", action="append", default=[], metavar="PATTERN", help="names to pass over, as *.bak")
    add.add_argument("--quiet", type=float, metavar="SECONDS", help="how long a file must be left alone to be whole")
    add.set_defaults(run=commands.add_folder)

    run = words.add_parser("run", parents=[shared], help="watch and send")
    run.add_argument("--once", action="store_true", help="end when everything there is has settled")
    run.add_argument(
        "--patience", type=float, default=0.0, metavar="SECONDS", help="with --once: how long to wait for the box"
    )
    run.set_defaults(run=commands.run)

    status = words.add_parser("status", parents=[shared], help="the truth about every file ever seen")
    status.set_defaults(run=commands.status)

    head = words.add_parser(
        "journal-head", parents=[shared], help="the last statement's digest, to be photographed or texted"
    )
    head.set_defaults(run=commands.journal_head)

    mint = words.add_parser("mint", parents=[shared], help="identifiers for files as they are, with or without a box")
    mint.add_argument("files", type=Path, nargs="+", metavar="FILE")
    mint.set_defaults(run=commands.mint)

    named = words.add_parser("identifiers", parents=[shared], help="whether each capture gets an identifier of its own")
    named.add_argument("switch", choices=("on", "off"))
    named.set_defaults(run=commands.switch_identifiers)

    resume = words.add_parser("resume", parents=[shared], help="go on after a stop, and try held files again")
    resume.set_defaults(run=commands.resume)
    return parser
