"""rclone: `serve webdav` over TLS at one end, `copy` at the other. It neither syncs to the disk nor verifies over WebDAV."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bench.contender import Run, free_port, patience, wait_for
from bench.machine import Watch
from bench.material import Material


class Rclone:
    name = "rclone"
    ends_with = "copy has ended; nothing is synced or verified"

    def missing(self) -> str | None:
        return None if shutil.which("rclone") else "not installed"

    def run(self, material: Material, scratch: Path) -> Run:
        target = scratch / "there"
        target.mkdir()
        certificate, key = _certificate(scratch)
        port = free_port()
        common = ["rclone", "--config", str(scratch / "rclone.conf")]
        serve = [*common, "serve", "webdav", str(target), "--addr", f"127.0.0.1:{port}", "--cert", str(certificate)]
        with (scratch / "log").open("wb") as log:
            server = subprocess.Popen([*serve, "--key", str(key)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                wait_for("rclone listens", lambda: _listens(port), seconds=30)
                copy = [*common, "copy", str(material.root), ":webdav:", "--no-check-certificate"]
                began = time.monotonic()
                client = subprocess.Popen([*copy, "--webdav-url", f"https://127.0.0.1:{port}"], stdout=log, stderr=log)
                watches = {"here": Watch(client.pid), "there": Watch(server.pid)}
                wait_for("rclone copies", lambda: client.poll() is not None, seconds=patience(material))
                seconds = time.monotonic() - began
                costs = {side: watch.stop() for side, watch in watches.items()}
                if client.returncode or len(list(target.iterdir())) != material.files:
                    raise RuntimeError(f"rclone failed: see {scratch / 'log'}")
                return Run(seconds, costs)
            finally:
                server.terminate()
                server.wait(30)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    places = folder / "certificate.pem", folder / "key.pem"
    places[0].write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    places[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return places
