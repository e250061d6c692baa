"""The broken set's own time-stamp authority makes what openssl takes: its verdicts are not agreed between us alone."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broken_bundles.authority import Authority

NOTE = b"a signed note\n"
TIME = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


def verify(folder: Path, token: bytes, note: bytes, root: str) -> subprocess.CompletedProcess[str]:
    for name, data in (("token.tsr", token), ("note", note), ("root.pem", root.encode())):
        (folder / name).write_bytes(data)
    at = str(int(TIME.timestamp()))
    command = ["openssl", "ts", "-verify", "-in", "token.tsr", "-data", "note", "-CAfile", "root.pem", "-attime", at]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("intermediate", [False, True], ids=["direct", "intermediate"])
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_openssl_takes_its_responses(tmp_path: Path, digest: str, intermediate: bool) -> None:
    authority = Authority("Example Time Stamping", intermediate=intermediate)
    done = verify(tmp_path, authority.token(NOTE, TIME, digest=digest), NOTE, authority.root_pem)
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stdout


def test_openssl_refuses_other_bytes_and_other_roots(tmp_path: Path) -> None:
    authority = Authority("Example Time Stamping")
    token = authority.token(NOTE, TIME)
    assert verify(tmp_path, token, b"other", authority.root_pem).returncode != 0
    assert verify(tmp_path, token, NOTE, Authority("Another").root_pem).returncode != 0


def test_openssl_takes_its_crls(tmp_path: Path) -> None:
    authority = Authority("Example Time Stamping")
    (tmp_path / "root.pem").write_text(authority.root_pem)
    (tmp_path / "crl.der").write_bytes(authority.crls(TIME, TIME)[0])
    command = ["openssl", "crl", "-inform", "DER", "-in", "crl.der", "-CAfile", "root.pem", "-noout", "-text"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "verify OK" in done.stderr
    assert "Serial Number: 02" in done.stdout
