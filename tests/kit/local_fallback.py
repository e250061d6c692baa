"""A real fallback service on this machine, as its own process: made, started, asked, killed."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from deedbox_checkout.local_box import program
from deedbox_sync import message_signature
from kit.waiting import until

_START_SECONDS = 30.0


@dataclass
class LocalFallback:
    """`data` is its folder; `secrets` holds what unlocks it and its caller's key."""

    data: Path
    secrets: Path
    arguments: Sequence[str] = ("--no-beacon",)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    caller: UUID | None = None
    _http: httpx.Client | None = field(default=None, repr=False)

    def create(self) -> dict[str, str]:
        """Make it and one caller; its public key and namespace."""
        self.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.secrets / "passphrase").write_text("a passphrase of the service\n")
        made: dict[str, str] = json.loads(self.command("init"))
        self.caller = UUID(
            json.loads(self.command("add-key", "--name", "tests", "--into", str(self._caller_key)))["id"]
        )
        (self.secrets / "ca.pem").write_text(self.command("ca"))
        return made

    def stand_in_for(self, url: str, ca: Path, key_id: str, api_key: str) -> None:
        (self.secrets / "box-key").write_text(api_key)
        key = ("--key-id", key_id, "--api-key-file", str(self.secrets / "box-key"))
        self.command("set-box", "--url", url, "--ca", str(ca), *key)

    def start(self) -> None:
        ready = self.secrets / "ready.json"
        ready.unlink(missing_ok=True)
        serve = ("serve", "--listen", f"127.0.0.1:{self.port}", "--ready-file", str(ready), *self.arguments)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*program("deedbox_fallback"), *self._unlocked(serve)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        process = self.process
        until(lambda: ready.exists() or process.poll() is not None, "the service answers", seconds=_START_SECONDS)
        assert ready.exists(), self.log.read_text()[-2000:]
        self.port = json.loads(ready.read_bytes())["address"][1]
        context = ssl.create_default_context(cafile=str(self.secrets / "ca.pem"))
        self._http = httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=context, trust_env=False, timeout=30
        )

    def kill(self) -> None:
        """kill -9; also the way to end it in a test."""
        if self._http is not None:
            self._http.close()
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self.process is not None
        if self._http is not None:
            self._http.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    @property
    def http(self) -> httpx.Client:
        assert self._http is not None
        return self._http

    @property
    def log(self) -> Path:
        return self.secrets / "fallback.log"

    def command(self, *words: str) -> str:
        command = [*program("deedbox_fallback"), *self._unlocked(words)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def status(self) -> dict[str, Any]:
        answer = self.http.get("/api/v2/fallback/status")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def request(self, *contents: bytes) -> httpx.Response:
        """One signed call for these contents."""
        body = json.dumps({"items": [{"content": content.hex()} for content in contents]}).encode()
        return self.http.post("/api/v2/fallback/request", content=body, headers=self.signed(body))

    def records(self, *contents: bytes) -> list[dict[str, Any]]:
        answer = self.request(*contents)
        assert answer.status_code == 200, answer.text
        told: list[dict[str, Any]] = answer.json()["records"]
        return told

    def signed(
        self,
        body: bytes,
        *,
        path: str = "/api/v2/fallback/request",
        created: float = 0,
        key_id: UUID | None = None,
        text: str | None = None,
    ) -> dict[str, str]:
        """The headers of a call; by the caller's own key unless another is given."""
        signer = key_id or self.caller
        assert signer is not None
        return message_signature.sign(
            "POST",
            path,
            "",
            message_signature.body_digest(body),
            signer,
            message_signature.message_key(text or self._caller_key.read_text().strip()),
            int(created or time.time()),
            message_signature.new_nonce(),
        )

    @property
    def _caller_key(self) -> Path:
        return self.secrets / "caller-key"

    def _unlocked(self, words: Sequence[str]) -> list[str]:
        word, *rest = words
        return [word, "--data", str(self.data), "--passphrase-file", str(self.secrets / "passphrase"), *rest]
