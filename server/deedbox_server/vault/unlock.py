"""Ways to unlock a box, and the slots of root.json that wrap the root key for them (formats/keys.md)."""

import os
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_disk import durable
from deedbox_server.vault.errors import CannotUnlock, DamagedKeys
from deedbox_server.vault.wrapping import KEY_BYTES, WRAPPED_BYTES, unwrap, wrap
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields, Json

_SALT_BYTES = 16
# RFC 9106 section 4, the recommendation for where 2 GiB are too much: a box and its desk share a small machine.
_MEMORY_KIB, _ITERATIONS, _LANES = 64 * 1024, 3, 4
# What a changed root.json may ask for at most: 1 GiB for seconds, not the whole machine for hours.
_MAX_MEMORY_KIB, _MAX_ITERATIONS, _MAX_LANES = 1024 * 1024, 16, 16
_KEY_FILE_INFO = b"deedbox/v1/slot/key-file"


@dataclass(frozen=True)
class Passphrase:
    """Something a person knows. Compared in Unicode form NFC, so that two keyboards give one passphrase."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class KeyFile:
    """A file of 32 random bytes, mode 0600. For trial only: beside the data it protects nothing."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "KeyFile":
        """Write a new one, durably. An existing file is refused: it may be the only key to something."""
        if path.exists():
            raise FileExistsError(path)
        durable.write_file(path, os.urandom(KEY_BYTES), 0o600)
        return cls(path)

    def read(self) -> bytes:
        """Its bytes; CannotUnlock where it is missing, of another length, or readable by others."""
        try:
            mode = self.path.stat().st_mode
            secret = self.path.read_bytes()
        except OSError as error:
            raise CannotUnlock("the key file cannot be read") from error
        if stat.S_IMODE(mode) & 0o077:
            raise CannotUnlock("the key file is open to others: its mode must be 0600")
        if len(secret) != KEY_BYTES:
            raise CannotUnlock(f"the key file does not have {KEY_BYTES} bytes")
        return secret


Unlock: TypeAlias = Passphrase | KeyFile


@dataclass(frozen=True)
class PassphraseSlot:
    """The root key under Argon2id (RFC 9106) of a passphrase, with the costs it was made with."""

    salt: bytes
    memory_kib: int
    iterations: int
    lanes: int
    wrapped: bytes

    def members(self) -> dict[str, Json]:
        return {
            "kind": "passphrase",
            "salt": self.salt.hex(),
            "memory_kib": self.memory_kib,
            "iterations": self.iterations,
            "lanes": self.lanes,
            "wrapped": encode_base64(self.wrapped),
        }


@dataclass(frozen=True)
class KeyFileSlot:
    """The root key under HKDF-SHA256 of a key file."""

    wrapped: bytes

    def members(self) -> dict[str, Json]:
        return {"kind": "key-file", "wrapped": encode_base64(self.wrapped)}


Slot: TypeAlias = PassphraseSlot | KeyFileSlot


def new_slot(way: Unlock, root_key: bytes) -> Slot:
    """A slot that this way opens."""
    if isinstance(way, KeyFile):
        return KeyFileSlot(wrap(_of_key_file(way), "slot/key-file", root_key))
    if not way.text:
        raise CannotUnlock("a passphrase cannot be empty")
    salt = os.urandom(_SALT_BYTES)
    key = _of_passphrase(way, salt, _MEMORY_KIB, _ITERATIONS, _LANES)
    return PassphraseSlot(salt, _MEMORY_KIB, _ITERATIONS, _LANES, wrap(key, "slot/passphrase", root_key))


def open_slots(slots: tuple[Slot, ...], way: Unlock) -> bytes:
    """The root key out of the first slot that this way opens; CannotUnlock when there is none."""
    fitting = [slot for slot in slots if isinstance(slot, KeyFileSlot) == isinstance(way, KeyFile)]
    for slot in fitting:
        try:
            return _open_slot(slot, way)
        except DamagedKeys:
            continue  # a slot for another passphrase looks the same as a damaged one
    if not fitting:
        raise CannotUnlock("this box has no slot for this way to unlock")
    raise CannotUnlock("this does not open the box: not its secret, or root.json was changed")


def parse_slot(fields: Fields) -> Slot:
    kind = fields.text("kind")
    if kind == "passphrase":
        slot: Slot = PassphraseSlot(
            fields.hex("salt", _SALT_BYTES),
            fields.integer("memory_kib", low=8 * _MAX_LANES, high=_MAX_MEMORY_KIB),
            fields.integer("iterations", low=1, high=_MAX_ITERATIONS),
            fields.integer("lanes", low=1, high=_MAX_LANES),
            parse_wrapped(fields, "wrapped"),
        )
    elif kind == "key-file":
        slot = KeyFileSlot(parse_wrapped(fields, "wrapped"))
    else:
        raise fields.fault("kind", "is not a kind of slot")
    fields.done()
    return slot


def parse_wrapped(fields: Fields, name: str) -> bytes:
    """A member that is a wrapped key in base64."""
    wrapped = fields.base64(name)
    if len(wrapped) != WRAPPED_BYTES:
        raise fields.fault(name, f"does not have {WRAPPED_BYTES} bytes")
    return wrapped


def _open_slot(slot: Slot, way: Unlock) -> bytes:
    if isinstance(slot, PassphraseSlot):
        assert isinstance(way, Passphrase)
        key = _of_passphrase(way, slot.salt, slot.memory_kib, slot.iterations, slot.lanes)
        return unwrap(key, "slot/passphrase", slot.wrapped)
    assert isinstance(way, KeyFile)
    return unwrap(_of_key_file(way), "slot/key-file", slot.wrapped)


def _of_passphrase(way: Passphrase, salt: bytes, memory_kib: int, iterations: int, lanes: int) -> bytes:
    text = unicodedata.normalize("NFC", way.text).encode()
    kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
    return kdf.derive(text)


def _of_key_file(way: KeyFile) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_KEY_FILE_INFO).derive(way.read())
