"""A real box on this machine, as its own process: made, started, asked, stopped, killed. The demo, `up` and the tests use it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OWNER = "owner"
_START_SECONDS = 60.0
_STOP_SECONDS = 40.0


class LocalFailure(Exception):
    """A local process did not do what it was started for; the message is for a person."""


def program(module: str) -> list[str]:
    """The command line of one of our programs, in this environment, whatever the PATH."""
    return [sys.executable, "-m", module]


@dataclass
class LocalBox:
    """`data` is the box's folder; `secrets` holds what unlocks it and the owner's API key, mode 0600, elsewhere.

    `outside`: whether it may call others' servers. `environment` is added to this process's own.
    """

    data: Path
    secrets: Path
    listen: str = "127.0.0.1"
    people_port: int = 0
    device_port: int = 0
    outside: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _facts: dict[str, Any] | None = None

    # --- life

    def create(self) -> None:
        """Make the box and the owner's key where they are missing."""
        self.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        _secret_file(self.secrets / "passphrase", secrets.token_urlsafe(24))
        _secret_file(self.secrets / "owner-password", secrets.token_urlsafe(18))
        self.command("init", "--owner", OWNER, "--password-file", str(self.secrets / "owner-password"))
        if not self.api_key_file.exists():
            self.command("api-key", "--account", OWNER, "--into", str(self.api_key_file))

    def start(self, *, log: Path | None = None) -> None:
        """Start the box and wait until it listens."""
        ready = self.secrets / "ready.json"
        ready.unlink(missing_ok=True)
        output = (log or self.secrets / "box.log").open("ab")
        arguments = [*self._arguments(), "run", "--ready-file", str(ready)]
        with output:
            self.process = process = subprocess.Popen(
                arguments,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not ready.exists():
            if process.poll() is not None:
                raise LocalFailure(f"The box ended with status {process.returncode}: see {output.name}.")
            if time.monotonic() > deadline:
                raise LocalFailure(f"The box did not start within {_START_SECONDS:.0f} seconds: see {output.name}.")
            time.sleep(0.05)
        self._facts = json.loads(ready.read_bytes())
        # A box that starts again is found where it was: its desks know its address.
        self.people_port, self.device_port = self._facts["people"][1], self._facts["device"][1]
        self.ca_file.write_text(self._facts["ca"])

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def kill(self) -> None:
        """End it now, as a power cut would end the process (not the disk)."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    # --- talking to it

    @property
    def url(self) -> str:
        return f"https://{self._host()}:{self.people_port}"

    @property
    def device_url(self) -> str:
        return f"https://{self._host()}:{self.device_port}"

    @property
    def ca_file(self) -> Path:
        return self.secrets / "ca.pem"

    @property
    def api_key_file(self) -> Path:
        return self.secrets / "api-key"

    @property
    def api_key(self) -> str:
        return self.api_key_file.read_text().strip()

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run an administrator's command on the box."""
        done = subprocess.run(
            [*self._arguments(), *arguments], env=self._environment(), capture_output=True, text=True, check=False
        )
        if check and done.returncode != 0:
            raise LocalFailure(f"deedbox-server {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done

    def ask(self, path: str, body: object = None, *, method: str | None = None) -> Any:
        """One JSON request as the owner."""
        with self.request(path, body, method=method) as answer:
            return json.load(answer)

    def request(self, path: str, body: object = None, *, method: str | None = None) -> Any:
        """One request as the owner; the caller reads and closes the answer. Raises `urllib.error.HTTPError` from 400 on."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)  # noqa: S310 - https, to our own box
        request.add_header("Authorization", f"Bearer {self.api_key}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        context = ssl.create_default_context(cafile=str(self.ca_file))
        return urllib.request.urlopen(request, context=context, timeout=600)  # noqa: S310

    def _environment(self) -> dict[str, str]:
        given = {} if self.outside else {"DEEDBOX_BOX_OUTSIDE": "false"}
        return {**os.environ, **given, **self.environment}

    def _arguments(self) -> list[str]:
        return [
            *program("deedbox_server"),
            *("--data", str(self.data)),
            *("--passphrase-file", str(self.secrets / "passphrase")),
            *("--listen", self.listen),
            *("--people-port", str(self.people_port), "--device-port", str(self.device_port)),
        ]

    def _host(self) -> str:
        return "127.0.0.1" if self.listen in ("0.0.0.0", "") else self.listen  # noqa: S104 - compared, not bound


def _secret_file(path: Path, secret: str) -> None:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
