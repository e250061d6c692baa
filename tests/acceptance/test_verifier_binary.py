"""`deedbox-verify` as one built file: it is built once here, by the recipe that people use, and then run as strangers would."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from broken_bundles import make
from bundle_maker import Stamp, good_bundle
from bundle_spoils import ORIGINAL_1, flip
from deedbox_checkout.places import CHECKOUT
from local_tsa import LocalTsa
from miniature_log import LOG_VKEY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recipe was only ever run on Linux")

#: All that the bare root folder gets: the C library in its files, and zlib, which every package manager needs too.
SYSTEM_LIBRARIES = ("libc", "libdl", "libm", "libpthread", "librt", "libutil", "libz")

BUILD_S = 300  # on a loaded machine; 15 s on an idle one
LEAST_BUNDLES = 200


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The program, and what its build said."""
    output = tmp_path_factory.mktemp("verifier")
    recipe = CHECKOUT / "packaging" / "verifier" / "build.py"
    done = subprocess.run(
        [sys.executable, str(recipe), "--output", str(output)],
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return output / "deedbox-verify", done.stdout


@pytest.fixture(scope="module")
def program(told: tuple[Path, str]) -> Path:
    return told[0]


def lay(files: Mapping[str, bytes], root: Path) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good, stamped bundle, a spoiled one, and pinned keys for the authority and the log."""
    folder = tmp_path_factory.mktemp("samples")
    tsa = LocalTsa(tmp_path_factory.mktemp("tsa"))
    good = good_bundle(Stamp(tsa.token))
    lay(good, folder / "good")
    lay(flip(ORIGINAL_1)(good), folder / "spoiled")
    (folder / "trust.json").write_text(json.dumps({"logs": [LOG_VKEY], "tsa_roots": [tsa.root]}))
    return folder


def test_the_build_says_version_digest_and_what_it_needs(told: tuple[Path, str]) -> None:
    program, said = told
    assert re.search(r"^deedbox-verify \d+\.\d+\.\d+ for Linux \w+, needs glibc 2\.\d+ or newer$", said, re.MULTILINE)
    assert f"SHA-256 {hashlib.sha256(program.read_bytes()).hexdigest()}" in said


def test_it_runs_with_an_empty_environment(program: Path, samples: Path) -> None:
    arguments = ["good", "spoiled", "--trust", "trust.json", "--json"]
    done = subprocess.run([program, *arguments], cwd=samples, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == [0, 1]


def test_it_needs_nothing_but_the_c_library_and_zlib(program: Path, samples: Path, tmp_path: Path) -> None:
    """In a root folder with these libraries and itself, without any network; time stamps are judged there too."""
    arguments = ["good", "--trust", "trust.json", "--require", "intact,anchored,attributed"]
    done = run_alone(bare_root(program, tmp_path / "root"), samples, arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "by Local time-stamp authority" in done.stdout


def test_it_gives_the_expected_verdict_on_each_bundle_of_the_set(program: Path, tmp_path: Path) -> None:
    """All of them in the bare root folder: beacons, stamps and cosignatures are judged, nothing is left unchecked."""
    folder = tmp_path / "set"
    count = make.write(folder)
    assert count >= LEAST_BUNDLES
    root = bare_root(program, tmp_path / "root")
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for bundle in json.loads((folder / "expected.json").read_text())["bundles"]:
        groups[bundle["trust"], bundle["require"]].append(bundle)
    wrong = []
    for (trust, require), bundles in groups.items():
        arguments = ["--json", "--trust", trust, "--require", require, *(bundle["path"] for bundle in bundles)]
        done = run_alone(root, folder, arguments)
        verdicts = [answers(json.loads(line)) for line in done.stdout.splitlines()]
        assert len(verdicts) == len(bundles), done.stderr
        for bundle, verdict in zip(bundles, verdicts, strict=True):
            expected = {name: bundle[name] for name in verdict}
            if verdict != expected:
                wrong.append((bundle["name"], verdict, expected))
    assert wrong == []


def answers(told: dict[str, Any]) -> dict[str, Any]:
    """A verdict as expected.json has it."""
    codes = sorted({finding["code"] for finding in told.get("findings", ())})
    parts = {name: told[name]["answer"] if name in told else None for name in ("intact", "anchored", "attributed")}
    return {"status": told["status"], "codes": codes, **parts}


def run_alone(root: Path, files: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """The program in a root folder of its own, with an empty environment; `files` is where it stands."""
    jail = ["bwrap", "--unshare-all", "--clearenv", "--ro-bind", str(root), "/", "--tmpfs", "/tmp"]
    place = ["--ro-bind", str(files), "/samples", "--chdir", "/samples", "/deedbox-verify"]
    return subprocess.run([*jail, *place, *arguments], capture_output=True, text=True, check=False)


def bare_root(program: Path, root: Path) -> Path:
    for folder in ("tmp", "samples"):
        (root / folder).mkdir(parents=True)
    shutil.copy(program, root)
    linked = subprocess.run(["ldd", sys.executable], capture_output=True, text=True, check=True).stdout
    loader = Path(re.search(r"^\s*(/\S*/ld-linux\S*)", linked, re.MULTILINE)[1])  # type: ignore[index]
    (root / loader.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
    shutil.copy(loader, root / loader.relative_to("/"))
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    for name in SYSTEM_LIBRARIES:
        found = Path(re.search(rf"^\s*{name}\.so\.\d+ \(libc6,.* => (\S+)$", cache, re.MULTILINE)[1])  # type: ignore[index]
        (root / "lib").mkdir(exist_ok=True)
        shutil.copy(found, root / "lib" / found.name)
    return root
