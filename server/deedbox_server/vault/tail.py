"""The tail record: what fixes an unfinished blob at a durable point, exact to the byte (formats/blob.md, Unfinished)."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_disk import durable
from deedbox_server.vault.errors import BlobDamaged, disk_errors
from deedbox_server.vault.key_rows import PartKey
from deedbox_server.vault.stored import part_aad
from deedbox_sync.tink_stream import SEGMENT, TAG

_MAGIC = b"deedbox tail v1\n"
_HEAD = struct.Struct(">16s16s16sII")
_SALT_BYTES = 32
_NONCE_BYTES = 12
_INFO = b"deedbox/v1/tail/"
_SHORTEST = _HEAD.size + _SALT_BYTES + _NONCE_BYTES + TAG
_LONGEST = _SHORTEST + SEGMENT  # an unfinished segment is never longer than a segment


@dataclass(frozen=True)
class TailRecord:
    """`segments` whole segments of part `part` are durable in its file; the bytes after them are sealed here."""

    blob: UUID
    case_key: UUID
    part: int
    segments: int
    salt: bytes
    nonce: bytes
    sealed: bytes

    @property
    def length(self) -> int:
        """Plaintext bytes in the tail."""
        return len(self.sealed) - TAG


def seal_tail(key: PartKey, segments: int, tail: bytes) -> bytes:
    """A tail record's bytes. Its own key comes from the part key and a random salt: no two records share one."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    head = _head(key.blob, key.case_key, key.part, segments)
    return head + salt + nonce + _cipher(key, salt).encrypt(nonce, tail, head)


def open_tail(record: TailRecord, key: PartKey) -> bytes:
    """The plaintext of the tail; BlobDamaged when the record is not what was sealed."""
    head = _head(record.blob, record.case_key, record.part, record.segments)
    try:
        return _cipher(key, record.salt).decrypt(record.nonce, record.sealed, head)
    except InvalidTag as error:
        raise BlobDamaged(record.blob, record.part, record.segments, "the tail record does not hold") from error


def parse_tail(data: bytes, blob: UUID) -> TailRecord:
    """BlobDamaged unless it has the form of a tail record of this blob. Authenticates nothing: `open_tail` does."""
    if not _SHORTEST <= len(data) <= _LONGEST:
        raise BlobDamaged(blob, 0, None, "the tail record has an impossible length")
    magic, blob_bytes, case_bytes, part, segments = _HEAD.unpack_from(data)
    if magic != _MAGIC or blob_bytes != blob.bytes:
        raise BlobDamaged(blob, 0, None, "the tail record is not one of this blob")
    salt_end = _HEAD.size + _SALT_BYTES
    nonce_end = salt_end + _NONCE_BYTES
    salt, nonce, sealed = data[_HEAD.size : salt_end], data[salt_end:nonce_end], data[nonce_end:]
    return TailRecord(blob, UUID(bytes=case_bytes), part, segments, salt, nonce, sealed)


def read_tail(path: Path, blob: UUID) -> TailRecord | None:
    """The record on disk, or None. Whichever it is, it is durable when this returns.

    A record whose rename was done but not yet durable could give way to the one before it in a power cut; acting on it would
    then seal two texts under one nonce.
    """
    with disk_errors():
        durable.sync_folder(path.parent)
    try:
        with path.open("rb") as file:
            return parse_tail(file.read(_LONGEST + 1), blob)
    except FileNotFoundError:
        return None


def _head(blob: UUID, case_key: UUID, part: int, segments: int) -> bytes:
    return _HEAD.pack(_MAGIC, blob.bytes, case_key.bytes, part, segments)


def _cipher(key: PartKey, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=_INFO + part_aad(key)).derive(key.key))
