"""./deedbox api schema: what the box's calls are; needs no box."""

from __future__ import annotations

import argparse
import subprocess

from deedbox_checkout.local_box import program


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("api", help="`api schema`: the OpenAPI document of the box's calls", add_help=False)
    command.set_defaults(run=_run, takes_rest=True)


def _run(_options: argparse.Namespace, rest: list[str]) -> int:
    return subprocess.run([*program("deedbox_server"), "api", *rest], check=False).returncode
