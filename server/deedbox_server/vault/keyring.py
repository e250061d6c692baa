"""The root key and the keys it wraps, unlocked (formats/keys.md)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

from deedbox_disk import durable
from deedbox_server.errors import Conflict
from deedbox_server.vault import wrapping
from deedbox_server.vault.errors import DamagedKeys, disk_errors
from deedbox_server.vault.root_file import FILE_NAME, PreviousRoot, RootFile, read_root_file, write_root_file
from deedbox_server.vault.unlock import KeyFile, Passphrase, Unlock, new_slot, open_slots
from deedbox_server.vault.wrapping import KEY_BYTES
from deedbox_sync import uuid7

__all__ = ["NAMES", "KeyFile", "Keyring", "Passphrase", "Unlock"]

FIRST_NAMES: Final = ("database", "key-store", "index", "notary", "ca", "intake", "recovery")
LATER_NAMES: Final = ("papers", "vrf", "witness")  # a box made before them gets them when it is opened next
NAMES: Final = FIRST_NAMES + LATER_NAMES
_SCALARS: Final = ("ca", "papers")  # of P-256; all others are 32 bytes of any value


class Keyring:
    """An unlocked root key. It does not change: a rotation makes another one, with the same named keys."""

    def __init__(
        self, root_id: UUID, root_key: bytes, named: Mapping[str, bytes], previous: tuple[UUID, bytes] | None
    ) -> None:
        self.root_id = root_id
        self.previous_id = None if previous is None else previous[0]
        self._roots = {root_id: root_key}
        if previous is not None:
            self._roots[previous[0]] = previous[1]
        self._named = dict(named)

    @classmethod
    def create(cls, folder: Path, *ways: Unlock) -> "Keyring":
        """Make a root key and all named keys, durable in `folder`. Refused where there are keys already."""
        if not ways:
            raise ValueError("a box needs at least one way to unlock it")
        if (folder / FILE_NAME).exists():
            raise Conflict("this box has keys already")
        with disk_errors():
            durable.make_folder(folder)
        keyring = cls(uuid7.new(), os.urandom(KEY_BYTES), {name: _new_key(name) for name in NAMES}, None)
        keyring._write(folder, ways)
        return keyring

    @classmethod
    def open(cls, folder: Path, way: Unlock) -> "Keyring":
        """Unlock what is in `folder`, and make the keys that later versions need durable there.

        CannotUnlock: the wrong secret; DamagedKeys: what it opened does not hold.
        """
        file = read_root_file(folder)
        root_key = open_slots(file.slots, way)
        named = {name: wrapping.unwrap(root_key, f"key/{name}", wrapped) for name, wrapped in file.keys.items()}
        if missing := set(FIRST_NAMES) - set(named):
            raise DamagedKeys(f"root.json lacks the key {min(missing)}")
        if added := {name: _new_key(name) for name in LATER_NAMES if name not in named}:
            wrapped = {name: wrapping.wrap(root_key, f"key/{name}", key) for name, key in added.items()}
            write_root_file(folder, RootFile(file.root, file.slots, {**file.keys, **wrapped}, file.previous))
            named |= added
        previous = None
        if (before := file.previous) is not None:
            previous = before.root, wrapping.unwrap(root_key, f"previous/{before.root}", before.wrapped)
        return cls(file.root, root_key, named, previous)

    def named(self, name: str) -> bytes:
        """The 32 bytes of a named key: raw, an Ed25519 or X25519 seed, or a P-256 scalar, as formats/keys.md says."""
        return self._named[name]

    def wrap(self, name: str, secret: bytes) -> bytes:
        """Wrap a 32-byte secret by the root key."""
        return wrapping.wrap(self._roots[self.root_id], name, secret)

    def unwrap(self, name: str, wrapped: bytes, *, root: UUID) -> bytes:
        """Unwrap what the root key `root` wrapped: the present one, or, while a rotation is under way, the previous."""
        if root not in self._roots:
            raise DamagedKeys(f"{name} is wrapped by a root key that this box does not have")
        return wrapping.unwrap(self._roots[root], name, wrapped)

    def renewed(self, folder: Path, *ways: Unlock) -> "Keyring":
        """First step of a rotation: a new root key takes over root.json and remembers this one as the previous."""
        if self.previous_id is not None:
            raise Conflict("a rotation is under way")
        before = self.root_id, self._roots[self.root_id]
        keyring = Keyring(uuid7.new(), os.urandom(KEY_BYTES), self._named, before)
        keyring._write(folder, ways)
        return keyring

    def settled(self, folder: Path) -> "Keyring":
        """Last step of a rotation: root.json forgets the previous root key. For when nothing is under it any more."""
        file = read_root_file(folder)
        if file.root != self.root_id:
            raise Conflict("another rotation has taken place")
        write_root_file(folder, RootFile(file.root, file.slots, file.keys, None))
        return Keyring(self.root_id, self._roots[self.root_id], self._named, None)

    def _write(self, folder: Path, ways: tuple[Unlock, ...]) -> None:
        root_key = self._roots[self.root_id]
        slots = tuple(new_slot(way, root_key) for way in ways)
        keys = {name: wrapping.wrap(root_key, f"key/{name}", key) for name, key in self._named.items()}
        previous = None
        if (before := self.previous_id) is not None:
            previous = PreviousRoot(before, wrapping.wrap(root_key, f"previous/{before}", self._roots[before]))
        write_root_file(folder, RootFile(self.root_id, slots, keys, previous))


def _new_key(name: str) -> bytes:
    if name in _SCALARS:  # a scalar below the curve's order, which 32 random bytes need not be
        return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(KEY_BYTES)
    return os.urandom(KEY_BYTES)
