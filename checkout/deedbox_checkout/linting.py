"""./deedbox lint: format, style, types, import contracts; nothing is changed."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from deedbox_checkout.places import CHECKOUT

_FOLDERS = ("server", "desktop", "sync", "checkout", "packaging", "tests")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("lint", help="format, style, types and import contracts")
    command.set_defaults(run=_run, takes_rest=False)


def _run(_options: argparse.Namespace, _rest: list[str]) -> int:
    return lint()


def lint() -> int:
    """Run every check and say which failed; 0 when none did."""
    tools = Path(sys.executable).parent
    checks: dict[str, list[str]] = {
        "style": [str(tools / "ruff"), "check", "--quiet", *_FOLDERS],
        "format": [str(tools / "ruff"), "format", "--quiet", "--check", *_FOLDERS],
        "types": [str(tools / "mypy")],
        "imports": [str(tools / "lint-imports"), "--no-cache"],
    }
    failed = []
    for name, command in checks.items():
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        print(f"{'✓' if done.returncode == 0 else '✕'} {name}", flush=True)
        if done.returncode != 0:
            failed.append(name)
            print(done.stdout + done.stderr, file=sys.stderr, flush=True)
    return 1 if failed else 0
