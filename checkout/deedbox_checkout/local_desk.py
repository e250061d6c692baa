"""A real desk on this machine, as its own process: made, paired, started, asked, stopped, killed. Demo, `up` and tests use it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deedbox_checkout.local_box import OWNER, LocalBox, LocalFailure, program

_STOP_SECONDS = 40.0
ONCE_SECONDS = 900.0  # for everything in the folder to be receipted, on a slow machine


@dataclass
class LocalDesk:
    """`state` is the desk's folder, `watched` the folder it watches; `secrets` holds the passphrase of its keys, mode 0600.

    `environment` is added to that of every process of this desk.
    """

    state: Path
    watched: Path
    secrets: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    # --- life

    def pair(self, box: LocalBox, *, name: str = "desk", account: str = OWNER) -> None:
        """Pair with a running box, by a code that it makes for the purpose."""
        self.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.passphrase_file.exists():
            descriptor = os.open(self.passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(24) + "\n")
        code = box.command("pair-code", "--account", account).stdout.strip()
        self.command("pair", box.url, code, "--name", name)

    def watch(self, case: str, *, quiet: float | None = None, ignore: Sequence[str] = ()) -> None:
        """Watch `watched` for a case, by its number or id. `quiet` are seconds that a file is left alone before it counts."""
        self.watched.mkdir(parents=True, exist_ok=True)
        more = [] if quiet is None else ["--quiet", str(quiet)]
        for pattern in ignore:
            more += ["--ignore", pattern]
        self.command("add-folder", str(self.watched), "--case", case, *more)

    @property
    def paired(self) -> bool:
        return (self.state / "keys.json").exists() and self.passphrase_file.exists() and self._is_paired()

    def start(self, *, log: Path | None = None) -> None:
        """Start watching and sending. Without --json: in the end that tells of every file, and no log may hold names."""
        with (log or self.log_file).open("ab") as output:
            self.process = subprocess.Popen(
                [argument for argument in self._arguments("run") if argument != "--json"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self._environment(),
            )

    def run_once(self, *, patience: float = 0.0) -> int:
        """Watch and send until everything in the folder has settled; the exit status says how (`deedbox-desktop --help`)."""
        return self.command("run", "--once", "--patience", str(patience), check=False, seconds=ONCE_SECONDS).returncode

    def stop(self) -> int | None:
        """Ask it to end, and wait; the exit status, or None where it was not running."""
        process, self.process = self.process, None
        if process is None:
            return None
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _kill(process)
        return process.returncode

    def kill(self) -> None:
        """End it now, as a power cut would end the process (not the disk)."""
        if self.process is not None and self.process.poll() is None:
            _kill(self.process)
        self.process = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    # --- talking to it

    def status(self) -> dict[str, Any]:
        """All that `deedbox-desktop status --json` tells, of every file ever seen."""
        done = self.command("status", check=False)
        try:
            told: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise LocalFailure(f"deedbox-desktop status said nothing: {done.stderr.strip()}") from error
        if "error" in told:
            raise LocalFailure(f"deedbox-desktop status failed: {told['words']}")
        return told

    def command(
        self, word: str, *arguments: str, check: bool = True, seconds: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run one command on the desk's state, answered as JSON."""
        done = subprocess.run(
            self._arguments(word, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env=self._environment(),
        )
        if check and done.returncode != 0:
            raise LocalFailure(f"deedbox-desktop {word} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done

    @property
    def passphrase_file(self) -> Path:
        return self.secrets / "desk-passphrase"

    @property
    def log_file(self) -> Path:
        return self.secrets / "desk.log"

    def _is_paired(self) -> bool:
        return bool(self.status()["state"] != "unpaired")

    def _arguments(self, word: str, *arguments: str) -> list[str]:
        options = ["--state", str(self.state), "--json", "--passphrase-file", str(self.passphrase_file)]
        return [*program("deedbox_desktop"), word, *options, *arguments]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
