"""One part's ciphertext: Tink streaming AEAD `AES256_GCM_HKDF_1MB` without key-set prefix (`formats/blob.md`, Part).

Segment by segment and without copies: the caller owns the buffers and does the reading and writing. Both directions
release the interpreter's lock while they work.
"""

import os
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_sync.errors import FormatError, ProofError

Octets: TypeAlias = bytes | bytearray | memoryview

SEGMENT = 1 << 20
HEADER = 40
TAG = 16
KEY_LENGTH = 32
# The segment number has 32 bits of the nonce: 4 PiB.
MAX_SEGMENTS = 1 << 32

_SALT_LENGTH = 32
_FIRST_CAPACITY = SEGMENT - HEADER - TAG
_CAPACITY = SEGMENT - TAG


def new_header() -> bytes:
    """A fresh header: its own length, a random salt, a random nonce prefix."""
    return bytes([HEADER]) + os.urandom(HEADER - 1)


def plaintext_capacity(index: int) -> int:
    """How many plaintext bytes a full segment holds; the header takes its place from the first."""
    return _CAPACITY if index else _FIRST_CAPACITY


def segment_count(plain_length: int) -> int:
    """At least one: an empty text is one empty segment. No later segment is ever empty."""
    if plain_length <= _FIRST_CAPACITY:
        return 1
    return 1 - (_FIRST_CAPACITY - plain_length) // _CAPACITY


def ciphertext_length(plain_length: int) -> int:
    """Bytes of the whole part, header included."""
    if plain_length < 0 or segment_count(plain_length) > MAX_SEGMENTS:
        raise FormatError("part", "cannot have that length")
    return HEADER + plain_length + TAG * segment_count(plain_length)


def plaintext_length(cipher_length: int) -> int:
    """The inverse; FormatError for lengths that no finished part has."""
    segments = -(-cipher_length // SEGMENT)
    plain_length = cipher_length - HEADER - TAG * segments
    if plain_length < 0 or segments > MAX_SEGMENTS or segment_count(plain_length) != segments:
        raise FormatError("part", "has a length that no finished part has")
    return plain_length


def segment_at(plain_offset: int) -> tuple[int, int]:
    """The segment of a plaintext offset, and the offset in that segment's plaintext."""
    if plain_offset < _FIRST_CAPACITY:
        return 0, plain_offset
    later, offset = divmod(plain_offset - _FIRST_CAPACITY, _CAPACITY)
    return 1 + later, offset


def segment_start(index: int) -> int:
    """Where a segment's ciphertext begins in its part; a full one ends at `(index + 1) * SEGMENT`."""
    return index * SEGMENT if index else HEADER


class PartCipher:
    """Seals and opens the segments of one part under its own key, AAD and header.

    One object never seals two texts under one nonce: it refuses to go back. That no second object seals the same
    segments under the same header is the caller's part, and why a part is never continued after a restart.
    Not for two threads at once.
    """

    def __init__(self, key: bytes, aad: bytes, header: bytes) -> None:
        if len(key) != KEY_LENGTH:
            raise FormatError("part key", f"is not {KEY_LENGTH} bytes")
        if len(header) != HEADER or header[0] != HEADER:
            raise FormatError("part header", f"is not a header of {HEADER} bytes")
        salt, self._prefix = header[1 : 1 + _SALT_LENGTH], header[1 + _SALT_LENGTH :]
        self._aead = AESGCM(HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=salt, info=aad).derive(key))
        self._next = 0

    def seal_into(self, index: int, last: bool, plaintext: Octets, out: Octets) -> int:
        """Encrypts a segment into the beginning of `out` and gives its length, that of the text and 16 bytes.

        A segment that is not the last is full; the last has at least one byte unless the whole part is empty.
        """
        length = len(plaintext)
        if index < self._next:
            raise FormatError("segment", f"{index} was already sealed")
        _check_length(index, last, length)
        self._next = MAX_SEGMENTS if last else index + 1
        with memoryview(out) as whole, whole[: length + TAG] as room:
            return self._aead.encrypt_into(self._nonce(index, last), plaintext, None, room)

    def open_into(self, index: int, last: bool, ciphertext: Octets, out: Octets) -> int:
        """Decrypts a segment into the beginning of `out` and gives the text's length.

        ProofError when it is not what was sealed there; `out` then holds zeros, never a text that is not authentic.
        """
        length = len(ciphertext) - TAG
        if length < 0:
            raise FormatError("segment", "is shorter than its tag")
        _check_length(index, last, length)
        with memoryview(out) as whole, whole[:length] as room:
            try:
                return self._aead.decrypt_into(self._nonce(index, last), ciphertext, None, room)
            except InvalidTag as error:
                room[:] = bytes(length)
                raise ProofError(f"segment {index} is not what was sealed there") from error

    def open(self, index: int, last: bool, ciphertext: Octets) -> bytes:
        """As `open_into`, into new bytes."""
        length = len(ciphertext) - TAG
        if length < 0:
            raise FormatError("segment", "is shorter than its tag")
        _check_length(index, last, length)
        try:
            return self._aead.decrypt(self._nonce(index, last), ciphertext, None)
        except InvalidTag as error:
            raise ProofError(f"segment {index} is not what was sealed there") from error

    def _nonce(self, index: int, last: bool) -> bytes:
        return self._prefix + index.to_bytes(4) + (b"\x01" if last else b"\x00")


def _check_length(index: int, last: bool, length: int) -> None:
    capacity = plaintext_capacity(index)
    if not 0 <= index < MAX_SEGMENTS:
        raise FormatError("segment", f"has no number {index}")
    if length > capacity or (not last and length < capacity) or (last and index and not length):
        raise FormatError("segment", f"{index} cannot hold {length} bytes")
