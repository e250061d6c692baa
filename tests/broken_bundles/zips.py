"""ZIPs written by hand, so that each lie a ZIP can tell can be told alone (PKWARE APPNOTE 6.3)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deedbox_sync.bundle import layout
from miniature_log import BUNDLE

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_UTF8, _DESCRIPTOR = 1 << 11, 1 << 3
_WIDE = 0xFFFFFFFF  # the truth is in the 64-bit field
_NOON, _DAY = 12 << 11, (2026 - 1980) << 9 | 3 << 5 | 14


@dataclass
class Member:
    """A stored file; whatever is not None is told in place of the truth.

    `described`: CRC and sizes follow the bytes. `wide`: the directory has its sizes and place in 64 bits.
    """

    name: bytes
    data: bytes
    flags: int = _UTF8
    method: int = 0
    mode: int = 0o100644
    comment: bytes = b""
    after: bytes = b""
    local_name: bytes | None = None
    local_size: int | None = None
    listed: bool = True
    described: bool = False
    wide: bool = False

    def set(self, **changes: object) -> None:
        for name, value in changes.items():
            setattr(self, name, value)

    def local(self) -> bytes:
        crc, size = zlib.crc32(self.data), len(self.data)
        name = self.name if self.local_name is None else self.local_name
        told = size if self.local_size is None else self.local_size
        flags = self.flags | _DESCRIPTOR if self.described else self.flags
        sums = (0, 0, 0) if self.described else (crc, told, told)
        head = _LOCAL.pack(b"PK\3\4", 20, flags, self.method, _NOON, _DAY, *sums, len(name), 0)
        descriptor = struct.pack("<4sIII", b"PK\7\10", crc, size, size) if self.described else b""
        return head + name + self.data + descriptor + self.after

    def central(self, offset: int) -> bytes:
        crc, size = zlib.crc32(self.data), len(self.data)
        flags = self.flags | _DESCRIPTOR if self.described else self.flags
        extra = struct.pack("<HHQQQ", 1, 24, size, size, offset) if self.wide else b""
        size, offset = (_WIDE, _WIDE) if self.wide else (size, offset)
        facts = (b"PK\1\2", 3 << 8 | 20, 20, flags, self.method, _NOON, _DAY, crc, size, size)
        lengths = (len(self.name), len(extra), len(self.comment), 0, 0, self.mode << 16, offset)
        return _CENTRAL.pack(*facts, *lengths) + self.name + extra + self.comment


@dataclass
class Zip:
    """`end64`: there is a 64-bit end record too, which may count otherwise than the short one."""

    members: list[Member]
    end64: bool = False
    end64_count: int | None = None
    _comment: bytes = b""
    _miscount: int = field(default=0)

    @classmethod
    def of(cls, files: Mapping[str, bytes], top: str = layout.top_folder(BUNDLE)) -> Zip:
        """Tag files first, then the payload by path, as a box sends it."""
        paths = sorted(files, key=lambda path: (path.startswith("data/"), path))
        return cls([Member(f"{top}/{path}".encode(), files[path]) for path in paths])

    def comment(self, text: bytes) -> None:
        self._comment = text

    def miscount(self, by: int) -> None:
        self._miscount = by

    def repeat(self, place: int) -> None:
        self.members.append(replace(self.members[place]))

    def each(self, **changes: object) -> None:
        for one in self.members:
            one.set(**changes)

    def encode(self) -> bytes:
        out, directory, count = b"", b"", 0
        for one in self.members:
            if one.listed:
                directory += one.central(len(out))
                count += 1
            out += one.local()
        count += self._miscount
        sizes = (len(directory), len(out))
        end = _END.pack(b"PK\5\6", 0, 0, count, count, *sizes, len(self._comment)) + self._comment
        if self.end64:
            told = count if self.end64_count is None else self.end64_count
            wide = _END64.pack(b"PK\6\6", _END64.size - 12, 45, 45, 0, 0, told, told, *sizes)
            end = wide + _LOCATOR64.pack(b"PK\6\7", 0, sum(sizes), 1) + end
        return out + directory + end


def plain_zip(files: Mapping[str, bytes]) -> bytes:
    return Zip.of(files).encode()
