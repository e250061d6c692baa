"""A time-stamp authority of our own, made with `openssl ts`: for stamps that need no network (RFC 3161)."""

from __future__ import annotations

import subprocess
from pathlib import Path

_CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[stamper]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = local
[local]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamper.pem
signer_key = {folder}/stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class LocalTsa:
    """Stamps bytes with the current time; `root` is the PEM to pin."""

    def __init__(self, folder: Path, name: str = "Local time-stamp authority") -> None:
        self._folder = folder
        self._config = folder / "tsa.cnf"
        self._config.write_text(_CONFIG.format(folder=folder, name=name))
        (folder / "serial").write_text("01\n")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._run("req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-days", "30", "-extensions", "root")
        self._run("req", "-new", *key, "-keyout", "stamper.key", "-out", "stamper.csr")
        issue = ["-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "2", "-days", "20", "-extfile", "tsa.cnf"]
        self._run(
            "x509", "-req", "-in", "stamper.csr", *issue, "-extensions", "stamper", "-out", "stamper.pem", config=False
        )

    @property
    def root(self) -> str:
        return (self._folder / "root.pem").read_text()

    def token(self, data: bytes) -> bytes:
        (self._folder / "data").write_bytes(data)
        self._run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "request.tsq")
        self._run("ts", "-reply", "-queryfile", "request.tsq", "-section", "local", "-out", "reply.tsr")
        return (self._folder / "reply.tsr").read_bytes()

    def _run(self, *arguments: str, config: bool = True) -> None:
        extra = ["-config", "tsa.cnf"] if config else []
        command = ["openssl", *arguments, *extra]
        result = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
