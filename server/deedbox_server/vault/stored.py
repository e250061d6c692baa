"""Where a blob's bytes are, and the ids its parts' ciphertexts are bound to (formats/blob.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbox_server.vault.key_rows import PartKey

STORED = "stored"
ERASING = "erasing"  # no way back: its keys may be gone already


@dataclass(frozen=True)
class StoredPart:
    """A stretch of a file (named from the data folder) that is one part's ciphertext."""

    number: int
    file: str
    file_offset: int
    cipher_length: int
    plain_length: int


@dataclass(frozen=True)
class StoredBlob:
    """A finished blob: every byte is durable. `size` and `sha256` are of the plaintext."""

    blob: UUID
    case_id: UUID
    size: int
    sha256: bytes
    parts: tuple[StoredPart, ...]


@dataclass(frozen=True)
class Rows:
    """Rows for one table, values in the order of `columns`."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


_BLOB_COLUMNS = ("id", "case_id", "size", "created", "state")
_PART_COLUMNS = ("blob", "part", "file", "file_offset", "cipher_length", "plain_length")


def blob_rows(stored: Iterable[StoredBlob], now: datetime) -> tuple[Rows, Rows]:
    """Rows for the tables `blob` and `blob_part`."""
    stored = list(stored)
    blobs = [(blob.blob, blob.case_id, blob.size, now, STORED) for blob in stored]
    parts = [
        (blob.blob, part.number, part.file, part.file_offset, part.cipher_length, part.plain_length)
        for blob in stored
        for part in blob.parts
    ]
    return Rows(_BLOB_COLUMNS, blobs), Rows(_PART_COLUMNS, parts)


def part_aad(key: PartKey) -> bytes:
    """The associated data of a part: blob id ‖ u32be(part) ‖ id of the case key that it was made under."""
    return key.blob.bytes + key.part.to_bytes(4) + (key.bound or key.case_key).bytes
