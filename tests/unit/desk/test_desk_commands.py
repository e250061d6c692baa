"""The command line: what it prints, what it refuses, and its exit status."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from deedbox_desktop import commands
from deedbox_desktop.cli import main
from deedbox_desktop.engine.journal import facts
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.keys import DeskKeys, create_keys
from deedbox_desktop.engine.model import Stop
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_sync import identifier, timestamp
from unit.desk.box_simulator import CASE, BoxSimulator
from unit.desk.tls_site import authority, issue

PASSPHRASE = "correct horse battery"
NOWHERE = "https://127.0.0.1:9"  # discard: nothing listens there


@dataclass
class Shell:
    """Runs commands on one state folder and keeps what they print."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> tuple[int, str, str]:
        word, *rest = arguments
        shared = ["--state", str(self.root / "state"), "--passphrase-file", str(self.root / "passphrase")]
        status = main([word, *shared, *rest])
        printed = self.capture.readouterr()
        return status, printed.out, printed.err

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        status, out, _ = self.run(*arguments, "--json")
        told: dict[str, Any] = json.loads(out)
        return status, told

    def journal(self, keys: DeskKeys) -> Journal:
        return Journal(StateFolder(self.root / "state").journal, keys.journal)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    return Shell(tmp_path, capsys)


@pytest.fixture
def paired(shell: Shell) -> Iterator[tuple[Shell, DeskKeys]]:
    """A desk that was paired with a box which cannot be reached any more."""
    state = StateFolder(shell.root / "state")
    state.make()
    keys = create_keys(state.keys, passphrase=PASSPHRASE, keyring=None)
    ca_key, ca = authority("Box CA")
    certificate = issue(ca_key, ca, keys.tls_key, ExtendedKeyUsageOID.CLIENT_AUTH)
    box = replace(
        BoxSimulator(keys.statement_key.public_key()).facts(),
        device_url=NOWHERE,
        people_url=NOWHERE,
        ca=ca.public_bytes(Encoding.PEM).decode(),
        certificate=certificate.public_bytes(Encoding.PEM).decode(),
    )
    journal = shell.journal(keys)
    journal.write(lambda db: facts.put_box(db, box))
    journal.close()
    (shell.root / "evidence").mkdir()
    yield shell, keys


def test_before_pairing_every_command_says_so(shell: Shell) -> None:
    for command in (["status"], ["run"], ["journal-head"], ["resume"]):
        status, _, err = shell.run(*command)
        assert status == commands.FAILED
        assert "not paired" in err


def test_without_a_box_in_reach_files_are_captured_and_the_exit_status_says_that_they_wait(
    paired: tuple[Shell, DeskKeys],
) -> None:
    shell, _ = paired
    assert (
        shell.run("add-folder", str(shell.root / "evidence"), "--case", str(CASE), "--quiet", "0")[0] == commands.DONE
    )
    (shell.root / "evidence" / "letter.txt").write_bytes(b"x")
    assert shell.run("run", "--once")[0] == commands.NO_BOX
    status, told = shell.json("status")
    assert status == commands.DONE
    assert told["counts"] == {"captured": 1}
    [file] = told["files"]
    assert (file["path"], file["state"], file["sequence"], file["spooled"]) == ("letter.txt", "captured", 1, True)
    assert told["journal"]["sequence"] == 1
    assert (told["state"], told["box"]["address"], told["box"]["last_seen"]) == ("paired", NOWHERE, None)


