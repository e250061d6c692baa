"""A bundle as other programs see it: bagit-python, securesystemslib, and whatever unpacks ZIPs here."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import shutil
import subprocess
import zipfile
from pathlib import Path

import bagit
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from bundle_maker import Files, good_bundle
from bundle_spoils import ORIGINAL_1, drop, flip, put
from deedbox_server.evidence.export import prepare_export
from deedbox_sync.bundle import layout
from deedbox_verify.command import main
from export_source_maker import bundle_source
from miniature_log import DESK


def lay(files: Files, folder: Path) -> Path:
    root = folder / "bag"
    for path, data in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return root


def test_bagit_takes_the_bag(tmp_path: Path) -> None:
    bag = bagit.Bag(str(lay(good_bundle(), tmp_path)))
    assert bag.is_valid()
    assert bag.version_info == (1, 0)
    assert (
        bag.info["Payload-Oxum"]
        == f"{sum(len(data) for path, data in good_bundle().items() if path[:5] == 'data/')}.26"
    )


@pytest.mark.parametrize(
    "spoil",
    [flip(ORIGINAL_1), drop(ORIGINAL_1), put("data/extra", b"x", right_manifests=False), flip(layout.MANIFEST)],
    ids=["flipped", "dropped", "added", "manifest"],
)
def test_bagit_refuses_a_spoiled_one(tmp_path: Path, spoil: object, caplog: pytest.LogCaptureFixture) -> None:
    assert callable(spoil)
    root = lay(spoil(good_bundle()), tmp_path)
    with caplog.at_level(logging.CRITICAL), contextlib.suppress(bagit.BagError):
        assert not bagit.Bag(str(root)).is_valid()


def test_securesystemslib_verifies_the_statement_in_both_its_forms() -> None:
    files = good_bundle()
    pem = files[layout.device_key(DESK)].decode()
    raw = load_pem_public_key(pem.encode())
    key = SSlibKey("", "ed25519", "ed25519", {"public": raw.public_bytes_raw().hex()})  # type: ignore[union-attr]
    plain = json.loads(files[layout.statement(1)])
    twin = json.loads(files[layout.sigstore(1)])["dsseEnvelope"]
    for form in (plain, twin):
        accepted = Envelope.from_dict(form).verify([key], 1)
        assert list(accepted)
    assert base64.b64decode(plain["payload"]) == base64.b64decode(twin["payload"])


async def test_an_exported_zip_unpacks_to_a_bag_that_bagit_and_the_verifier_take(tmp_path: Path) -> None:
    prepared = await prepare_export(bundle_source())
    path = tmp_path / prepared.file_name
    path.write_bytes(b"".join([piece async for piece in prepared.stream()]))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    root = tmp_path / prepared.file_name.removesuffix(".zip")
    assert bagit.Bag(str(root)).is_valid()
    assert main([str(root)]) == main([str(path)]) == 0


SEVEN_ZIP = "7z" if shutil.which("7z") else "7zz"  # Debian 13's name and Debian 12's


@pytest.mark.parametrize(
    "tool", [["unzip", "-tq"], ["bsdtar", "-tf"], [SEVEN_ZIP, "t", "-bd"]], ids=lambda tool: tool[0]
)
async def test_unpacking_tools_find_it_whole(tmp_path: Path, tool: list[str]) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    prepared = await prepare_export(bundle_source())
    path = tmp_path / prepared.file_name
    path.write_bytes(b"".join([piece async for piece in prepared.stream()]))
    result = subprocess.run([*tool, str(path)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
