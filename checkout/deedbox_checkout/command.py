"""./deedbox: up, demo, test, lint, bench; and the box's own commands on the same data folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deedbox_checkout import bench, boxes, demo, describing, linting, testing, up


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./deedbox", description="Everything that a checkout of Deedbox can do.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (demo, up, testing, linting, bench, boxes, describing):
        module.add_command(commands)
    options, rest = parser.parse_known_args(arguments)
    if rest and not options.takes_rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        return int(options.run(options, rest))
    except KeyboardInterrupt:
        print("\ndeedbox: stopped.", file=sys.stderr)
        return 130
