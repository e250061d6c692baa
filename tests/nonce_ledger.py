"""Records everything that the vault seals under AES-GCM: which key, which nonce, which text. Survives the process that writes it.

A nonce used with one key for two texts gives both away (and the key that authenticates), so the ledger of a box's whole life,
over all its deaths, may have no such pair.
"""

import hashlib
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import deedbox_server.vault.tail
import deedbox_server.vault.wrapping
import deedbox_sync.tink_stream

PLACES = (deedbox_sync.tink_stream, deedbox_server.vault.tail, deedbox_server.vault.wrapping)

_write = os.write  # the real one: a test may give the vault a disk that is full


class NonceLedger:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def install(self, patch: Any = setattr) -> None:
        """From now on every AESGCM of these modules writes here, before it seals."""
        ledger = self

        class Recording:
            def __init__(self, key: bytes) -> None:
                self._aead = AESGCM(key)
                self._name = hashlib.sha256(key).hexdigest()
                self.decrypt = self._aead.decrypt
                self.decrypt_into = self._aead.decrypt_into

            def encrypt(self, nonce: bytes, text: bytes, aad: bytes | None) -> bytes:
                ledger.note(self._name, nonce, text, aad)
                return self._aead.encrypt(nonce, text, aad)

            def encrypt_into(self, nonce: bytes, text: bytes, aad: bytes | None, out: memoryview) -> int:
                ledger.note(self._name, nonce, text, aad)
                return self._aead.encrypt_into(nonce, text, aad, out)

        for module in PLACES:
            patch(module, "AESGCM", Recording)

    def note(self, key: str, nonce: bytes, text: bytes, aad: bytes | None) -> None:
        digest = hashlib.sha256(len(aad or b"").to_bytes(8) + (aad or b"") + bytes(text)).hexdigest()
        _write(self._descriptor, f"{key} {nonce.hex()} {digest}\n".encode())

    def check(self) -> int:
        """Fail if a nonce of a key ever sealed two texts; returns how many nonces were used."""
        texts = defaultdict(set)
        for line in self._path.read_text().splitlines():
            key, nonce, digest = line.split()
            texts[key, nonce].add(digest)
        twice = [pair for pair, sealed in texts.items() if len(sealed) > 1]
        assert not twice, f"{len(twice)} of {len(texts)} nonces sealed two texts"
        return len(texts)

    def close(self) -> None:
        os.close(self._descriptor)
