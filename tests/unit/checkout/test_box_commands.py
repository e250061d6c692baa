"""What the checkout's own commands say where there is no box."""

import subprocess
import sys
from pathlib import Path

import pytest


def deedbox(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deedbox_checkout", *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", [("user", "--help"), ("case", "open", "--help"), ("audit", "list", "-h")])
def test_help_needs_no_box(words: tuple[str, ...], tmp_path: Path) -> None:
    done = deedbox(*words, "--data", str(tmp_path / "none"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")


def test_a_command_without_its_box_says_how_to_make_one(tmp_path: Path) -> None:
    done = deedbox("user", "list", "--data", str(tmp_path), "--passphrase-file", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "./deedbox up" in done.stderr
