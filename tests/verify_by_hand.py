"""VERIFY.md's `sh` blocks, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deedbox_sync.bundle.page import VERIFY_TEXT

PREPARE, *BLOCKS = re.findall(r"^```sh\n(.*?)^```$", VERIFY_TEXT, re.DOTALL | re.MULTILINE)
(FILES, STATEMENTS, CHECKPOINT, RECEIPTS, CUSTODY, DEVICES, OLDER, STAMPS, REVOKED, WITNESSES, BEACONS) = BLOCKS
NAMES = [
    "files",
    "statements",
    "log",
    "receipts",
    "custody",
    "devices",
    "older",
    "stamps",
    "revoked",
    "witnesses",
    "beacons",
]

#: All that the page says it needs, and what every system's shell has.
TOOLS = ("sh", "sed", "grep", "base64", "sha256sum", "xxd", "date", "openssl")
USUAL = ("cat", "cmp", "cut", "find", "head", "mktemp", "rm", "sort", "tail", "tr", "wc")

HAS_TOOLS = all(map(shutil.which, TOOLS))


def run(block: str, folder: Path, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", PREPARE + block],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
