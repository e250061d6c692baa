"""`keys/root.json`: the ways to unlock and what the root key wraps (formats/keys.md). Opens no secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from deedbox_disk import durable
from deedbox_server.vault.errors import DamagedKeys, disk_errors
from deedbox_server.vault.unlock import Slot, parse_slot, parse_wrapped
from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError

FILE_NAME = "root.json"
_MAX_BYTES = 64 * 1024  # a slot takes 250 bytes: room for far more ways to unlock than anybody keeps
_MAX_SLOTS = 32  # each passphrase slot that is tried costs a tenth of a second and 64 MiB


@dataclass(frozen=True)
class PreviousRoot:
    """The root key of before, wrapped by the present one, while a rotation is under way."""

    root: UUID
    wrapped: bytes


@dataclass(frozen=True)
class RootFile:
    root: UUID
    slots: tuple[Slot, ...]
    keys: Mapping[str, bytes]
    previous: PreviousRoot | None


def encode_root_file(file: RootFile) -> bytes:
    previous: Json = None
    if file.previous is not None:
        previous = {"root": str(file.previous.root), "wrapped": encode_base64(file.previous.wrapped)}
    members: dict[str, Json] = {
        "v": 1,
        "root": str(file.root),
        "slots": [slot.members() for slot in file.slots],
        "keys": {name: encode_base64(wrapped) for name, wrapped in file.keys.items()},
        "previous": previous,
    }
    return canonical_json.encode(members)


def parse_root_file(data: bytes) -> RootFile:
    """FormatError unless it is canonical, has at least one slot, and nothing unknown."""
    fields = Fields(canonical_json.parse_object(data, limit=_MAX_BYTES, where=FILE_NAME), FILE_NAME)
    fields.literal("v", 1)
    root = fields.uuid("root")
    slots = fields.objects("slots")
    if not 1 <= len(slots) <= _MAX_SLOTS:
        raise fields.fault("slots", f"are not within 1 … {_MAX_SLOTS}")
    keys = fields.object("keys")
    named = {name: parse_wrapped(keys, name) for name in fields.members("keys")}
    previous = None
    if (of_before := fields.optional_object("previous")) is not None:
        previous = PreviousRoot(of_before.uuid("root"), parse_wrapped(of_before, "wrapped"))
        of_before.done()
    fields.done()
    return RootFile(root, tuple(map(parse_slot, slots)), named, previous)


def read_root_file(folder: Path) -> RootFile:
    """DamagedKeys where it is missing or does not parse."""
    try:
        with (folder / FILE_NAME).open("rb") as file:
            return parse_root_file(file.read(_MAX_BYTES + 1))
    except FileNotFoundError as error:
        raise DamagedKeys("there is no root.json here") from error
    except FormatError as error:
        raise DamagedKeys(str(error)) from error


def write_root_file(folder: Path, file: RootFile) -> None:
    """Replace it, durably, mode 0600."""
    with disk_errors():
        durable.write_file(folder / FILE_NAME, encode_root_file(file), 0o600)
