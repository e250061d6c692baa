"""One secret key of a small service, kept in a file under a passphrase or a key file.

The file is canonical JSON: `{"kind": "key-file", "v": 1, "wrapped": BASE64}`, or `{"iterations", "kind": "passphrase", "lanes",
"memory_kib", "salt": HEX, "v": 1, "wrapped": BASE64}` with Argon2id (RFC 9106); `wrapped` is nonce(12) ‖ AES-256-GCM.
"""

import os
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_disk import durable
from deedbox_disk.errors import KeyLocked
from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError

KEY_BYTES = 32
SHORTEST_PASSPHRASE = 8  # below this no key derivation helps

_MAX_FILE = 4_096  # the file has some 300 bytes
_NONCE_BYTES = 12
_SALT_BYTES = 16
_AAD = b"deedbox/v1/locked-key"
_KEY_FILE_INFO = b"deedbox/v1/locked-key/key-file"
# RFC 9106 section 4, second recommendation: 64 MiB, which a small machine has to spare.
_MEMORY_KIB, _ITERATIONS, _LANES = 65_536, 3, 4
# What a changed file may make us spend.
_MOST_MEMORY_KIB, _MOST_ITERATIONS, _MOST_LANES = 1 << 20, 16, 16


@dataclass(frozen=True)
class Passphrase:
    """Something a person knows. Compared in Unicode form NFC, so that two keyboards give one passphrase."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class KeyFile:
    """A file of 32 random bytes, mode 0600. For trial only: beside the data it protects nothing."""

    path: Path


Way: TypeAlias = Passphrase | KeyFile


def create_key(path: Path, way: Way) -> bytes:
    """Make a new key and keep it, durably, at `path`, where nothing may be yet. A missing key file is made too."""
    if path.exists():
        raise FileExistsError(path)
    if isinstance(way, KeyFile) and not way.path.exists():
        durable.write_file(way.path, os.urandom(KEY_BYTES))
    key = os.urandom(KEY_BYTES)
    members: dict[str, Json]
    if isinstance(way, KeyFile):
        wrapping = _of_key_file(way)
        members = {"kind": "key-file"}
    else:
        if len(way.text) < SHORTEST_PASSPHRASE:
            raise KeyLocked(f"The passphrase is too short: {SHORTEST_PASSPHRASE} characters at least.")
        salt = os.urandom(_SALT_BYTES)
        wrapping = _of_passphrase(way, salt, _MEMORY_KIB, _ITERATIONS, _LANES)
        members = {
            "iterations": _ITERATIONS,
            "kind": "passphrase",
            "lanes": _LANES,
            "memory_kib": _MEMORY_KIB,
            "salt": salt.hex(),
        }
    nonce = os.urandom(_NONCE_BYTES)
    wrapped = nonce + AESGCM(wrapping).encrypt(nonce, key, _AAD)
    durable.write_file(path, canonical_json.encode(members | {"v": 1, "wrapped": encode_base64(wrapped)}))
    return key


def open_key(path: Path, way: Way) -> bytes:
    """The key made by `create_key`. KeyLocked says what is missing or wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        fields = Fields(canonical_json.parse_object(data, limit=_MAX_FILE, where="key file"), "key file")
        kind = fields.text("kind")
        if kind == "passphrase":
            if not isinstance(way, Passphrase):
                raise KeyLocked("The key is under a passphrase, and none was given.")
            costs = (
                fields.hex("salt", _SALT_BYTES),
                fields.integer("memory_kib", low=8 * _MOST_LANES, high=_MOST_MEMORY_KIB),
                fields.integer("iterations", low=1, high=_MOST_ITERATIONS),
                fields.integer("lanes", low=1, high=_MOST_LANES),
            )
        elif kind == "key-file":
            if not isinstance(way, KeyFile):
                raise KeyLocked("The key is under a key file, and none was given.")
        else:
            raise fields.fault("kind", "is no way to keep a key")
        wrapped = fields.base64("wrapped")
        fields.literal("v", 1)
        fields.done()
    except (OSError, FormatError) as error:
        raise KeyLocked(f"The key cannot be read: {error}.") from error
    wrapping = _of_key_file(way) if isinstance(way, KeyFile) else _of_passphrase(way, *costs)
    try:
        return AESGCM(wrapping).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _AAD)
    except (InvalidTag, ValueError) as error:
        raise KeyLocked("The passphrase or key file is not the one, or the file was changed.") from error


def _of_passphrase(way: Passphrase, salt: bytes, memory_kib: int, iterations: int, lanes: int) -> bytes:
    text = unicodedata.normalize("NFC", way.text).encode()
    argon = Argon2id(salt=salt, length=KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
    return argon.derive(text)


def _of_key_file(way: KeyFile) -> bytes:
    try:
        mode = way.path.stat().st_mode
        with way.path.open("rb") as file:
            secret = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise KeyLocked(f"The key file cannot be read: {error.strerror}.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise KeyLocked(f"The key file {way.path} is open to others: its mode must be 0600.")
    if len(secret) != KEY_BYTES:
        raise KeyLocked(f"The key file {way.path} does not have {KEY_BYTES} bytes.")
    return HKDF(SHA256(), KEY_BYTES, None, _KEY_FILE_INFO).derive(secret)