def test_status_for_people_is_aligned_and_in_words(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    shell.run("add-folder", str(shell.root / "evidence"), "--case", str(CASE), "--quiet", "0")
    for name in ("a.txt", "a longer name.txt", "bell\x07.txt", "~$a.docx"):
        (shell.root / "evidence" / name).write_bytes(b"x" * 1234)
    shell.run("run", "--once")
    _, out, _ = shell.run("status")
    lines = [line for line in out.splitlines() if "1.2 KB" in line]
    assert len(lines) == 4
    assert len({line.index("1.2 KB") for line in lines}) == 1
    assert "\x07" not in out
    assert "A helper file that programs leave while they work" in out
    assert "3 captured, 1 ignored" in out


def test_the_journals_head_is_printed_in_groups_of_four(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    status, told = shell.json("journal-head")
    assert (status, told["sequence"], told["digest"]) == (commands.DONE, 0, "0" * 64)
    _, out, _ = shell.run("journal-head")
    assert " ".join(["0000"] * 16) in out


def test_a_stop_is_told_with_its_own_exit_status_until_it_is_cleared(paired: tuple[Shell, DeskKeys]) -> None:
    shell, keys = paired
    journal = shell.journal(keys)
    since = timestamp.parse("2026-03-14T12:00:00.000000Z")
    journal.write(lambda db: facts.put_stop(db, Stop("log-fork", "The log forked.", since)))
    journal.close()
    assert shell.json("status")[0] == commands.STOPPED
    status, told = shell.json("run", "--once")
    assert (status, told["state"], told["stop"]["words"]) == (commands.STOPPED, "stopped", "The log forked.")
    status, told = shell.json("resume")
    assert (status, told["was"]) == (commands.DONE, "log-fork")
    assert shell.json("status")[1]["state"] == "paired"


def test_folders_must_be_apart(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    inner = shell.root / "evidence" / "inner"
    inner.mkdir()
    assert shell.run("add-folder", str(shell.root / "evidence"), "--case", str(CASE))[0] == commands.DONE
    for wrong in (inner, shell.root, shell.root / "state", shell.root / "state" / "spool", shell.root / "nowhere"):
        assert shell.run("add-folder", str(wrong), "--case", str(CASE))[0] == commands.FAILED, wrong
    again = ["add-folder", str(shell.root / "evidence"), "--case", str(CASE), "--ignore", "*.bak"]
    assert shell.run(*again)[0] == commands.DONE
    [folder] = shell.json("status")[1]["folders"]
    assert folder["ignore"] == ["*.bak"]


def test_an_unknown_case_number_with_no_box_to_ask_is_refused(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    status, _, err = shell.run("add-folder", str(shell.root / "evidence"), "--case", "2026-1")
    assert status == commands.FAILED
    assert "cannot be reached" in err


def test_a_wrong_passphrase_opens_nothing(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    (shell.root / "passphrase").write_text("wrong horse battery")
    status, told = shell.json("status")
    assert (status, told["error"]) == (commands.FAILED, "KeysLocked")


def test_the_passphrase_file_may_be_named_by_the_environment(
    paired: tuple[Shell, DeskKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, _ = paired
    monkeypatch.setenv(commands.PASSPHRASE_ENV, str(shell.root / "passphrase"))
    assert main(["status", "--state", str(shell.root / "state")]) == commands.DONE


def test_two_desks_on_one_state_folder_are_refused(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    environment = {**os.environ, commands.PASSPHRASE_ENV: str(shell.root / "passphrase")}
    command = [sys.executable, "-m", "deedbox_desktop", "run", "--state", str(shell.root / "state")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as first:
        assert first.stderr is not None
        first.stderr.readline()  # the first progress line: it holds the folder
        status, _, err = shell.run("run", "--once")
        first.terminate()
        first.stderr.read()
    assert status == commands.FAILED
    assert "in use by process" in err
    assert first.returncode == commands.DONE


def test_nothing_of_names_or_contents_is_readable_in_the_state_folder(paired: tuple[Shell, DeskKeys]) -> None:
    shell, keys = paired
    shell.run("add-folder", str(shell.root / "evidence"), "--case", str(CASE), "--quiet", "0")
    (shell.root / "evidence" / "MARKED-NAME.txt").write_bytes(b"MARKED-CONTENT" * 1000)
    (shell.root / "evidence" / "MARKED-LARGE.txt").write_bytes(b"MARKED-CONTENT" * 100_000)
    shell.run("run", "--once")
    seen = b"".join(path.read_bytes() for path in (shell.root / "state").rglob("*") if path.is_file())
    assert len(seen) > 1_400_000
    for secret in (b"MARKED", keys.journal, keys.spool, keys.statement, keys.tls):
        assert secret not in seen


def test_files_get_identifiers_without_being_captured(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    for name in ("one.txt", "two.txt"):
        (shell.root / "evidence" / name).write_bytes(b"the same bytes")
    status, told = shell.json(
        "mint", str(shell.root / "evidence" / "one.txt"), str(shell.root / "evidence" / "two.txt")
    )
    assert status == commands.DONE
    one, two = told["minted"]
    assert one["content"] == two["content"] == hashlib.sha256(b"the same bytes").hexdigest()
    assert one["id"] != two["id"]
    assert identifier.normal_text(one["id"]) == one["id"]
    assert shell.json("status")[1]["identifiers"] == {"due": 0, "minted": 2, "refused": 0, "waiting": 2}
    assert shell.json("status")[1]["journal"]["sequence"] == 0
    assert shell.run("mint", str(shell.root / "nowhere"))[0] == commands.FAILED


def test_identifiers_of_captures_can_be_switched_off_and_on(paired: tuple[Shell, DeskKeys]) -> None:
    shell, _ = paired
    shell.run("add-folder", str(shell.root / "evidence"), "--case", str(CASE), "--quiet", "0")
    for switch in ("off", "on"):
        assert shell.run("identifiers", switch)[0] == commands.DONE
        (shell.root / "evidence" / f"{switch}.txt").write_bytes(b"x")
        shell.run("run", "--once")
    named = {file["path"]: file["identifier"] for file in shell.json("status")[1]["files"]}
    assert named["off.txt"] is None
    assert named["on.txt"] is not None
