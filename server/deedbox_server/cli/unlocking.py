"""How the command gets the secret that unlocks a box: a file, or a question on the terminal. Never an argument."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import dataclass
from pathlib import Path

from deedbox_server.settings import SettingsError
from deedbox_server.vault.unlock import KeyFile, Passphrase, Unlock

_MAX_SECRET = 4096


@dataclass(frozen=True)
class UnlockArguments:
    passphrase_file: Path | None
    key_file: Path | None


def add_unlock_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--passphrase-file", type=Path, help="a file whose first line is the passphrase")
    parser.add_argument("--key-file", type=Path, help="a key file: for trial only, it protects nothing beside the data")


def ask_unlock(arguments: UnlockArguments, *, new: bool = False) -> Unlock:
    """The way to unlock. With `new` a key file is made where there is none, and a passphrase is asked for twice."""
    if arguments.passphrase_file is not None:
        return Passphrase(read_secret(arguments.passphrase_file))
    if arguments.key_file is not None:
        if new and not arguments.key_file.exists():
            return KeyFile.create(arguments.key_file)
        return KeyFile(arguments.key_file)
    if not sys.stdin.isatty():
        raise SettingsError("Say how to unlock the box: --passphrase-file FILE, or --key-file FILE for a trial.")
    first = getpass.getpass("Passphrase of the box: ")
    if new and getpass.getpass("The same again: ") != first:
        raise SettingsError("The two passphrases differ; nothing was made.")
    return Passphrase(first)


def read_secret(path: Path) -> str:
    """The first line of a file that holds a secret."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MAX_SECRET).split("\n", 1)[0]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error
