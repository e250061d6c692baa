"""./deedbox audit, user, case, key, keys …: the box's own commands, on the box that `up` made (or on another, with `--data`)."""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
from pathlib import Path

from deedbox_checkout.local_box import program
from deedbox_checkout.places import state_folder
from deedbox_disk import durable

_WORDS = {
    "audit": "read log, database and every blob, and say what does not hold; `audit list`: who did and saw what",
    "user": "accounts: `user list`, `user invite` … (`user --help` tells all)",
    "device": "desks: `device list`, `device pair-code` …",
    "case": "matters and who may see them: `case list`, `case grant` …",
    "key": "API keys: `key make`, `key revoke` …",
    "keys": "`keys rotate`: replace the root key",
    "devices": "list the paired desks",
    "pair-code": "a one-time code for another desk",
    "revoke": "revoke a desk",
}
_NEXT = "passphrase.next"


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for word, words in _WORDS.items():
        command = commands.add_parser(word, help=words, add_help=False)
        command.add_argument("--data", type=Path)
        command.add_argument("--passphrase-file", type=Path)
        command.set_defaults(run=_run, takes_rest=True, word=word)


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    home = state_folder() / "up"
    data = options.data or home / "box"
    passphrase = options.passphrase_file or home / "secrets" / "passphrase"
    if {"-h", "--help"} & set(rest):  # which needs no box
        return _box(data, passphrase, options.word, *rest).returncode
    if not passphrase.exists():
        print(
            f"deedbox: there is no {passphrase}: `./deedbox up` makes a box, or name one with --data and --passphrase-file.",
            file=sys.stderr,
        )
        return 2
    finish_rotation(data, passphrase)
    if (options.word, rest) == ("keys", ["rotate"]):
        return _rotate(data, passphrase)
    return _box(data, passphrase, options.word, *rest).returncode


def _rotate(data: Path, passphrase: Path) -> int:
    """A new root key under a new random passphrase, which takes the old one's place in the file once it opens the box."""
    fresh = passphrase.with_name(_NEXT)
    durable.write_file(fresh, f"{secrets.token_urlsafe(24)}\n".encode())
    done = _box(data, passphrase, "keys", "rotate", "--new-passphrase-file", str(fresh))
    finish_rotation(data, passphrase)
    return done.returncode


def finish_rotation(data: Path, passphrase: Path) -> None:
    """After a rotation, also one that was cut short: keep whichever passphrase opens the box."""
    fresh = passphrase.with_name(_NEXT)
    if not fresh.exists():
        return
    if _box(data, fresh, "devices", quiet=True).returncode == 0:
        durable.write_file(passphrase, fresh.read_bytes())
        print(f"The passphrase in {passphrase} is new.", file=sys.stderr)
    fresh.unlink()


def _box(data: Path, passphrase: Path, *words: str, quiet: bool = False) -> subprocess.CompletedProcess[bytes]:
    command = [*program("deedbox_server"), "--data", str(data), "--passphrase-file", str(passphrase), *words]
    return subprocess.run(command, check=False, capture_output=quiet)
