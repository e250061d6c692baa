"""How a small service gets the secret that its key is under: a file, or a question on the terminal. Never an argument."""

import argparse
import getpass
import sys
from pathlib import Path

from deedbox_disk.errors import KeyLocked
from deedbox_disk.locked_key import KeyFile, Passphrase, Way

_MAX_SECRET = 4096  # bytes of a file that holds one


def add_unlock_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="a file whose first line is the passphrase"
    )
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="a key file of mode 0600, best on another disk")


def ask_way(options: argparse.Namespace, whose: str, *, new: bool = False) -> Way:
    """The way to unlock that was given by `add_unlock_arguments`, else asked for; a new passphrase is asked for twice."""
    if options.passphrase_file is not None:
        return Passphrase(read_secret(options.passphrase_file))
    if options.key_file is not None:
        return KeyFile(options.key_file)
    if not sys.stdin.isatty():
        raise KeyLocked(f"Say how to unlock the {whose}: --passphrase-file FILE, or --key-file FILE.")
    first = getpass.getpass(f"Passphrase of the {whose}: ")
    if new and getpass.getpass("The same again: ") != first:
        raise KeyLocked("The two passphrases differ; nothing was made.")
    return Passphrase(first)


def read_secret(path: Path) -> str:
    """The first line of a file that holds a secret. OSError where it cannot be read."""
    with path.open("rb") as file:
        data = file.read(_MAX_SECRET)
    try:
        return data.decode("utf-8").split("\n", 1)[0].strip()
    except UnicodeDecodeError as error:
        raise KeyLocked(f"{path} does not hold a line of text.") from error
