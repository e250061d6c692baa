"""Check every page of an encrypted database file by its own HMAC, free pages and write-ahead log included.

SQLite meets a changed page only when it reads it, and drops whatever follows a changed frame of the write-ahead log without a
word. This reads the files themselves. SQLCipher 4: a page ends in an IV (16 bytes) and HMAC-SHA512 over ciphertext,
IV and little-endian page number, under PBKDF2-HMAC-SHA512(key, salt xor 0x3a, 2); the salt is the file's first 16 bytes.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PAGE = 4096
_SALT = 16
_MAC = 64
_WAL_HEADER = 32
_FRAME_HEADER = 24
_TRIES = 3  # a running box may be writing the very page: what is damaged is damaged at every try


def damaged_pages(path: Path, key: bytes) -> Iterator[str]:
    """Where the database at `path` does not hold under its key, in words; nothing when all of it does."""
    size = path.stat().st_size
    with path.open("rb") as file:
        salt = file.read(_SALT)
        if len(salt) < _SALT:
            return
        mac_key = _mac_key(key, salt)
        if size % PAGE:
            yield f"{path.name}: {size % PAGE} bytes after its last page"
        for number in range(1, size // PAGE + 1):
            if not any(_page_holds(_at(file, (number - 1) * PAGE, PAGE), number, mac_key) for _ in range(_TRIES)):
                yield f"{path.name}: page {number}"
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists():
        yield from _damaged_frames(wal, mac_key)


def _damaged_frames(path: Path, mac_key: bytes) -> Iterator[str]:
    """Frames of the log's present round that do not hold. The last one may be a torn write, which SQLite drops rightly."""
    with path.open("rb") as file:
        header = file.read(_WAL_HEADER)
        if len(header) < _WAL_HEADER:
            return
        salts, bad, number = header[16:24], 0, 0
        while len(frame := file.read(_FRAME_HEADER + PAGE)) == _FRAME_HEADER + PAGE and frame[8:16] == salts:
            number += 1
            if bad:
                yield f"{path.name}: frame {bad}"
                bad = 0
            if not _page_holds(frame[_FRAME_HEADER:], struct.unpack(">I", frame[:4])[0], mac_key):
                bad = number


def _page_holds(page: bytes, number: int, mac_key: bytes) -> bool:
    if page == bytes(PAGE):
        return True  # never written: SQLite extends its file before it fills it
    start = _SALT if number == 1 else 0
    mac = hmac.new(mac_key, page[start:-_MAC] + struct.pack("<I", number), "sha512").digest()
    return hmac.compare_digest(mac, page[-_MAC:])


def _mac_key(key: bytes, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", key, bytes(byte ^ 0x3A for byte in salt), 2, 32)


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)
