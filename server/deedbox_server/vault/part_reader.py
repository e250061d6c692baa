"""One part's ciphertext on disk, opened segment by segment. Synchronous; whatever does not hold is named (BlobDamaged)."""

import os
import weakref
from pathlib import Path

from deedbox_server.vault.errors import BlobDamaged
from deedbox_server.vault.key_rows import PartKey
from deedbox_server.vault.stored import StoredPart, part_aad
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.tink_stream import HEADER, SEGMENT, TAG, PartCipher, plaintext_length, segment_start


class PartReader:
    """`segments` segments of a part, the last of which closes it if the part is `closed`. One thread at a time.

    Its file is closed with it or when nobody holds it any more.
    """

    def __init__(self, path: Path, key: PartKey, offset: int, length: int, *, closed: bool) -> None:
        self._key = key
        self._offset = offset
        self._length = length
        self._closed = closed
        self.segments = -(-length // SEGMENT)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise self._damaged(None, "its file is gone") from error
        self.close = weakref.finalize(self, os.close, self._descriptor)
        try:
            self._cipher = PartCipher(key.key, part_aad(key), os.pread(self._descriptor, HEADER, offset))
        except FormatError as error:
            raise self._damaged(0, "its header does not hold") from error

    @classmethod
    def of(cls, data: Path, part: StoredPart, key: PartKey) -> "PartReader":
        """A finished part, as its row says."""
        try:
            agreed = plaintext_length(part.cipher_length) == part.plain_length
        except FormatError:
            agreed = False
        if not agreed:
            raise BlobDamaged(key.blob, key.part, None, "its lengths disagree")
        return cls(data / part.file, key, part.file_offset, part.cipher_length, closed=True)

    def open_segments(self, first: int, count: int, scratch: memoryview, out: memoryview) -> int:
        """Plaintext of up to `count` segments from `first` on, into the beginning of `out`; returns its length.

        `scratch` holds the ciphertext meanwhile; both have room for `count` segments.
        """
        end = min(first + count, self.segments)
        start = segment_start(first)
        wanted = min(end * SEGMENT, self._length) - start
        held = os.preadv(self._descriptor, [scratch[:wanted]], self._offset + start)
        plain = 0
        for index in range(first, end):
            at = segment_start(index) - start
            until = min((index + 1) * SEGMENT, self._length) - start
            if until > held:
                raise self._damaged(index, "its bytes end too early")
            last = self._closed and index == self.segments - 1
            try:
                plain += self._cipher.open_into(index, last, scratch[at:until], out[plain : plain + until - at - TAG])
            except (FormatError, ProofError) as error:
                raise self._damaged(index, "its bytes are not those that were written") from error
        return plain

    def _damaged(self, segment: int | None, what: str) -> BlobDamaged:
        return BlobDamaged(self._key.blob, self._key.part, segment, what)
