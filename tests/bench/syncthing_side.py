"""Syncthing, two of them: TLS between, a folder that both share, everything that speaks to the outside switched off.

It is told to look at once where it would wait for ten seconds of calm; its fsync is on, as it is by default.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench.contender import Run, free_port, patience, wait_for
from bench.machine import Watch
from bench.material import Material

_SILENT = {
    "autoUpgradeIntervalH": "0",
    "crashReportingEnabled": "false",
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "natEnabled": "false",
    "relaysEnabled": "false",
    "setLowPriority": "false",  # everybody here has the same priority
    "startBrowser": "false",
    "urAccepted": "-1",
}


class Syncthing:
    name = "Syncthing"
    ends_with = "the other side has every file and is idle"

    def missing(self) -> str | None:
        return None if shutil.which("syncthing") else "not installed"

    def run(self, material: Material, scratch: Path) -> Run:
        here, there = (_Peer.make(scratch / side) for side in ("here", "there"))
        try:
            for peer, other in ((here, there), (there, here)):
                peer.know(other)
                peer.start()
            aside = scratch / "aside"
            material.copy_to(aside)
            wait_for("the two are connected", lambda: here.is_connected(there), seconds=90)
            watches = {"here": Watch(here.pid), "there": Watch(there.pid)}
            began = time.monotonic()
            aside.rename(here.folder / "dropped")
            here.call("/rest/db/scan?folder=bench", method="POST")
            wait_for("every file is there", lambda: there.has_all(material), seconds=patience(material), every=0.1)
            seconds = time.monotonic() - began
            return Run(seconds, {side: watch.stop() for side, watch in watches.items()})
        finally:
            here.stop()
            there.stop()


@dataclass
class _Peer:
    home: Path
    device: str
    port: int
    api: int
    key: str
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, root: Path) -> _Peer:
        home = root / "home"
        (root / "folder" / ".stfolder").mkdir(parents=True)
        _run("syncthing", "generate", "--home", str(home), "--no-default-folder", "--skip-port-probing")
        device = _run("syncthing", "--home", str(home), "--device-id").strip()
        return cls(home, device, free_port(), free_port(), secrets.token_hex(16))

    @property
    def folder(self) -> Path:
        return self.home.parent / "folder"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def know(self, other: _Peer) -> None:
        """Write the configuration: this peer, the other one, the folder."""
        file = self.home / "config.xml"
        tree = ElementTree.parse(file)
        root = tree.getroot()
        options, gui = root.find("options"), root.find("gui")
        assert options is not None
        assert gui is not None
        for name, value in (_SILENT | {"listenAddress": f"tcp://127.0.0.1:{self.port}"}).items():
            for old in options.findall(name):
                options.remove(old)
            ElementTree.SubElement(options, name).text = value
        for name, value in (("address", f"127.0.0.1:{self.api}"), ("apikey", self.key)):
            for old in gui.findall(name):
                gui.remove(old)
            ElementTree.SubElement(gui, name).text = value
        device = ElementTree.SubElement(root, "device", id=other.device, name="other", compression="never")
        ElementTree.SubElement(device, "address").text = f"tcp://127.0.0.1:{other.port}"
        folder = ElementTree.SubElement(
            root, "folder", id="bench", label="bench", path=str(self.folder), type="sendreceive"
        )
        folder.attrib |= {"rescanIntervalS": "3600", "fsWatcherEnabled": "true", "fsWatcherDelayS": "10"}
        for peer in (self.device, other.device):
            ElementTree.SubElement(folder, "device", id=peer)
        tree.write(file)

    def start(self) -> None:
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["syncthing", "serve", "--home", str(self.home), "--no-browser", "--no-restart", "--no-upgrade"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def is_connected(self, other: _Peer) -> bool:
        with suppress(OSError):
            return bool(self.call("/rest/system/connections")["connections"][other.device]["connected"])
        return False

    def has_all(self, material: Material) -> bool:
        told = self.call("/rest/db/status?folder=bench")
        return bool(
            told["state"] == "idle"
            and told["localFiles"] == material.files
            and told["localBytes"] >= material.bytes  # folders count for some bytes
            and not told["needFiles"]
        )

    def call(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api}{path}", method=method, headers={"X-API-Key": self.key}
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            body = answer.read()
        return json.loads(body) if body else None


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout
