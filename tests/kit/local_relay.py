"""A real relay on this machine, as its own process, over plain HTTP on loopback or TLS with a certificate of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx

from deedbox_checkout.local_box import LocalFailure, program
from deedbox_sync.witness import Reply, Request, encode_request
from kit.waiting import until

START_SECONDS = 60.0


@dataclass
class LocalRelay:
    """`folder` holds its data and, beside it, what unlocks it."""

    folder: Path
    name: str = "relay.example/w1"
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def create(self) -> str:
        """Make it; returns its vkey."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "passphrase").write_text("correct horse battery staple\n")
        return self.command("init", "--name", self.name).stdout.strip()

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        word, *rest = arguments
        done = subprocess.run([*self._command(word), *rest], capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise LocalFailure(f"deedbox-relay {word} failed: {done.stderr.strip()}")
        return done

    def start(self, *how: str) -> None:
        """Start it, plainly unless told otherwise, and wait until it listens, where it did before."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        serving = ["--listen", f"127.0.0.1:{self.port}", *(how or ("--plain",)), "--ready-file", str(ready)]
        with (self.folder / "relay.log").open("ab") as output:
            self.process = process = subprocess.Popen(
                [*self._command("serve"), *serving],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        until(lambda: ready.exists() or process.poll() is not None, "the relay is up", seconds=START_SECONDS)
        if process.poll() is not None:
            raise LocalFailure(f"The relay ended: {(self.folder / 'relay.log').read_text()[-500:]}")
        self.port = json.loads(ready.read_bytes())["address"][1]

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        """End it now, as a power cut would end the process."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def ask(self, request: Request, client: httpx.Client) -> Reply:
        answer = client.post(f"{self.url}/add-checkpoint", content=encode_request(request))
        return Reply(answer.status_code, answer.content, request.checkpoint.size)

    def _command(self, word: str) -> list[str]:
        unlock = ["--passphrase-file", str(self.folder / "passphrase")]
        return [*program("deedbox_relay"), word, "--data", str(self.folder / "data"), *unlock]
