"""A ZIP written as a stream: stored files only, nothing buffered but the directory, its length known beforehand.

PKWARE APPNOTE 6.3. Sizes are promised by the caller and held to; CRCs come after the bytes (data descriptors), so nothing is read
twice. 64-bit forms appear only where a size or an offset needs them, so that old tools read what they can.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from deedbox_server.evidence.export_source import Read

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_DESCRIPTOR = struct.Struct("<4sIII")
_DESCRIPTOR64 = struct.Struct("<4sIQQ")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_EXTRA64_LOCAL = struct.Struct("<HHQQ")

_FULL32, _FULL16 = 0xFFFFFFFF, 0xFFFF
_FLAGS = 1 << 3 | 1 << 11  # sizes follow the bytes; names are UTF-8
_VERSION, _VERSION64 = 20, 45
_MADE_BY_UNIX = 3 << 8
_MODE = 0o100644 << 16  # a regular file, readable by all
_BLOCK = 1 << 18  # from here on a CRC is worth a thread


@dataclass(frozen=True)
class ZipMember:
    """A file to be: its whole name, its exact size, and its bytes when asked for."""

    name: str
    size: int
    read: Read


class ZipSizeError(Exception):
    """A member gave more or fewer bytes than promised: the stream ends here, and no directory follows."""


def zip_length(members: Sequence[ZipMember]) -> int:
    """The exact length of the ZIP that `zip_stream` writes for these members."""
    at, directory = 0, 0
    for member in members:
        name = len(member.name.encode())
        directory += _CENTRAL.size + name + len(_extra64(member.size, at))
        wide = member.size >= _FULL32
        at += _LOCAL.size + name + (_EXTRA64_LOCAL.size if wide else 0)
        at += member.size + (_DESCRIPTOR64.size if wide else _DESCRIPTOR.size)
    return at + directory + len(_end(len(members), directory, at))


async def zip_stream(members: Sequence[ZipMember], made: datetime) -> AsyncIterator[bytes]:
    """The ZIP's bytes in order, in the pieces the members give. Every member bears the time `made` (UTC).

    ZipSizeError, or what a member's reading raises, ends the stream without a directory: such a ZIP opens nowhere.
    """
    day = (made.year - 1980) << 9 | made.month << 5 | made.day
    clock = made.hour << 11 | made.minute << 5 | made.second // 2
    at = 0
    directory: list[bytes] = []
    for member in members:
        name = member.name.encode()
        wide = member.size >= _FULL32
        version = _VERSION64 if wide else _VERSION
        extra = _EXTRA64_LOCAL.pack(1, 16, 0, 0) if wide else b""
        shown = _FULL32 if wide else 0
        header = _LOCAL.pack(b"PK\3\4", version, _FLAGS, 0, clock, day, 0, shown, shown, len(name), len(extra))
        yield header + name + extra
        crc, size = 0, 0
        async for chunk in member.read():
            size += len(chunk)
            if size > member.size:
                raise ZipSizeError(f"{member.name} is longer than the {member.size} bytes promised")
            crc = await asyncio.to_thread(zlib.crc32, chunk, crc) if len(chunk) >= _BLOCK else zlib.crc32(chunk, crc)
            yield chunk
        if size != member.size:
            raise ZipSizeError(f"{member.name} has {size} bytes, {member.size} were promised")
        yield (_DESCRIPTOR64 if wide else _DESCRIPTOR).pack(b"PK\7\x08", crc, size, size)
        directory.append(_central(name, version, clock, day, crc, size, at))
        at += _LOCAL.size + len(name) + len(extra) + size + (_DESCRIPTOR64.size if wide else _DESCRIPTOR.size)
    entries = b"".join(directory)
    yield entries
    yield _end(len(members), len(entries), at)


def _central(name: bytes, version: int, clock: int, day: int, crc: int, size: int, offset: int) -> bytes:
    extra = _extra64(size, offset)
    if offset >= _FULL32:
        version = _VERSION64
    shown_size, shown_offset = min(size, _FULL32), min(offset, _FULL32)
    times = (_FLAGS, 0, clock, day, crc, shown_size, shown_size)
    fixed = (len(name), len(extra), 0, 0, 0, _MODE, shown_offset)
    return _CENTRAL.pack(b"PK\1\2", _MADE_BY_UNIX | _VERSION64, version, *times, *fixed) + name + extra


def _extra64(size: int, offset: int) -> bytes:
    """The ZIP64 field of a directory entry: what does not fit 32 bits, in the order size, packed size, offset."""
    values = ([size, size] if size >= _FULL32 else []) + ([offset] if offset >= _FULL32 else [])
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def _end(count: int, size: int, start: int) -> bytes:
    wide = b""
    if count >= _FULL16 or size >= _FULL32 or start >= _FULL32:
        versions = (_MADE_BY_UNIX | _VERSION64, _VERSION64)
        wide = _END64.pack(b"PK\6\6", _END64.size - 12, *versions, 0, 0, count, count, size, start)
        wide += _LOCATOR64.pack(b"PK\6\7", 0, start + size, 1)
    shown = min(count, _FULL16)
    return wide + _END.pack(b"PK\5\6", 0, 0, shown, shown, min(size, _FULL32), min(start, _FULL32), 0)
