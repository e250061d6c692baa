"""The desk's four keys, and how they are kept: in the operating system's keyring, else in a file under a passphrase.

`keys.json` in the state folder is canonical JSON: `{"id": HEX, "kind": "keyring", "v": 1}`, or `{"kind": "passphrase",
"iterations", "lanes", "memory_kib", "salt": HEX, "v": 1, "wrapped": BASE64}` with Argon2id (RFC 9106) and AES-256-GCM;
`wrapped` is nonce(12) ‖ ciphertext.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from deedbox_desktop.engine.errors import KeysLocked
from deedbox_desktop.engine.os_keyring import OsKeyring
from deedbox_disk import durable
from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError

KEY_BYTES = 32
SHORTEST_PASSPHRASE = 8  # below this no key derivation helps
MAX_FILE = 4096  # keys.json has some 400 bytes

_NAMES = ("journal", "spool", "statement", "tls")
_AAD = b"deedbox/v1/desk-keys"
_NONCE = 12
# RFC 9106 section 4, second recommendation: 64 MiB, which an old laptop has to spare.
_MEMORY_KIB, _ITERATIONS, _LANES = 65_536, 3, 4
# What a changed file may make us spend.
_MOST_MEMORY_KIB, _MOST_ITERATIONS, _MOST_LANES = 1 << 20, 16, 16


@dataclass(frozen=True)
class DeskKeys:
    """Raw 32-byte keys: `journal` and `spool` encrypt, `statement` and `tls` are Ed25519 private keys."""

    journal: bytes
    spool: bytes
    statement: bytes
    tls: bytes

    @property
    def statement_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.statement)

    @property
    def tls_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.tls)


def create_keys(path: Path, *, passphrase: str | None, keyring: OsKeyring | None) -> DeskKeys:
    """Make fresh keys and keep them: under `passphrase` where one is given, else in the keyring; KeysLocked with neither."""
    keys = DeskKeys(*(os.urandom(KEY_BYTES) for _ in _NAMES))
    if passphrase is not None:
        durable.write_file(path, _wrap(keys, passphrase))
    elif keyring is not None:
        name = os.urandom(16).hex()
        keyring.store(name, _encode(keys).decode())
        durable.write_file(path, canonical_json.encode({"id": name, "kind": "keyring", "v": 1}))
    else:
        raise KeysLocked("This computer offers no keyring that encrypts. Give a passphrase to protect the keys with.")
    return keys


def needs_passphrase(path: Path) -> bool:
    """Whether `open_keys` will want one."""
    return _read(path).text("kind") == "passphrase"


def open_keys(path: Path, *, passphrase: str | None, keyring: OsKeyring | None) -> DeskKeys:
    """The keys made by `create_keys`. KeysLocked says what is missing or wrong."""
    fields = _read(path)
    try:
        if fields.text("kind") == "passphrase":
            if passphrase is None:
                raise KeysLocked("The keys are under a passphrase, and none was given.")
            return _unwrap(fields, passphrase)
        name = fields.hex("id", 16).hex()
    except FormatError as error:
        raise KeysLocked(f"The key file is damaged: {error}.") from error
    if keyring is None:
        raise KeysLocked("The keys are in the keyring of this computer, which cannot be reached from here.")
    text = keyring.load(name)
    if text is None:
        raise KeysLocked("The keyring of this computer no longer holds this desk's keys. Pair again to make new ones.")
    return _parse(text.encode())


def _read(path: Path) -> Fields:
    try:
        fields = Fields(canonical_json.parse_object(path.read_bytes(), limit=MAX_FILE, where="key file"), "key file")
        fields.literal("v", 1)
    except (OSError, FormatError) as error:
        raise KeysLocked(f"The key file cannot be read: {error}.") from error
    return fields


def _wrap(keys: DeskKeys, passphrase: str) -> bytes:
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise KeysLocked(f"The passphrase is too short: {SHORTEST_PASSPHRASE} characters at least.")
    salt, nonce = os.urandom(16), os.urandom(_NONCE)
    key = _derive(passphrase, salt, _MEMORY_KIB, _ITERATIONS, _LANES)
    return canonical_json.encode(
        {
            "iterations": _ITERATIONS,
            "kind": "passphrase",
            "lanes": _LANES,
            "memory_kib": _MEMORY_KIB,
            "salt": salt.hex(),
            "v": 1,
            "wrapped": encode_base64(nonce + AESGCM(key).encrypt(nonce, _encode(keys), _AAD)),
        }
    )


def _unwrap(fields: Fields, passphrase: str) -> DeskKeys:
    memory = fields.integer("memory_kib", low=8, high=_MOST_MEMORY_KIB)
    iterations = fields.integer("iterations", low=1, high=_MOST_ITERATIONS)
    lanes = fields.integer("lanes", low=1, high=_MOST_LANES)
    salt, wrapped = fields.hex("salt", 16), fields.base64("wrapped")
    fields.done()
    key = _derive(passphrase, salt, memory, iterations, lanes)
    try:
        return _parse(AESGCM(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _AAD))
    except (InvalidTag, ValueError) as error:
        raise KeysLocked("The passphrase is wrong, or the key file was changed.") from error


def _derive(passphrase: str, salt: bytes, memory_kib: int, iterations: int, lanes: int) -> bytes:
    argon = Argon2id(salt=salt, length=KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
    return argon.derive(passphrase.encode())


def _encode(keys: DeskKeys) -> bytes:
    return canonical_json.encode({"v": 1} | {name: getattr(keys, name).hex() for name in _NAMES})


def _parse(data: bytes) -> DeskKeys:
    try:
        fields = Fields(canonical_json.parse_object(data, limit=MAX_FILE, where="keys"), "keys")
        fields.literal("v", 1)
        keys = DeskKeys(*(fields.hex(name, KEY_BYTES) for name in _NAMES))
        fields.done()
    except FormatError as error:
        raise KeysLocked(f"The keys are damaged: {error}.") from error
    return keys
