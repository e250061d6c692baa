"""The command that a newcomer types first does the whole main job, and what it leaves behind is what it says."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deedbox_verify.command import main as verify
from kit.drand_network import DrandNetwork
from kit.tsa_server import TsaServer


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """With those who stand outside in our own hands: tests ask nobody on the network."""
    folder = tmp_path_factory.mktemp("demo")
    data = folder / "box"
    command = [sys.executable, "-m", "deedbox_checkout", "demo", "--data", str(data), "--exit", "--json"]
    with DrandNetwork() as network, TsaServer(folder / "authority", "Demo authority") as authority:
        environment = os.environ | {
            "DEEDBOX_BOX_BEACON_CHAIN": network.setting,
            "DEEDBOX_BOX_BEACON_URLS": network.endpoint().url,
            "DEEDBOX_BOX_STAMP_ROOTS": str(authority.tsa.root_file),
            "DEEDBOX_BOX_STAMP_URLS": authority.url,
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), data


def test_it_says_where_everything_is(demo: tuple[dict, Path]) -> None:
    told, data = demo
    wanted = {
        "box_url",
        "api_key",
        "data_dir",
        "watch_folder",
        "case_id",
        "exhibit_ids",
        "bundle",
        "seconds",
        "ca_file",
        "device_url",
    }
    assert wanted <= told.keys()
    assert told["data_dir"] == str(data)
    assert len(told["exhibit_ids"]) == 4


def test_its_bundle_convinces_a_stranger(demo: tuple[dict, Path], capsys: pytest.CaptureFixture[str]) -> None:
    told, _ = demo
    assert verify([told["bundle"], "--require", "intact,attributed"]) == 0
    assert "4 captured by paired devices" in capsys.readouterr().out


def test_its_files_lie_between_two_outside_times(demo: tuple[dict, Path]) -> None:
    told, _ = demo
    anchored = told["verdict"]["anchored"]
    assert (anchored["answer"], anchored["by"]) == ("before", "Demo authority")
    assert anchored["after"] < anchored["before"]


def test_its_secrets_are_private_and_outside_the_data_folder(demo: tuple[dict, Path]) -> None:
    told, data = demo
    secrets = Path(told["ca_file"]).parent
    assert data not in secrets.parents
    for name in ("passphrase", "owner-password", "api-key", "desk-passphrase"):
        assert stat.S_IMODE((secrets / name).stat().st_mode) == 0o600
    secret = told["api_key"].encode()
    assert not any(secret in path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = [sys.executable, "-m", "deedbox_checkout", "demo", "--data", str(tmp_path), "--exit"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
