"""./deedbox audit, keys …: the box's own commands, on the box that `up` made (or `--data`)."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from deedbox_checkout.local_box import program
from deedbox_checkout.places import state_folder

_WORDS = {
    "audit": "read log, database and every blob, and say what does not hold",
    "keys": "`keys rotate`: replace the root key",
    "devices": "list the paired desks",
    "pair-code": "a one-time code for another desk",
    "revoke": "revoke a desk",
}


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for word, words in _WORDS.items():
        command = commands.add_parser(word, help=words, add_help=False)
        command.add_argument("--data", type=Path)
        command.add_argument("--passphrase-file", type=Path)
        command.set_defaults(run=_run, takes_rest=True, word=word)


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    home = state_folder() / "up"
    data = options.data or home / "box"
    secret = options.passphrase_file or home / "secrets" / "passphrase"
    command = [*program("deedbox_server"), "--data", str(data), "--passphrase-file", str(secret), options.word, *rest]
    return subprocess.run(command, check=False).returncode
