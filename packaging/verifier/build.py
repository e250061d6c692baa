"""Builds `deedbox-verify` as one file that needs nothing, for the system it runs on (README.md beside this).

Two builds of the same sources with the same libraries at the same place give the same bytes: hashes are seeded, dates fixed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
OUTPUT = CHECKOUT / "dist" / "verifier"

#: Found at run time only, where they are installed; here they must be inside.
_LATE = ("py_arkworks_bls12381", "rfc3161_client")

#: What libraries can import and the verifier never does. `socket` stays: `email.utils` imports it, for `cryptography`.
_UNNEEDED = (
    "_bz2", "_ctypes", "_decimal", "_lzma", "_ssl", "asyncio", "bz2", "ctypes", "curses", "decimal", "distutils",
    "doctest", "http", "lzma", "multiprocessing", "pdb", "pip", "pydoc", "readline", "setuptools", "sqlite3", "ssl",
    "statistics", "subprocess", "tkinter", "unittest", "xml", "xmlrpc",
)  # fmt: skip

_GLIBC = re.compile(rb"GLIBC_2\.(\d+)\0")


def build(output: Path = OUTPUT) -> Path:
    """Make the program in `output` and return its path. Needs the extras `build` and `time`, and no network."""
    for name in ("PyInstaller", *_LATE):
        if find_spec(name) is None:
            raise SystemExit(f"{name} is not installed here: run packaging/build, or install the extras build and time")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        metadata = Path(work) / "metadata"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: deedbox\nVersion: {version()}\n")
        command = [
            *(
                sys.executable,
                "-m",
                "PyInstaller",
                "--onefile",
                "--console",
                "--noupx",
                "--clean",
                "--log-level",
                "ERROR",
            ),
            *("--name", "deedbox-verify", "--distpath", str(output), "--workpath", work, "--specpath", work),
            *("--paths", str(CHECKOUT / "sync")),
            *("--add-data", f"{metadata}{os.pathsep}deedbox-{version()}.dist-info"),
            *(word for name in _LATE for word in ("--hidden-import", name)),
            *(word for name in _UNNEEDED for word in ("--exclude-module", name)),
            *(("--strip",) if sys.platform == "linux" else ()),
            str(Path(__file__).with_name("start.py")),
        ]
        steady = {"PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": "1767225600", "PYI_LOG_LEVEL": "ERROR"}
        subprocess.run(command, check=True, cwd=work, env={**os.environ, **steady})
    return output / ("deedbox-verify.exe" if sys.platform == "win32" else "deedbox-verify")


def version() -> str:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def oldest_glibc(program: Path) -> str | None:
    """The C library that it needs at least, by the symbols its parts ask for; None where there is no glibc."""
    from PyInstaller.archive.readers import CArchiveReader  # noqa: PLC0415  # `build` says what to do without it

    archive = CArchiveReader(str(program))
    parts = [program.read_bytes(), *(archive.extract(name) for name, entry in archive.toc.items() if entry[4] == "b")]
    minors = [int(found) for part in parts for found in _GLIBC.findall(part)]
    return f"2.{max(minors)}" if minors else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="packaging/build verifier", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder (dist/verifier)")
    program = build(parser.parse_args().output)
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    glibc = oldest_glibc(program) if sys.platform == "linux" else None
    needs = "" if glibc is None else f", needs glibc {glibc} or newer"
    print(f"{program}\ndeedbox-verify {version()} for {platform.system()} {platform.machine()}{needs}")
    print(f"{program.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
