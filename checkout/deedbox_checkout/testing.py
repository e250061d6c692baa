"""./deedbox test: lint, then every test. `./deedbox test crash` runs the crash tests with many more kills."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from deedbox_checkout.linting import lint
from deedbox_checkout.places import CHECKOUT

CRASH_ROUNDS = "DEEDBOX_CRASH_ROUNDS"  # kills a side; the normal run has 10


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("test", help="lint, types, import contracts and all tests; more words go to pytest")
    command.set_defaults(run=_run, takes_rest=True)


def _run(_options: argparse.Namespace, rest: list[str]) -> int:
    if rest == ["crash"]:
        os.environ.setdefault(CRASH_ROUNDS, "100")
        return _pytest(["tests/crash"])
    if not rest and lint() != 0:
        print("lint failed: the tests were not run", file=sys.stderr)
        return 1
    return _pytest(rest)


def _pytest(arguments: list[str]) -> int:
    """In a process of its own: this one also serves checkouts that have no pytest.

    Many tests have real clocks, disks and processes, on a machine that may stand still for a second: one that fails gets a
    second try, and the summary names it (RERUN). Plain `pytest` gives none.
    """
    command = [sys.executable, "-m", "pytest", "-raR", "--reruns=1", "--reruns-delay=1", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode
