"""Secrets come from files, never from arguments, and never in silence."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest

from deedbox_disk.errors import KeyLocked
from deedbox_disk.locked_key import KeyFile, Passphrase
from deedbox_disk.unlocking import add_unlock_arguments, ask_way, read_secret


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_unlock_arguments(parser)
    return parser.parse_args(words)


def test_the_passphrase_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("Größe und Maß \r\nand a remark\n", encoding="utf-8")
    assert ask_way(options("--passphrase-file", str(file)), "service") == Passphrase("Größe und Maß")


def test_a_key_file_is_named_and_not_read_yet(tmp_path: Path) -> None:
    assert ask_way(options("--key-file", str(tmp_path / "key")), "service") == KeyFile(tmp_path / "key")


def test_without_a_terminal_it_says_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a passphrase on a pipe\n"))
    with pytest.raises(KeyLocked, match="how to unlock the service: --passphrase-file"):
        ask_way(options(), "service")


def test_what_is_no_text_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    with pytest.raises(KeyLocked, match="does not hold a line of text"):
        read_secret(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        read_secret(tmp_path / "none")
