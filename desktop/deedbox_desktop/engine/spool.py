"""Encrypted copies of what was captured while no box was in reach (formats/spool.md).

A spool file holds one large file, or a pack of small ones written by one fsync. It is written whole before the journal refers to
it and never changed; one that the journal does not refer to is what a crash left, and is swept.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_desktop.engine.bytes_in_motion import Digest, Source, SourceEnded
from deedbox_desktop.engine.model import SpoolRef
from deedbox_disk import durable
from deedbox_disk.space import require_free, space_errors
from deedbox_sync import tink_stream
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.tink_stream import HEADER, SEGMENT, TAG, PartCipher

SUFFIX = ".spool"

_LENGTH = 8
_INFO = b"deedbox/v1/spool-part"


class SpoolDamaged(Exception):
    """A spooled copy is gone or changed; the text is a sentence."""


class Spool:
    """The spool folder under its key. Thread-safe: files are never shared before they are whole. OutOfSpace when it is full."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key

    def write_pack(self, contents: Sequence[bytes]) -> list[SpoolRef]:
        """Keep small contents in one file, durable when this returns."""
        name = os.urandom(16).hex()
        pieces: list[bytes] = []
        refs: list[SpoolRef] = []
        at = 0
        for content in contents:
            length = tink_stream.ciphertext_length(len(content))
            header = tink_stream.new_header()
            cipher = self._cipher(name, at, header)
            pieces += [length.to_bytes(_LENGTH), header, *_sealed(cipher, content)]
            refs.append(SpoolRef(name, at, length))
            at += _LENGTH + length
        require_free(self._folder, at)
        self._keep(name, pieces)
        return refs

    def write_source(self, source: Source, size: int, digest: Digest) -> SpoolRef:
        """Keep a large content, hashing it on the way; durable when this returns. What the source raises comes out."""
        length = tink_stream.ciphertext_length(size)
        require_free(self._folder, _LENGTH + length)
        name = os.urandom(16).hex()
        header = tink_stream.new_header()
        cipher = self._cipher(name, 0, header)
        self._keep(name, _stream(cipher, header, length, source, size, digest))
        return SpoolRef(name, 0, length)

    def open(self, ref: SpoolRef) -> "SpooledContent":
        """A source over one item. SpoolDamaged if it is not what was written."""
        path = self._folder / (ref.file + SUFFIX)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise SpoolDamaged("The spooled copy is gone") from error
        try:
            head = os.pread(descriptor, _LENGTH + HEADER, ref.offset)
            if head[:_LENGTH] != ref.length.to_bytes(_LENGTH):
                raise SpoolDamaged("The spooled copy was changed")
            cipher = self._cipher(ref.file, ref.offset, head[_LENGTH:])
            return SpooledContent(descriptor, ref, cipher)
        except FormatError as error:
            os.close(descriptor)
            raise SpoolDamaged("The spooled copy was changed") from error
        except BaseException:
            os.close(descriptor)
            raise

    def read(self, ref: SpoolRef) -> bytes:
        """A small item whole."""
        with self.open(ref) as content:
            data = bytearray(content.size)
            content.read_into(memoryview(data), 0)
            return bytes(data)

    def remove(self, files: Iterable[str]) -> None:
        for name in files:
            (self._folder / (name + SUFFIX)).unlink(missing_ok=True)

    def sweep(self, needed: set[str]) -> int:
        """Remove what a crash left: files that the journal does not need. How many there were."""
        found = [path for path in self._folder.iterdir() if path.name.removesuffix(SUFFIX) not in needed]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def bytes_used(self) -> int:
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def _keep(self, name: str, pieces: Iterable[bytes | memoryview]) -> None:
        path = self._folder / (name + SUFFIX)
        with space_errors(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                with os.fdopen(descriptor, "wb", buffering=1 << 20) as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(descriptor)
                durable.sync_folder(self._folder)
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise

    def _cipher(self, name: str, offset: int, header: bytes) -> PartCipher:
        """Each item has a key of its own, derived from the spool key and the item's place, which no other item ever has."""
        place = bytes.fromhex(name) + offset.to_bytes(8)
        key = HKDF(algorithm=SHA256(), length=32, salt=place, info=_INFO).derive(self._key)
        return PartCipher(key, bytes.fromhex(name) + bytes(4) + bytes(16), header)


class SpooledContent:
    """A `Source` over one spooled item; every byte it gives is authentic, else SpoolDamaged."""

    def __init__(self, descriptor: int, ref: SpoolRef, cipher: PartCipher) -> None:
        self._descriptor = descriptor
        self._ref = ref
        self._cipher = cipher
        self._size = tink_stream.plaintext_length(ref.length)
        self._segments = tink_stream.segment_count(self._size)
        self._held = memoryview(bytearray(SEGMENT))
        self._held_index, self._held_length = -1, 0
        self._scratch = memoryview(bytearray(min(SEGMENT, ref.length)))

    @property
    def size(self) -> int:
        return self._size

    def read_into(self, buffer: memoryview, offset: int) -> int:
        filled = 0
        while filled < len(buffer) and offset + filled < self._size:
            index, within = tink_stream.segment_at(offset + filled)
            if index != self._held_index:
                self._load(index)
            part = self._held[within : min(self._held_length, within + len(buffer) - filled)]
            buffer[filled : filled + len(part)] = part
            filled += len(part)
        return filled

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> "SpooledContent":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, index: int) -> None:
        start = tink_stream.segment_start(index)
        end = min((index + 1) * SEGMENT, self._ref.length)
        room = self._scratch[: end - start]
        try:
            count = os.preadv(self._descriptor, [room], self._ref.offset + _LENGTH + start)
            if count != len(room):
                raise SpoolDamaged("The spooled copy was cut short")
            last = index == self._segments - 1
            self._held_length = self._cipher.open_into(index, last, room, self._held)
        except (OSError, ProofError, FormatError) as error:
            raise SpoolDamaged("The spooled copy was changed") from error
        self._held_index = index


def _sealed(cipher: PartCipher, content: bytes) -> Iterable[bytes]:
    at = index = 0
    view = memoryview(content)
    while True:
        end = at + tink_stream.plaintext_capacity(index)
        last = end >= len(content)
        out = bytearray(min(end, len(content)) - at + TAG)
        cipher.seal_into(index, last, view[at:end], out)
        yield bytes(out)
        if last:
            return
        at, index = end, index + 1


def _stream(
    cipher: PartCipher, header: bytes, length: int, source: Source, size: int, digest: Digest
) -> Iterable[bytes | memoryview]:
    yield length.to_bytes(_LENGTH)
    yield header
    plain, out = memoryview(bytearray(SEGMENT)), memoryview(bytearray(SEGMENT))
    at = 0
    for index in range(tink_stream.segment_count(size)):
        wanted = min(tink_stream.plaintext_capacity(index), size - at)
        filled = 0
        while filled < wanted:
            count = source.read_into(plain[filled:wanted], at + filled)
            if not count:
                raise SourceEnded
            filled += count
        digest.feed(plain[:wanted], at)
        at += wanted
        yield out[: cipher.seal_into(index, at == size, plain[:wanted], out)]
