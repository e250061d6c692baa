"""Many small blobs in one file, with one fsync (formats/blob.md, Pack)."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from mmap import mmap

from deedbox_server.vault.key_rows import CaseKey, KeyBatch, PartKey
from deedbox_server.vault.part_file import PartFile
from deedbox_server.vault.places import Places
from deedbox_server.vault.stored import StoredBlob, StoredPart, part_aad
from deedbox_server.vault.workshop import BLOCK, Buffers
from deedbox_sync import uuid7
from deedbox_sync.tink_stream import TAG, PartCipher, ciphertext_length, new_header, plaintext_capacity, segment_count


@dataclass(frozen=True)
class Pack:
    """The stored blobs, in the order of their contents, and their keys, which are durable nowhere yet: commit them first."""

    blobs: tuple[StoredBlob, ...]
    keys: KeyBatch


def write_pack(places: Places, buffers: Buffers, case_key: CaseKey, contents: Sequence[bytes | memoryview]) -> Pack:
    """Store each content as a blob of one part; all are durable on return, or none is kept. DiskFull."""
    if not contents:
        return Pack((), KeyBatch())
    name = places.pack(uuid7.new())
    file = PartFile.create(places.data / name)
    buffer = buffers.take()
    try:
        sealer = _Sealer(file, buffer)
        keys, blobs = [], []
        for content in contents:
            key = PartKey(uuid7.new(), 0, case_key.id, os.urandom(32))
            length = ciphertext_length(len(content))
            part = StoredPart(0, name, sealer.length, length, len(content))
            sealer.seal(key, content)
            digest = hashlib.sha256(content).digest()
            keys.append(key)
            blobs.append(StoredBlob(key.blob, case_key.case_id, len(content), digest, (part,)))
        sealer.flush()
        file.sync()
    except BaseException:
        file.path.unlink(missing_ok=True)
        raise
    finally:
        file.close()
        buffers.give(buffer)
    return Pack(tuple(blobs), KeyBatch(part_keys=keys))


class _Sealer:
    """Ciphertext gathered in one buffer and written when that is full."""

    def __init__(self, file: PartFile, buffer: mmap) -> None:
        self._file = file
        self._out = memoryview(buffer)
        self._filled = 0

    @property
    def length(self) -> int:
        """Bytes of the file so far."""
        return self._file.length + self._filled

    def seal(self, key: PartKey, content: bytes | memoryview) -> None:
        header = new_header()
        cipher = PartCipher(key.key, part_aad(key), header)
        self._room(len(header))[:] = header
        segments = segment_count(len(content))
        with memoryview(content) as view:
            start = 0
            for index in range(segments):
                piece = view[start : start + plaintext_capacity(index)]
                cipher.seal_into(index, index == segments - 1, piece, self._room(len(piece) + TAG))
                start += len(piece)

    def flush(self) -> None:
        self._file.append(self._out[: self._filled])
        self._filled = 0

    def _room(self, length: int) -> memoryview:
        if self._filled + length > BLOCK:
            self.flush()
        self._filled += length
        return self._out[self._filled - length : self._filled]
