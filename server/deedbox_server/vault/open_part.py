"""A part while it grows: whole segments are appended, the last one closes it (formats/blob.md).

Synchronous, for worker threads.
"""

from deedbox_server.vault.errors import BlobDamaged
from deedbox_server.vault.key_rows import PartKey
from deedbox_server.vault.part_file import PartFile
from deedbox_server.vault.places import Places
from deedbox_server.vault.stored import StoredPart, part_aad
from deedbox_sync.errors import FormatError
from deedbox_sync.tink_stream import (
    HEADER,
    SEGMENT,
    TAG,
    PartCipher,
    new_header,
    plaintext_capacity,
    plaintext_length,
    segment_start,
)


class OpenPart:
    """One part's file and cipher. `segments` whole segments are in the file, maybe not yet durable."""

    def __init__(self, key: PartKey, name: str, file: PartFile, header: bytes, segments: int) -> None:
        self.key = key
        self.name = name
        self.file = file
        self.segments = segments
        self._header = header
        self._cipher = PartCipher(key.key, part_aad(key), header)

    @classmethod
    def create(cls, places: Places, key: PartKey) -> "OpenPart":
        """A new part under a key that was never used."""
        name = places.part(key.blob, key.part)
        return cls(key, name, PartFile.create(places.data / name), new_header(), 0)

    def append(self, plain: memoryview, out: memoryview) -> None:
        """Seal whole segments that are followed by more bytes into `out`, which is page-aligned, and write them in one go."""
        start, end = 0, 0
        index = self.segments
        if self.file.length == 0:  # header and first segment together are as long as any other segment
            out[:HEADER] = self._header
            end = HEADER
        while start < len(plain):
            size = plaintext_capacity(index)
            end += self._cipher.seal_into(index, False, plain[start : start + size], out[end:])
            start += size
            index += 1
        if self.file.length % SEGMENT == 0:
            self.file.append_pages(out[:end])
        else:
            self.file.append(out[:end])
        self.segments = index

    def close_with(self, tail: bytes | memoryview) -> StoredPart:
        """Seal `tail` as the last segment, drop whatever else follows the whole segments, make all of it durable.

        Bytes that stand there already from an earlier try are left as they are: a finished file never changes.
        """
        sealed = bytearray(len(tail) + TAG)
        self._cipher.seal_into(self.segments, True, tail, sealed)
        start = segment_start(self.segments)
        length = start + len(sealed)
        self._write_header()
        if self.file.length != length or self.file.read(start, len(sealed)) != sealed:
            self.file.cut(start)
            self.file.append(sealed)
        self.file.sync()
        return StoredPart(self.key.part, self.name, 0, length, plaintext_length(length))

    def sync(self) -> None:
        """Make header and whole segments durable."""
        self._write_header()
        self.file.sync()

    def _write_header(self) -> None:
        if self.file.length == 0:
            self.file.append(self._header)


def reopen_part(places: Places, key: PartKey, segments: int) -> OpenPart:
    """An old part, to be closed after its `segments` durable ones and never to be continued; BlobDamaged if they are gone."""
    name = places.part(key.blob, key.part)
    try:
        file = PartFile.open(places.data / name)
    except FileNotFoundError as error:
        raise BlobDamaged(key.blob, key.part, None, "its file is gone") from error
    try:
        if file.length < segment_start(segments):
            raise BlobDamaged(key.blob, key.part, file.length // SEGMENT, "its file is too short")
        return OpenPart(key, name, file, file.read(0, HEADER), segments)
    except FormatError as error:
        file.close()
        raise BlobDamaged(key.blob, key.part, 0, "its header does not hold") from error
    except BaseException:
        file.close()
        raise
