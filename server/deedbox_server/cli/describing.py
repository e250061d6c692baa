"""`api schema`: the OpenAPI document of the box's calls, without a box."""

from __future__ import annotations

import argparse
import sys

from deedbox_server.app.description import described


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("api", help="what the box's calls are")
    asked = command.add_subparsers(required=True, metavar="WHAT")
    schema = asked.add_parser("schema", help="print the OpenAPI 3.1 document; needs no box")
    schema.add_argument("--device", action="store_true", help="of the listener for desks instead of that for people")
    schema.set_defaults(without_box=print_schema)


def print_schema(options: argparse.Namespace) -> int:
    """The same bytes for the same program."""
    sys.stdout.buffer.write(described("device" if options.device else "people"))
    return 0
